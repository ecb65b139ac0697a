//! Scheduling: jobs on servers, one decision a step.
//!
//! `src/reference/scheduling/scheduling.ts` is the specification; this steps one lane at a time,
//! over arrays that lie together environment by environment. Units and milliwatts are integers, so
//! that sums do not depend on their order.

mod bound;
mod cluster;
mod fleet;
mod fleet_power;
mod observe;
mod policies;

use crate::env::Env;
use crate::generated::common::stream;
use crate::generated::scheduling::{
    BACKLOG_MAX, Scalars, Tables, WAIT_BINS, metric, real, server_mode, statistic, word,
};
use crate::program::Program;
use crate::rng::{philox, word_below};
use crate::simd::Isa;
use crate::statistics::fold_common;
use crate::store::{Block, LANES, Shape};
use cluster::{Cluster, Counts};
use fleet::{Fleet, Job, Workload, minus};
use observe::{observe, write_mask};

/// The family over one program.
pub struct Scheduling {
    fleet: Fleet,
    workload: Workload,
    shape: Shape,
}

type Metrics = [f32; metric::COUNT];

impl Scheduling {
    pub fn new(program: &Program, metrics: bool) -> Self {
        let s = Scalars::new(program.scalars());
        let t = Tables::new(program);
        let fleet = Fleet::new(program, &s, &t);
        let shape = Shape {
            action_dim: s.action_dim as usize,
            observation_dim: s.observation_dim as usize,
            mask_dim: s.mask_dim as usize,
            metric_dim: if metrics { metric::COUNT } else { 0 },
            words: word::COUNT,
            arrays: fleet.sizes.total(),
            real_arrays: 0,
            reals: real::COUNT,
            statistics: statistic::COUNT,
        };
        Self {
            fleet,
            workload: Workload::new(&s, &t),
            shape,
        }
    }

