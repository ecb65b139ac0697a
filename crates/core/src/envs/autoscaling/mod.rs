//! Autoscaling: how many instances keep a service inside its utilisation band.
//!
//! `src/reference/autoscaling/autoscaling.ts` is the specification; this is the oracle of the
//! core, one lane at a time. The request rate is f32, utilisations and latency are rounded to f32
//! where they arise; the rest is f64.

mod group;
mod lanes;
mod policies;
mod reward;

use crate::env::Env;
use crate::generated::autoscaling::{Scalars, Tables, metric, observation, real, statistic, word};
use crate::generated::common::stream;
use crate::program::Program;
use crate::rng::{philox, word_below};
use crate::sampling;
use crate::simd::Isa;
use crate::statistics::{fold_common, fold_welford};
use crate::store::{Block, Shape};
use reward::{Prices, RewardRule};

const QUANTILE_CELLS: usize = 4096;
const COUNTS: [usize; 3] = [word::COUNT_0, word::COUNT_1, word::COUNT_2];
const STARTING: [usize; 3] = [word::STARTING_0, word::STARTING_1, word::STARTING_2];

/// The program's integers as the step reads them.
#[derive(Clone, Copy)]
struct Limits {
    horizon: u32,
    num_types: i32,
    max_delta: i32,
    max_instances: i32,
    cold_start_steps: u32,
    last_rate: u32,
}

/// The family over one program.
pub struct Autoscaling {
    s: Scalars,
    t: Tables,
    limits: Limits,
    prices: Prices,
    reward: RewardRule,
    shape: Shape,
    noise_pairs: Box<[[f32; 2]; QUANTILE_CELLS]>,
    /// Instances are of one type, serve at once, and a count says all about them.
    is_plain: bool,
}

type Metrics = [f32; metric::COUNT];

