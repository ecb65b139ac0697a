//! The parts that stay the same during an episode: servers, power tables, sizes, job distributions.

use crate::generated::scheduling::{ArraySizes, Scalars, Tables};
use crate::program::Program;
use crate::sampling;

/// One server's constants.
#[derive(Clone, Copy)]
pub struct Server {
    pub cpu: u32,
    pub mem: u32,
    /// Where its power table begins.
    pub power_from: usize,
    /// The power that it saves asleep, in mW.
    pub saving_mw: u32,
    /// Its CPU as a share of the fleet's largest.
    pub share: f32,
}

/// The program as the step reads it.
pub struct Fleet {
    pub servers: Vec<Server>,
    pub sizes: ArraySizes,
    pub num_servers: usize,
    pub num_slots: usize,
    /// The decision that waits; those below it place jobs, those above it toggle servers.
    pub wait: usize,
    pub num_actions: usize,
    pub sleep_aware: bool,
    pub wake_delay: u32,
    /// Places of the running table for jobs that start, and for those that ran at the beginning.
    pub start_slots: u32,
    pub warm_slots: u32,
    pub running_slots: u32,
    pub deadline: u32,
    pub horizon: u32,
    pub idle_power_mw: u32,
    pub fleet_power_mw: f64,
    pub fleet_cpu: f64,
    pub reward_power: f64,
    pub reward_violation: f64,
    pub reward_toggle: f64,
    power_mw: Vec<u32>,
    pub tiers: Vec<Tier>,
    /// Of each server.
    pub server_tier: Vec<u32>,
}

/// A kind of server: what the bound of a return needs of it.
pub struct Tier {
    pub cpu: u32,
    pub power_from: usize,
    pub sleep_mw: u32,
}

/// A job's demands.
#[derive(Clone, Copy)]
pub struct Job {
    pub cpu: u32,
    pub mem: u32,
    pub duration: u32,
}

/// One demand of a job: an alias table over outcomes, and their values.
struct Demand {
    bits: u32,
    columns: Vec<u32>,
    values: Vec<u32>,
}

/// Where jobs come from.
pub struct Workload {
    pub from_trace: bool,
    pub window_starts: Vec<u32>,
    profile_steps: u32,
    profile_level: Vec<u32>,
    arrival_bits: u32,
    arrival_alias: Vec<u32>,
    cpu: Demand,
    mem: Demand,
    duration: Demand,
    trace_first: Vec<u32>,
    trace_cpu: Vec<u32>,
    trace_mem: Vec<u32>,
    trace_duration: Vec<u32>,
    trace_end: Vec<u32>,
    running_first: Vec<u32>,
}

/// a - b, or 0: a restored state may not add up, and must not index out of a table.
#[inline(always)]
pub fn minus(a: u32, b: u32) -> u32 {
    a.saturating_sub(b)
}

impl Fleet {
    pub fn new(program: &Program, s: &Scalars, t: &Tables) -> Self {
        let stride = s.power_stride as usize;
        let servers = t.server_tier.iter().map(|&tier| {
            let tier = tier as usize;
            Server {
                cpu: t.tier_cpu[tier],
                mem: t.tier_mem[tier],
                power_from: tier * stride,
                saving_mw: t.tier_power_mw[tier * stride].wrapping_sub(t.tier_sleep_mw[tier]),
                share: (f64::from(t.tier_cpu[tier]) / s.capacity_max) as f32,
            }
        });
        let tiers = (0..t.tier_cpu.len()).map(|tier| Tier {
            cpu: t.tier_cpu[tier],
            power_from: tier * stride,
            sleep_mw: t.tier_sleep_mw[tier],
        });
        Self {
            servers: servers.collect(),
            sizes: ArraySizes::new(program.scalars()),
            num_servers: s.num_servers as usize,
            num_slots: s.num_slots as usize,
            wait: (s.num_slots * s.num_servers) as usize,
            num_actions: s.num_actions as usize,
            sleep_aware: s.sleep_aware == 1.0,
            wake_delay: s.wake_delay_steps as u32,
            start_slots: s.start_slots as u32,
            warm_slots: s.warm_slots as u32,
            running_slots: s.running_slots as u32,
            deadline: s.deadline_steps as u32,
            horizon: s.horizon as u32,
            idle_power_mw: s.idle_power_mw as u32,
            fleet_power_mw: s.fleet_power_mw,
            fleet_cpu: s.fleet_cpu,
            reward_power: s.reward_power,
            reward_violation: s.reward_violation,
            reward_toggle: s.reward_toggle,
            power_mw: t.tier_power_mw.clone(),
            tiers: tiers.collect(),
            server_tier: t.server_tier.clone(),
        }
    }