    /// One environment's arrays.
    #[inline(always)]
    fn arrays_of<'a>(&self, arrays: &'a mut [u32], lane: usize) -> &'a mut [u32] {
        &mut arrays[lane * self.shape.arrays..][..self.shape.arrays]
    }

    #[inline(always)]
    fn step_lane(&self, block: &mut Block, lane: usize) {
        let c = Counts::load(block, lane);
        let draws = Draws::new(block, lane);
        let tick = (block.words[word::WINDOW_START][lane] + c.step) as usize;
        let a = self.fleet.sizes.split(self.arrays_of(block.arrays, lane));
        let fleet = &self.fleet;
        let mut cluster = Cluster { fleet, c, a };
        let mut m: Metrics = [0.0; metric::COUNT];
        self.apply_action(&mut cluster, block.actions[lane] as i32, &mut m);
        self.admit_arrivals(&mut cluster, &draws, tick, &mut m);
        cluster.c.step += 1;
        advance(&mut cluster, &mut m);
        self.report(&cluster, &mut m);
        let power = f64::from(cluster.c.power_mw) * fleet.reward_power;
        let late = f64::from(m[metric::VIOLATIONS]) * fleet.reward_violation;
        let toggle = f64::from(m[metric::TOGGLES]) * fleet.reward_toggle;
        block.rewards[lane] = (0.0 - power - late - toggle) as f32;
        block.costs[lane] = m[metric::VIOLATIONS];
        block.terminated[lane] = 0;
        block.truncated[lane] = u8::from(cluster.c.step >= fleet.horizon);
        let width = self.shape.observation_dim;
        let row = &mut block.observations[lane * width..][..width];
        observe(&cluster, row);
        let width = self.shape.mask_dim;
        write_mask(&cluster, &mut block.masks[lane * width..][..width]);
        let counts = cluster.c;
        counts.store(block, lane);
        self.publish(block, lane, &m);
        fold(block, lane, &m);
        if counts.step >= self.fleet.horizon {
            self.fold_end(block, lane, &counts);
        }
    }

    /// Jobs that still wait at the end have waited so long at least: censored, not left out.
    fn fold_end(&self, block: &mut Block, lane: usize, c: &Counts) {
        let a = self.fleet.sizes.split(self.arrays_of(block.arrays, lane));
        let arrival_of = |i: u32| a.backlog_arrival[(c.backlog_head + i) as usize % BACKLOG_MAX];
        let visible = a.slot_arrival[..c.num_visible as usize].iter().copied();
        for arrival in visible.chain((0..c.num_backlog).map(arrival_of)) {
            let bin = wait_bin(minus(c.step, arrival)) as usize;
            block.statistics[statistic::WAIT_HISTOGRAM_0 + bin][lane] += 1.0;
        }
    }

    /// Takes a number that is no decision, or none that is feasible now, for a wait, and counts it.
    #[inline(always)]
    fn apply_action(&self, cluster: &mut Cluster, index: i32, m: &mut Metrics) {
        let fleet = &self.fleet;
        // A negative number is, as an unsigned one, beyond every space.
        let decision = index as u32 as usize;
        if decision == fleet.wait {
            return;
        }
        if decision >= fleet.num_actions {
            m[metric::INVALID_ACTIONS] = 1.0;
            return;
        }
        if decision > fleet.wait {
            let n = decision - fleet.wait - 1;
            if cluster.can_toggle(n) {
                cluster.toggle(n);
                m[metric::TOGGLES] = 1.0;
            } else {
                m[metric::INVALID_ACTIONS] = 1.0;
            }
            return;
        }
        let (k, n) = (decision / fleet.num_servers, decision % fleet.num_servers);
        if !cluster.fits(k, n) {
            m[metric::INVALID_ACTIONS] = 1.0;
            return;
        }
        count_wait(cluster, k, m);
        cluster.place(k, n);
    }

    /// The jobs of this tick join the queue, and the waits that pass a multiple of the deadline
    /// are counted: those of the jobs that arrived a multiple of the deadline ago, whose number is
    /// kept.
    #[inline(always)]
    fn admit_arrivals(&self, cluster: &mut Cluster, draws: &Draws, tick: usize, m: &mut Metrics) {
        let now = (cluster.c.step % self.fleet.deadline) as usize;
        let newly_late = cluster.a.fresh_waiting[now];
        let late = cluster.a.late_waiting[now].wrapping_add(newly_late);
        cluster.a.late_waiting[now] = late;
        let mut arrivals = 0;
        let mut dropped = 0;
        self.arrive(draws, tick, |job| {
            arrivals += 1;
            dropped += u32::from(!cluster.enqueue(job));
        });
        cluster.a.fresh_waiting[now] = arrivals - dropped;
        cluster.c.last_arrivals = arrivals;
        m[metric::ARRIVALS] = arrivals as f32;
        m[metric::DROPPED] = dropped as f32;
        m[metric::VIOLATIONS] = (f64::from(late) + f64::from(dropped)) as f32;
        m[metric::VIOLATED_JOBS] = (f64::from(newly_late) + f64::from(dropped)) as f32;
    }

    /// Calls back with every job of a tick, in their order.
    #[inline(always)]
    fn arrive(&self, draws: &Draws, tick: usize, mut admit: impl FnMut(Job)) {
        if self.workload.from_trace {
            self.workload.recorded(tick).for_each(admit);
            return;
        }
        let w = draws.block(0);
        let number = self.workload.arrivals(draws.counter[0], w[0]);
        if number > 0 {
            admit(self.workload.job([w[1], w[2], w[3]]));
        }
        for i in 1..number {
            let w = draws.block(i);
            admit(self.workload.job([w[0], w[1], w[2]]));
        }
    }

    /// The tick an episode begins at: uniform over the windows in which the trace has a job.
    fn window_start(&self, episode: u32, key: [u32; 2]) -> u32 {
        let counter = [0, episode, stream::RESET, 0];
        let starts = &self.workload.window_starts;
        starts[word_below(philox(counter, key)[0], starts.len() as u32) as usize]
    }

    /// The cluster at the beginning of an episode, over arrays that are 0.
    fn begin<'a>(&'a self, elements: &'a mut [u32], window_start: u32) -> Cluster<'a> {
        let fleet = &self.fleet;
        let c = Counts {
            step: 0,
            num_visible: 0,
            backlog_head: 0,
            num_backlog: 0,
            num_running: 0,
            last_server: fleet.num_servers as u32 - 1,
            power_mw: fleet.idle_power_mw,
            cpu_in_use: 0,
            last_arrivals: 0,
        };
        let a = fleet.sizes.split(elements);
        let mut cluster = Cluster { fleet, c, a };
        let mut warm = 0;
        for job in self.workload.running(window_start) {
            warm = cluster.admit_running(job, warm);
        }
        cluster
    }

    #[inline(always)]
    fn report(&self, cluster: &Cluster, m: &mut Metrics) {
        let c = &cluster.c;
        m[metric::POWER_WATTS] = (f64::from(c.power_mw) / 1000.0) as f32;
        m[metric::UTILIZATION_RATIO] = (f64::from(c.cpu_in_use) / self.fleet.fleet_cpu) as f32;
        m[metric::RUNNING] = c.num_running as f32;
        m[metric::WAITING] = (c.num_visible + c.num_backlog) as f32;
        m[metric::BACKLOG] = c.num_backlog as f32;
        let (mut asleep, mut waking) = (0_u32, 0_u32);
        for &mode in cluster.a.server_mode.iter() {
            asleep += u32::from(mode == server_mode::ASLEEP);
            waking += u32::from(mode == server_mode::WAKING);
        }
        m[metric::ASLEEP] = asleep as f32;
        m[metric::WAKING] = waking as f32;
    }

    #[inline(always)]
    fn publish(&self, block: &mut Block, lane: usize, m: &Metrics) {
        if !block.metrics.is_empty() {
            block.metrics[lane * metric::COUNT..][..metric::COUNT].copy_from_slice(m);
        }
    }

    #[inline(always)]
    fn step_lanes(&self, block: &mut Block, skip: u64) {
        for lane in 0..LANES {
            if skip & (1 << lane) == 0 {
                self.step_lane(block, lane);
            }
        }
    }
}

