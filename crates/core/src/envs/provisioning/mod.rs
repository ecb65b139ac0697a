//! Provisioning: rent GPUs for a job queue under a budget.
//!
//! `src/reference/provisioning/provisioning.ts` is the specification; this is the oracle of the
//! core, one lane at a time. Counts are integers, money is f64; outputs are rounded to f32 once.

mod bound;
mod lanes;

use crate::env::Env;
use crate::generated::common::{FIRST_HEURISTIC, stream};
use crate::generated::provisioning::{
    BOOT_DELAY_MAX, NUM_REGIMES, Scalars, Tables, heuristic, metric, observation, real, statistic,
    word,
};
use crate::program::Program;
use crate::rng::philox;
use crate::sampling;
use crate::simd::Isa;
use crate::statistics::fold_common;
use crate::store::{Block, Shape};

/// The program's integers as the step reads them.
#[derive(Clone, Copy)]
struct Limits {
    horizon: u32,
    gpus_max: i32,
    change_max: i32,
    boot_delay: usize,
    arrival_bits: u32,
    profile_steps: u32,
}

/// Bits of a level's smallest outcome, which the program keeps below 1536.
const OFFSET_BITS: u32 = 11;

/// The family over one program.
pub struct Provisioning {
    s: Scalars,
    t: Tables,
    limits: Limits,
    shape: Shape,
    /// [regime][step]: the arrivals' level, above its smallest outcome.
    profile: Box<[u32]>,
    /// The program's table, of the size that it has.
    regime_alias: [u32; NUM_REGIMES * NUM_REGIMES],
}

impl Provisioning {
    pub fn new(program: &Program, metrics: bool) -> Self {
        let s = Scalars::new(program.scalars());
        let limits = Limits {
            horizon: s.horizon as u32,
            gpus_max: s.gpus_max as i32,
            change_max: s.change_max as i32,
            boot_delay: s.boot_delay as usize,
            arrival_bits: s.arrival_bits as u32,
            profile_steps: s.profile_steps as u32,
        };
        let shape = Shape {
            action_dim: s.action_dim as usize,
            observation_dim: s.observation_dim as usize,
            mask_dim: s.mask_dim as usize,
            metric_dim: if metrics { metric::COUNT } else { 0 },
            words: word::COUNT,
            arrays: 0,
            real_arrays: 0,
            reals: real::COUNT,
            statistics: statistic::COUNT,
        };
        let t = Tables::new(program);
        let of = |&level: &u32| level << OFFSET_BITS | t.arrival_offset[level as usize];
        Self {
            profile: t.profile_level.iter().map(of).collect(),
            regime_alias: *t.regime_alias.first_chunk().expect("two regimes"),
            s,
            t,
            limits,
            shape,
        }
    }

    /// GPUs whose boot delay has passed start running.
    fn start_booted(&self, block: &mut Block, lane: usize) {
        let delay = self.limits.boot_delay;
        if delay == 0 {
            return;
        }
        let words = &mut block.words;
        words[word::RUNNING][lane] += words[word::BOOTING_0][lane];
        for slot in 1..delay {
            words[word::BOOTING_0 + slot - 1][lane] = words[word::BOOTING_0 + slot][lane];
        }
        words[word::BOOTING_0 + delay - 1][lane] = 0;
    }

    /// Rents or releases, within what a step and the fleet allow; a release takes the booting GPUs
    /// first, the newest of them first. Returns the change.
    fn provision(&self, block: &mut Block, lane: usize) -> i32 {
        let Limits {
            gpus_max,
            change_max,
            boot_delay,
            ..
        } = self.limits;
        let rented = (block.words[word::RUNNING][lane] + self.booting_gpus(block, lane)) as i32;
        let request = clamp(asked(block, lane), -change_max, change_max);
        let room = if gpus_max > rented {
            gpus_max - rented
        } else {
            0
        };
        let change = clamp(request, -rented, room);
        let rent = if change > 0 { change } else { 0 };
        let newest = if boot_delay == 0 {
            word::RUNNING
        } else {
            word::BOOTING_0 + boot_delay - 1
        };
        block.words[newest][lane] += rent as u32;
        let mut release = (rent - change) as u32;
        for slot in (word::BOOTING_0..word::BOOTING_0 + boot_delay).rev() {
            let booting = &mut block.words[slot][lane];
            let taken = if release < *booting {
                release
            } else {
                *booting
            };
            *booting -= taken;
            release -= taken;
        }
        block.words[word::RUNNING][lane] -= release;
        change
    }