    /// Power in mW of a server awake with so much CPU in use.
    #[inline(always)]
    pub fn power(&self, server: usize, cpu: u32) -> u32 {
        self.power_mw[self.servers[server].power_from + cpu as usize]
    }
}

impl Fleet {
    /// Power in mW of a tier's server awake with so much CPU in use.
    pub fn tier_power(&self, tier: &Tier, cpu: u32) -> f64 {
        f64::from(self.power_mw[tier.power_from + cpu as usize])
    }
}

impl Demand {
    #[inline(always)]
    fn sample(&self, word: u32) -> u32 {
        self.values[sampling::alias(&self.columns, self.bits, word) as usize]
    }
}

impl Workload {
    pub fn new(s: &Scalars, t: &Tables) -> Self {
        let demand = |bits: f64, columns: &[u32], values: &[u32]| Demand {
            bits: bits as u32,
            columns: columns.to_vec(),
            values: values.to_vec(),
        };
        Self {
            from_trace: s.from_trace == 1.0,
            window_starts: t.window_starts.clone(),
            profile_steps: s.profile_steps as u32,
            profile_level: t.profile_level.clone(),
            arrival_bits: s.arrival_bits as u32,
            arrival_alias: t.arrival_alias.clone(),
            cpu: demand(s.cpu_bits, &t.cpu_alias, &t.cpu_value),
            mem: demand(s.mem_bits, &t.mem_alias, &t.mem_value),
            duration: demand(s.duration_bits, &t.duration_alias, &t.duration_value),
            trace_first: t.trace_first.clone(),
            trace_cpu: t.trace_cpu.clone(),
            trace_mem: t.trace_mem.clone(),
            trace_duration: t.trace_duration.clone(),
            trace_end: t.trace_end.clone(),
            running_first: t.running_first.clone(),
        }
    }

    /// Arrivals of a step, by one word.
    #[inline(always)]
    pub fn arrivals(&self, step: u32, word: u32) -> u32 {
        let level = self.profile_level[(step % self.profile_steps) as usize];
        let from = (level as usize) << self.arrival_bits;
        let columns = &self.arrival_alias[from..][..1 << self.arrival_bits];
        sampling::alias(columns, self.arrival_bits, word)
    }

    /// A job, by three words.
    #[inline(always)]
    pub fn job(&self, words: [u32; 3]) -> Job {
        Job {
            cpu: self.cpu.sample(words[0]),
            mem: self.mem.sample(words[1]),
            duration: self.duration.sample(words[2]),
        }
    }

    /// The jobs that run when a window begins, in the order of arrival; their durations are what is
    /// left of them.
    pub fn running(&self, window_start: u32) -> impl Iterator<Item = Job> + '_ {
        let tick = window_start as usize;
        let end = (self.trace_first[tick] as usize).min(self.trace_cpu.len());
        let jobs = self.running_first[tick] as usize..end;
        jobs.filter(move |&i| self.trace_end[i] > window_start)
            .map(move |i| Job {
                cpu: self.trace_cpu[i],
                mem: self.trace_mem[i],
                duration: self.trace_end[i] - window_start,
            })
    }

    /// The jobs of a trace's tick; after its last tick a trace has no more.
    pub fn recorded(&self, tick: usize) -> impl Iterator<Item = Job> + '_ {
        let has_ended = tick + 1 >= self.trace_first.len();
        let (first, end) = if has_ended {
            (0, 0)
        } else {
            (self.trace_first[tick], self.trace_first[tick + 1])
        };
        let end = (end as usize).min(self.trace_cpu.len());
        (first as usize..end).map(|i| Job {
            cpu: self.trace_cpu[i],
            mem: self.trace_mem[i],
            duration: self.trace_duration[i],
        })
    }
}