/// The name of a step's draws.
struct Draws {
    counter: [u32; 2],
    key: [u32; 2],
}

impl Draws {
    #[inline(always)]
    fn new(block: &Block, lane: usize) -> Self {
        let words = &block.words;
        Self {
            counter: [words[word::STEP][lane], words[word::EPISODE][lane]],
            key: [words[word::SEED_LO][lane], words[word::SEED_HI][lane]],
        }
    }

    #[inline(always)]
    fn block(&self, index: u32) -> [u32; 4] {
        philox(
            [self.counter[0], self.counter[1], stream::STEP, index],
            self.key,
        )
    }
}

/// The job of slot k starts now: it no longer waits.
#[inline(always)]
fn count_wait(cluster: &mut Cluster, k: usize, m: &mut Metrics) {
    let waited = cluster.waited(k);
    let deadline = cluster.fleet.deadline;
    let at = (cluster.a.slot_arrival[k] % deadline) as usize;
    let waiting = if waited > deadline {
        &mut cluster.a.late_waiting[at]
    } else {
        &mut cluster.a.fresh_waiting[at]
    };
    *waiting = waiting.wrapping_sub(1);
    m[metric::PLACED] = 1.0;
    m[metric::WAIT_STEPS] = waited as f32;
    m[metric::WAIT_BIN] = (wait_bin(waited) + 1) as f32;
}

/// The bin of a wait: each of 0..=39 its own, then 20 an octave; the last takes what is longer.
#[inline(always)]
fn wait_bin(steps: u32) -> u32 {
    if steps < 40 {
        return steps;
    }
    let octave = (steps / 40).ilog2();
    (20 * (octave + 1) + (steps >> (octave + 1))).min(WAIT_BINS as u32 - 1)
}