impl Autoscaling {
    pub fn new(program: &Program, metrics: bool) -> Self {
        let s = Scalars::new(program.scalars());
        let t = Tables::new(program);
        let limits = Limits {
            horizon: s.horizon as u32,
            num_types: s.num_types as i32,
            max_delta: s.max_delta as i32,
            max_instances: s.max_instances as i32,
            cold_start_steps: s.cold_start_steps as u32,
            last_rate: s.profile_steps as u32 - 1,
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
        let noise_pairs = Box::new(std::array::from_fn(|cell| {
            [t.noise[2 * cell], t.noise[2 * cell + 1]]
        }));
        let extras = s.is_fleet + s.cold_start_steps + s.has_cold_start;
        let is_plain = s.num_types == 1.0 && extras == 0.0;
        Self {
            prices: Prices::new(&s),
            reward: RewardRule::new(&s),
            s,
            t,
            is_plain,
            limits,
            shape,
            noise_pairs,
        }
    }

    /// Capacity units of the instances that serve, or of all; at least 1.
    fn units(&self, block: &Block, lane: usize, serving: bool) -> f64 {
        let starting = if serving {
            starting(block, lane)
        } else {
            [0; COUNTS.len()]
        };
        self.prices.units(counts(block, lane), starting)
    }

    /// Who was starting comes closer to serving; then the change, within its bounds.
    fn apply_action(&self, block: &mut Block, lane: usize) {
        let limits = self.limits;
        for slot in STARTING {
            block.words[slot][lane] >>= 2;
        }
        let width = self.shape.action_dim;
        let row = &block.actions[lane * width..(lane + 1) * width];
        let kind = if self.s.is_fleet == 1.0 {
            clip(row[0] as i32, 0, limits.num_types - 1) as usize
        } else {
            0
        };
        let asked = clip(row[width - 1] as i32, 0, 2 * limits.max_delta) - limits.max_delta;
        let total = instances(block, lane);
        let count = block.words[COUNTS[kind]][lane] as i32;
        let least = if 1 - total > -count {
            1 - total
        } else {
            -count
        };
        let change = clip(asked, least, limits.max_instances - total);
        block.words[COUNTS[kind]][lane] = (count + change) as u32;
        if limits.cold_start_steps == 0 {
            return;
        }
        let starting = &mut block.words[STARTING[kind]][lane];
        if change > 0 {
            *starting |= (change as u32) << (2 * (limits.cold_start_steps - 1));
        }
        for _ in change..0 {
            *starting = without_newest(*starting);
        }
    }

    /// The step's requests: the profile's rate and a normal deviation, at least 0.
    fn admit_arrivals(&self, block: &mut Block, lane: usize) {
        let words = &block.words;
        let step = words[word::STEP][lane];
        let counter = [step, words[word::EPISODE][lane], stream::STEP, 0];
        let key = [words[word::SEED_LO][lane], words[word::SEED_HI][lane]];
        let drawn = philox(counter, key)[0];
        let next = words[word::WINDOW_START][lane].wrapping_add(step + 1);
        let last = self.limits.last_rate;
        let now = if next < last { next } else { last };
        let scale = block.reals[real::WINDOW_SCALE][lane] as f32;
        let mean = self.t.profile_rate[now as usize] * scale;
        let rate = mean + sampling::quantile(&self.t.noise, drawn);
        block.reals[real::REQUEST_RATE][lane] = if rate > 0.0 { f64::from(rate) } else { 0.0 };
    }

    /// The values of the present rate and instances that observation, reward and statistics read.
    #[inline(always)]
    fn measure(&self, block: &Block, lane: usize, m: &mut Metrics) {
        let starting = starting(block, lane);
        let rate = block.reals[real::REQUEST_RATE][lane];
        let latency = rate / self.prices.units(counts(block, lane), starting);
        m[metric::CPU] = (latency * self.s.cpu_factor) as f32;
        m[metric::MEMORY] = (latency * self.s.memory_factor) as f32;
        m[metric::REQUEST_RATE] = rate as f32;
        m[metric::INSTANCES] = instances(block, lane) as f32;
        m[metric::LATENCY] = latency as f32;
        m[metric::STARTING_INSTANCES] = (starting[0] + starting[1] + starting[2]) as f32;
    }

    /// The price of the instances for a step.
    #[inline(always)]
    fn price(&self, block: &Block, lane: usize) -> f64 {
        self.prices.of(counts(block, lane))
    }

    /// Pays the instances from the budget.
    fn pay(&self, block: &mut Block, lane: usize) {
        let price = self.price(block, lane);
        block.reals[real::BUDGET_LEFT][lane] -= self.s.has_budget * price;
    }

    /// A step's price and verdict.
    #[inline(always)]
    fn tell(&self, block: &Block, lane: usize, m: &mut Metrics) {
        let late = f64::from(m[metric::LATENCY]) > self.s.latency_sla;
        let over = block.reals[real::BUDGET_LEFT][lane] < 0.0;
        m[metric::PRICE] = self.price(block, lane) as f32;
        m[metric::SLA_VIOLATION] = if late { 1.0 } else { 0.0 };
        m[metric::OVER_BUDGET] = if over { 1.0 } else { 0.0 };
    }

    /// The parts of a step's reward, which nothing but `info` reads.
    fn explain(&self, block: &Block, lane: usize, m: &mut Metrics) {
        let rule = &self.reward;
        let cpu = rule.value(f64::from(m[metric::CPU]), &rule.cpu);
        let memory = rule.value(f64::from(m[metric::MEMORY]), &rule.memory);
        let price = self.price(block, lane);
        m[metric::REWARD_CPU] = cpu as f32;
        m[metric::REWARD_MEMORY] = memory as f32;
        m[metric::REWARD_COST] = (0.0 - self.s.cost_weight * price) as f32;
        m[metric::REWARD_MIXED] = (0.0 - rule.mixed(cpu, memory)) as f32;
    }

    /// Publishes the metrics, with those that only `info` reads.
    fn report(&self, block: &mut Block, lane: usize, m: &mut Metrics) {
        m[metric::CAPACITY_UNITS] = self.units(block, lane, false) as f32;
        m[metric::SERVING_UNITS] = self.units(block, lane, true) as f32;
        m[metric::BUDGET_LEFT] = block.reals[real::BUDGET_LEFT][lane] as f32;
        m[metric::STEP] = block.words[word::STEP][lane] as f32;
        block.metrics[lane * metric::COUNT..][..metric::COUNT].copy_from_slice(m);
    }

    /// The observation row: rounded to f32, then scaled by the program's fixed scalings.
    fn observe(&self, block: &mut Block, lane: usize, m: &Metrics) {
        let mut row = [0.0f32; observation::COUNT];
        row[observation::CPU] = m[metric::CPU];
        row[observation::MEMORY] = m[metric::MEMORY];
        row[observation::REQUEST_RATE] = m[metric::REQUEST_RATE];
        row[observation::INSTANCES] = m[metric::INSTANCES];
        row[observation::INSTANCES_TYPE_0] = block.words[word::COUNT_0][lane] as f32;
        row[observation::INSTANCES_TYPE_1] = block.words[word::COUNT_1][lane] as f32;
        row[observation::INSTANCES_TYPE_2] = block.words[word::COUNT_2][lane] as f32;
        row[observation::BUDGET_LEFT] = block.reals[real::BUDGET_LEFT][lane] as f32;
        let width = self.shape.observation_dim;
        if self.s.has_cold_start == 1.0 {
            row[width - 1] = m[metric::STARTING_INSTANCES];
        }
        let out = &mut block.observations[lane * width..(lane + 1) * width];
        for (i, value) in out.iter_mut().enumerate() {
            *value = row[i] * self.t.observation_scale[i];
        }
    }

    /// Folds the episode statistics from the f32 outputs.
    fn fold(&self, block: &mut Block, lane: usize, m: &Metrics) {
        fold_common(block, lane);
        let count = f64::from(block.words[word::STEP][lane]);
        let (cpu, memory) = (f64::from(m[metric::CPU]), f64::from(m[metric::MEMORY]));
        fold_welford(block, lane, statistic::CPU_MEAN, cpu, count);
        fold_welford(block, lane, statistic::MEMORY_MEAN, memory, count);
        for (slot, index) in SUMS {
            block.statistics[slot][lane] += f64::from(m[index]);
        }
    }
}

/// Statistics that are sums, and of what.
const SUMS: [(usize, usize); 5] = [
    (statistic::LATENCY_SUM, metric::LATENCY),
    (statistic::INSTANCES_SUM, metric::INSTANCES),
    (statistic::PRICE_SUM, metric::PRICE),
    (statistic::SLA_VIOLATION_SUM, metric::SLA_VIOLATION),
    (statistic::OVER_BUDGET_SUM, metric::OVER_BUDGET),
];

impl Env for Autoscaling {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn reset(&self, block: &mut Block, lane: usize) {
        let t = &self.t;
        let words = &mut block.words;
        let counter = [0, words[word::EPISODE][lane], stream::RESET, 0];
        let key = [words[word::SEED_LO][lane], words[word::SEED_HI][lane]];
        let drawn = philox(counter, key);
        let window = word_below(drawn[0], self.s.num_windows as u32) as usize;
        let spread = self.s.initial_spread as i32;
        let moved = word_below(drawn[1], 2 * spread as u32 + 1) as i32 - spread;
        let start = t.window_starts[window];
        let count = t.window_instances[window] as i32 + moved;
        words[word::WINDOW_START][lane] = start;
        words[word::COUNT_0][lane] = clip(count, 1, self.limits.max_instances) as u32;
        for slot in word::COUNT_1..word::COUNT {
            words[slot][lane] = 0;
        }
        let scale = t.window_scales[window];
        block.reals[real::WINDOW_SCALE][lane] = f64::from(scale);
        block.reals[real::BUDGET_LEFT][lane] = self.s.budget;
        let rate = t.profile_rate[start as usize] * scale;
        block.reals[real::REQUEST_RATE][lane] = f64::from(rate);
        let mut m = [0.0; metric::COUNT];
        self.measure(block, lane, &mut m);
        self.observe(block, lane, &m);
        if !block.metrics.is_empty() {
            self.report(block, lane, &mut m);
        }
    }