    fn booting_gpus(&self, block: &Block, lane: usize) -> u32 {
        (0..self.limits.boot_delay)
            .map(|slot| block.words[word::BOOTING_0 + slot][lane])
            .sum()
    }

    /// Draws the step's arrivals and moves on to the next step's regime: one Philox block, its
    /// first word for the arrivals, its second for the regime.
    fn admit_arrivals(&self, block: &mut Block, lane: usize) -> u32 {
        let Limits {
            arrival_bits: bits,
            profile_steps,
            ..
        } = self.limits;
        let words = &mut block.words;
        let step = words[word::STEP][lane];
        let counter = [step, words[word::EPISODE][lane], stream::STEP, 0];
        let key = [words[word::SEED_LO][lane], words[word::SEED_HI][lane]];
        let w = philox(counter, key);
        let regime = words[word::REGIME][lane] as usize;
        let last = profile_steps - 1;
        let now = if step < last { step } else { last };
        let level = self.t.profile_level[regime * profile_steps as usize + now as usize] as usize;
        let columns = &self.t.arrival_alias[level << bits..][..1 << bits];
        let next = &self.t.regime_alias[NUM_REGIMES * regime..][..NUM_REGIMES];
        words[word::REGIME][lane] = sampling::alias(next, 1, w[1]);
        self.t.arrival_offset[level] + sampling::alias(columns, bits, w[0])
    }

    /// The observation row, rounded to f32, then scaled by the program's fixed scalings; and the
    /// metrics, where they are kept.
    fn observe(&self, block: &mut Block, lane: usize, m: &[f32; metric::COUNT]) {
        let mut row = [0.0; observation::COUNT];
        row[observation::TIME_STEP] = block.words[word::STEP][lane] as f32;
        row[observation::ACTIVE_GPUS] = block.words[word::RUNNING][lane] as f32;
        row[observation::QUEUE_SIZE] = block.words[word::QUEUE][lane] as f32;
        row[observation::CURRENT_BUDGET] = block.reals[real::BUDGET][lane] as f32;
        row[observation::INCOMING_JOBS] = m[metric::ARRIVALS];
        row[observation::BOOTING_GPUS] = m[metric::BOOTING_GPUS];
        let out = &mut block.observations[lane * observation::COUNT..][..observation::COUNT];
        for (i, value) in out.iter_mut().enumerate() {
            *value = row[i] * self.t.observation_scale[i];
        }
        if !block.metrics.is_empty() {
            block.metrics[lane * metric::COUNT..][..metric::COUNT].copy_from_slice(m);
        }
    }

    /// Folds the episode statistics from the f32 outputs.
    fn fold(&self, block: &mut Block, lane: usize, m: &[f32; metric::COUNT]) {
        fold_common(block, lane);
        for (slot, index) in SUMS {
            block.statistics[slot][lane] += f64::from(m[index]);
        }
        let queue = f64::from(m[metric::QUEUE]);
        let most = &mut block.statistics[statistic::QUEUE_MAX][lane];
        if block.words[word::STEP][lane] == 1 || queue > *most {
            *most = queue;
        }
    }

    /// As many GPUs as jobs wait.
    fn match_queue(&self, block: &Block, lane: usize) -> i32 {
        let Limits {
            gpus_max,
            change_max,
            ..
        } = self.limits;
        let queue = block.words[word::QUEUE][lane] as i32;
        let wanted = if queue < gpus_max { queue } else { gpus_max };
        let rented = block.words[word::RUNNING][lane] + self.booting_gpus(block, lane);
        clamp(wanted - rented as i32, -change_max, change_max)
    }
}