/// The events due at the new step: jobs end, woken servers become active.
#[inline(always)]
fn advance(cluster: &mut Cluster, m: &mut Metrics) {
    let mut completed = 0;
    for n in 0..cluster.fleet.num_servers {
        if cluster.a.server_event[n] != cluster.c.step {
            continue;
        }
        if cluster.a.server_mode[n] == server_mode::WAKING {
            cluster.a.server_mode[n] = server_mode::ACTIVE;
            cluster.a.server_event[n] = 0;
        } else {
            completed += cluster.release(n);
        }
    }
    m[metric::COMPLETED] = completed as f32;
}

/// Folds the episode statistics from the f32 outputs.
#[inline(always)]
fn fold(block: &mut Block, lane: usize, m: &Metrics) {
    fold_common(block, lane);
    let sums = [
        (statistic::POWER_WATTS_SUM, metric::POWER_WATTS),
        (statistic::UTILIZATION_RATIO_SUM, metric::UTILIZATION_RATIO),
        (statistic::ARRIVALS_SUM, metric::ARRIVALS),
        (statistic::PLACED_SUM, metric::PLACED),
        (statistic::COMPLETED_SUM, metric::COMPLETED),
        (statistic::DROPPED_SUM, metric::DROPPED),
        (statistic::VIOLATIONS_SUM, metric::VIOLATIONS),
        (statistic::VIOLATED_JOBS_SUM, metric::VIOLATED_JOBS),
        (statistic::WAIT_STEPS_SUM, metric::WAIT_STEPS),
        (statistic::WAITING_SUM, metric::WAITING),
        (statistic::TOGGLES_SUM, metric::TOGGLES),
        (statistic::INVALID_ACTIONS_SUM, metric::INVALID_ACTIONS),
        (statistic::ASLEEP_SUM, metric::ASLEEP),
    ];
    for (slot, index) in sums {
        block.statistics[slot][lane] += f64::from(m[index]);
    }
    let bin = m[metric::WAIT_BIN] as usize;
    if bin > 0 {
        block.statistics[statistic::WAIT_HISTOGRAM_0 + bin - 1][lane] += 1.0;
    }
}

impl Env for Scheduling {
    const IS_BLOCKED: bool = false;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn bound(&self, seed: u64, episode: u32) -> Option<f64> {
        Some(self.return_bound(seed, episode))
    }

    fn reset(&self, block: &mut Block, lane: usize) {
        let words = &mut block.words;
        let key = [words[word::SEED_LO][lane], words[word::SEED_HI][lane]];
        let window_start = self.window_start(words[word::EPISODE][lane], key);
        words[word::WINDOW_START][lane] = window_start;
        let elements = self.arrays_of(block.arrays, lane);
        elements.fill(0);
        let cluster = self.begin(elements, window_start);
        let mut m: Metrics = [0.0; metric::COUNT];
        self.report(&cluster, &mut m);
        let width = self.shape.observation_dim;
        observe(&cluster, &mut block.observations[lane * width..][..width]);
        let width = self.shape.mask_dim;
        write_mask(&cluster, &mut block.masks[lane * width..][..width]);
        let counts = cluster.c;
        counts.store(block, lane);
        self.publish(block, lane, &m);
    }

    fn step(&self, block: &mut Block, lane: usize) {
        self.step_lane(block, lane);
    }

    #[inline(always)]
    fn step_block<I: Isa>(&self, block: &mut Block, skip: u64) {
        self.step_lanes(block, skip);
    }

    fn act(&self, policy: u32, block: &mut Block, lane: usize) {
        let c = Counts::load(block, lane);
        let a = self.fleet.sizes.split(self.arrays_of(block.arrays, lane));
        let cluster = Cluster {
            fleet: &self.fleet,
            c,
            a,
        };
        if let Some(decision) = policies::decide(policy, &cluster) {
            block.actions[lane] = decision as u32;
        }
    }
}