    fn step(&self, block: &mut Block, lane: usize) {
        let mut m = [0.0; metric::COUNT];
        self.apply_action(block, lane);
        self.admit_arrivals(block, lane);
        block.words[word::STEP][lane] += 1;
        self.pay(block, lane);
        self.measure(block, lane, &mut m);
        self.tell(block, lane, &mut m);
        self.observe(block, lane, &m);
        let (cpu, memory) = (f64::from(m[metric::CPU]), f64::from(m[metric::MEMORY]));
        block.rewards[lane] = self.reward.reward(cpu, memory, self.price(block, lane));
        block.costs[lane] = m[metric::SLA_VIOLATION] + m[metric::OVER_BUDGET];
        let over = cpu > self.s.utilization_limit || memory > self.s.utilization_limit;
        block.terminated[lane] = u8::from(over);
        block.truncated[lane] = u8::from(block.words[word::STEP][lane] >= self.limits.horizon);
        self.fold(block, lane, &m);
        if !block.metrics.is_empty() {
            self.explain(block, lane, &mut m);
            self.report(block, lane, &mut m);
        }
    }

    #[inline(always)]
    fn step_block<I: Isa>(&self, block: &mut Block, _skip: u64) {
        self.step_lanes::<I>(block);
    }

    fn act(&self, policy: u32, block: &mut Block, lane: usize) {
        self.act_heuristic(policy, block, lane);
    }
}

/// Instances of each type, the starting ones included.
#[inline(always)]
fn counts(block: &Block, lane: usize) -> [u32; 3] {
    let [first, second, third] = COUNTS;
    let of = |slot: usize| block.words[slot][lane];
    [of(first), of(second), of(third)]
}

/// Starting instances of each type.
#[inline(always)]
fn starting(block: &Block, lane: usize) -> [u32; 3] {
    let [first, second, third] = STARTING;
    let of = |slot: usize| sum_of_pairs(block.words[slot][lane]);
    [of(first), of(second), of(third)]
}

/// Instances of all types, the starting ones included.
#[inline(always)]
fn instances(block: &Block, lane: usize) -> i32 {
    let [first, second, third] = counts(block, lane);
    (first + second + third) as i32
}

/// Sum of a word's sixteen two-bit counts.
#[inline(always)]
fn sum_of_pairs(word: u32) -> u32 {
    let fours = (word & 0x3333_3333) + ((word >> 2) & 0x3333_3333);
    let eights = (fours + (fours >> 4)) & 0x0f0f_0f0f;
    eights.wrapping_mul(0x0101_0101) >> 24
}

/// One starting instance less, of those that would serve last; nothing where none is starting.
#[inline(always)]
fn without_newest(starting: u32) -> u32 {
    if starting == 0 {
        return 0;
    }
    let slot = (31 - starting.leading_zeros()) >> 1;
    starting - (1 << (2 * slot))
}

/// x clipped to low..=high; what is not above low reads low.
#[inline(always)]
fn clip(x: i32, low: i32, high: i32) -> i32 {
    let above = if x > low { x } else { low };
    if above < high { above } else { high }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starting_instances_are_counted_and_the_newest_taken_first() {
        assert_eq!(sum_of_pairs(0), 0);
        assert_eq!(sum_of_pairs(u32::MAX), 48);
        assert_eq!(sum_of_pairs(0b11_00_01), 4);
        assert_eq!(without_newest(0), 0);
        assert_eq!(without_newest(0b11_00_01), 0b10_00_01);
        assert_eq!(without_newest(1 << 30), 0);
    }
}