/// Statistics that are sums of a metric.
const SUMS: [(usize, usize); 5] = [
    (statistic::ARRIVALS_SUM, metric::ARRIVALS),
    (statistic::PROCESSED_SUM, metric::PROCESSED),
    (statistic::QUEUE_SUM, metric::QUEUE),
    (statistic::COST_USD_SUM, metric::COST_USD),
    (statistic::BUDGET_EXHAUSTED_SUM, metric::BUDGET_EXHAUSTED),
];

impl Env for Provisioning {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn bound(&self, seed: u64, episode: u32) -> Option<f64> {
        Some(self.clairvoyant_bound(seed, episode))
    }

    #[inline(always)]
    fn step_block<I: Isa>(&self, block: &mut Block, _skip: u64) {
        self.step_lanes::<I>(block);
    }

    fn reset(&self, block: &mut Block, lane: usize) {
        let words = &mut block.words;
        words[word::RUNNING][lane] = self.s.gpus_start as u32;
        words[word::QUEUE][lane] = 0;
        words[word::REGIME][lane] = 0;
        for slot in 0..BOOT_DELAY_MAX {
            words[word::BOOTING_0 + slot][lane] = 0;
        }
        block.reals[real::BUDGET][lane] = self.s.budget_start;
        let mut m = [0.0; metric::COUNT];
        m[metric::RUNNING_GPUS] = self.s.gpus_start as f32;
        m[metric::BUDGET_USD] = self.s.budget_start as f32;
        self.observe(block, lane, &m);
    }

    fn step(&self, block: &mut Block, lane: usize) {
        let s = &self.s;
        self.start_booted(block, lane);
        let change = self.provision(block, lane);
        let regime = block.words[word::REGIME][lane];
        let arrivals = self.admit_arrivals(block, lane);
        let running = block.words[word::RUNNING][lane];
        let booting = self.booting_gpus(block, lane);
        let queue = &mut block.words[word::QUEUE][lane];
        let processed = if *queue < running { *queue } else { running };
        *queue = *queue - processed + arrivals;
        let queue = f64::from(*queue);
        let cost = s.gpu_cost * f64::from(running + booting);
        block.reals[real::BUDGET][lane] -= cost;
        let budget = block.reals[real::BUDGET][lane];
        block.words[word::STEP][lane] += 1;
        let reward = s.job_value * f64::from(processed) - cost - s.wait_cost * queue;
        let overrun = if budget < 0.0 { 0.0 - budget } else { 0.0 };
        block.rewards[lane] = reward as f32;
        block.costs[lane] = overrun as f32;
        block.terminated[lane] = u8::from(budget <= 0.0);
        block.truncated[lane] = u8::from(block.words[word::STEP][lane] >= self.limits.horizon);
        let mut m = [0.0; metric::COUNT];
        m[metric::ARRIVALS] = arrivals as f32;
        m[metric::PROCESSED] = processed as f32;
        m[metric::QUEUE] = queue as f32;
        m[metric::RUNNING_GPUS] = running as f32;
        m[metric::BOOTING_GPUS] = booting as f32;
        m[metric::COST_USD] = cost as f32;
        m[metric::BUDGET_USD] = budget as f32;
        m[metric::APPLIED_GPUS] = change as f32;
        m[metric::CLAMPED_GPUS] = (f64::from(asked(block, lane)) - f64::from(change)) as f32;
        m[metric::REGIME] = regime as f32;
        m[metric::BUDGET_EXHAUSTED] = f32::from(block.terminated[lane]);
        self.observe(block, lane, &m);
        self.fold(block, lane, &m);
    }

    fn act(&self, policy: u32, block: &mut Block, lane: usize) {
        match policy.wrapping_sub(FIRST_HEURISTIC) {
            heuristic::HOLD => block.actions[lane] = 0,
            heuristic::MATCH_QUEUE => block.actions[lane] = self.match_queue(block, lane) as u32,
            _ => {}
        }
    }
}

/// The fleet that the action asks for.
#[inline(always)]
fn asked(block: &Block, lane: usize) -> i32 {
    block.actions[lane] as i32
}

/// x clamped to low..=high, where high is not below low.
#[inline(always)]
fn clamp(x: i32, low: i32, high: i32) -> i32 {
    let above = if x > low { x } else { low };
    if above < high { above } else { high }
}
