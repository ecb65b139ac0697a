//! The blocked kernel: the oracle's step for 64 lanes at a time, stage by stage, each stage a
//! plain loop over lanes. Operation for operation it is `autoscaling.rs`; what a task does not have
//! (further types, a cold start) adds zeros there and is left out here.

use super::{Autoscaling, COUNTS, Metrics, Prices, STARTING, clip, sum_of_pairs, without_newest};
use crate::generated::autoscaling::{metric, observation, real, statistic, word};
use crate::generated::common::{statistic as common_statistic, stream};
use crate::lanes::{F32s, F64s, U32s, store_rows};
use crate::simd::{Float, GROUP, GROUPS, Isa, Word, part, part_mut, quantile};
use crate::store::{Block, LANES, fixed};

type I32s = [i32; LANES];
type Words = [U32s; word::COUNT];
type Reals = [F64s; real::COUNT];
type Statistics = [F64s; statistic::COUNT];

/// What a step measures and how it judges that. Local arrays: the compiler sees that they share no
/// memory with the state, and so can work on many lanes at once.
struct Measured {
    cpu: F32s,
    memory: F32s,
    rewards: F32s,
    costs: F32s,
}

/// What a lane's instances are.
struct Fleet {
    /// Instances of all types.
    total: i32,
    /// Capacity units of those that serve, at least 1.
    serving: f64,
    price: f64,
}

impl Autoscaling {
    /// One step of every lane.
    #[inline(always)]
    pub(super) fn step_lanes<I: Isa>(&self, block: &mut Block) {
        if self.is_plain {
            self.step_fleets::<I, true>(block);
        } else {
            self.step_fleets::<I, false>(block);
        }
    }

    /// `PLAIN`: instances are of one type and serve at once, so a count says all about them.
    #[inline(always)]
    fn step_fleets<I: Isa, const PLAIN: bool>(&self, block: &mut Block) {
        let words: &mut Words = fixed(block.words);
        let reals: &mut Reals = fixed(block.reals);
        let statistics: &mut Statistics = fixed(block.statistics);
        let mut m = Measured {
            cpu: [0.0; LANES],
            memory: [0.0; LANES],
            rewards: [0.0; LANES],
            costs: [0.0; LANES],
        };
        if self.shape.action_dim == 1 {
            self.apply_change_lanes(words, fixed(block.actions));
        } else {
            self.apply_action_lanes(words, fixed(block.actions));
        }
        self.admit_arrivals_lanes::<I>(words, reals);
        self.judge_lanes::<PLAIN>(words, reals, statistics, &mut m);
        *block.rewards = m.rewards;
        *block.costs = m.costs;
        self.end_lanes(words, &m, block.terminated, block.truncated);
        if PLAIN {
            self.observe_plain_lanes(words, reals, &m, fixed(block.observations));
        } else {
            self.observe_lanes::<I>(words, reals, &m, block.observations);
        }
        if !block.metrics.is_empty() {
            self.report_lanes(block);
        }
    }

    /// A change of the first type, where actions name none.
    #[inline(always)]
    fn apply_change_lanes(&self, words: &mut Words, actions: &U32s) {
        let limits = self.limits;
        let mut changes = [0; LANES];
        let counts = &mut words[word::COUNT_0];
        for lane in 0..LANES {
            let asked = clip(actions[lane] as i32, 0, 2 * limits.max_delta) - limits.max_delta;
            let count = counts[lane] as i32;
            changes[lane] = clip(asked, 1 - count, limits.max_instances - count);
            counts[lane] = (count + changes[lane]) as u32;
        }
        if limits.cold_start_steps > 0 {
            self.start_lanes(words, &[0; LANES], &changes);
        }
    }

    /// A type and a change of it.
    #[inline(always)]
    fn apply_action_lanes(&self, words: &mut Words, rows: &[u32; 2 * LANES]) {
        let limits = self.limits;
        let (mut kinds, mut changes) = ([0; LANES], [0; LANES]);
        for lane in 0..LANES {
            let kind = clip(rows[2 * lane] as i32, 0, limits.num_types - 1);
            let asked = clip(rows[2 * lane + 1] as i32, 0, 2 * limits.max_delta) - limits.max_delta;
            let [first, second, third] = COUNTS.map(|slot| words[slot][lane] as i32);
            let total = first + second + third;
            let later = if kind == 1 { second } else { third };
            let own = if kind == 0 { first } else { later };
            let least = if 1 - total > -own { 1 - total } else { -own };
            kinds[lane] = kind;
            changes[lane] = clip(asked, least, limits.max_instances - total);
        }
        for (kind, slot) in COUNTS.into_iter().enumerate() {
            for lane in 0..LANES {
                let is_own = kinds[lane] == kind as i32;
                let change = if is_own { changes[lane] } else { 0 };
                words[slot][lane] = (words[slot][lane] as i32 + change) as u32;
            }
        }
        if limits.cold_start_steps > 0 {
            self.start_lanes(words, &kinds, &changes);
        }
    }

    /// Moves the queues of starting instances on, and takes the changes in.
    fn start_lanes(&self, words: &mut Words, kinds: &I32s, changes: &I32s) {
        for slot in STARTING {
            for starting in &mut words[slot] {
                *starting >>= 2;
            }
        }
        let shift = 2 * (self.limits.cold_start_steps - 1);
        for lane in 0..LANES {
            let starting = &mut words[STARTING[kinds[lane] as usize]][lane];
            if changes[lane] > 0 {
                *starting |= (changes[lane] as u32) << shift;
            }
            for _ in changes[lane]..0 {
                *starting = without_newest(*starting);
            }
        }
    }

    /// The step's requests; counts the step.
    #[inline(always)]
    fn admit_arrivals_lanes<I: Isa>(&self, words: &mut Words, reals: &mut Reals) {
        let mut noise = [0.0; LANES];
        for index in 0..GROUPS {
            let of = |slot: usize| I::U32::load(part(&words[slot], index));
            let counter = [of(word::STEP), of(word::EPISODE)];
            let key = [of(word::SEED_LO), of(word::SEED_HI)];
            let [drawn, ..] = I::philox(counter, [stream::STEP, 0], key);
            let deviations = quantile::<I>(&self.noise_pairs, drawn);
            deviations.store(part_mut(&mut noise, index));
        }
        let last = self.limits.last_rate as usize;
        let profile = &self.t.profile_rate[..=last];
        let mut rates = [0.0; LANES];
        for lane in 0..LANES {
            let next = words[word::WINDOW_START][lane].wrapping_add(words[word::STEP][lane] + 1);
            let next = next as usize;
            rates[lane] = profile[if next < last { next } else { last }];
        }
        for lane in 0..LANES {
            let mean = rates[lane] * reals[real::WINDOW_SCALE][lane] as f32;
            let rate = mean + noise[lane];
            reals[real::REQUEST_RATE][lane] = if rate > 0.0 { f64::from(rate) } else { 0.0 };
            words[word::STEP][lane] += 1;
        }
    }

    /// Latency, utilisations, reward and statistics: one loop, so that its divisions, which are
    /// slow, go on beside everything else.
    #[inline(always)]
    fn judge_lanes<const PLAIN: bool>(
        &self,
        words: &Words,
        reals: &mut Reals,
        statistics: &mut Statistics,
        m: &mut Measured,
    ) {
        let (prices, judge) = (self.prices, self.judge);
        for lane in 0..LANES {
            let Fleet {
                total,
                serving,
                price,
            } = prices.fleet::<PLAIN>(words, lane);
            let latency = reals[real::REQUEST_RATE][lane] / serving;
            let left = reals[real::BUDGET_LEFT][lane] - judge.has_budget * price;
            reals[real::BUDGET_LEFT][lane] = left;
            m.cpu[lane] = (latency * judge.cpu_factor) as f32;
            m.memory[lane] = (latency * judge.memory_factor) as f32;
            let (cpu, memory) = (f64::from(m.cpu[lane]), f64::from(m.memory[lane]));
            let latency = f64::from(latency as f32);
            let late = if latency > judge.latency_sla {
                1.0
            } else {
                0.0
            };
            let over = if left < 0.0 { 1.0 } else { 0.0 };
            m.costs[lane] = late + over;
            m.rewards[lane] = judge.reward(cpu, memory, price);
            let count = f64::from(words[word::STEP][lane] as i32);
            statistics[common_statistic::LENGTH_STEPS][lane] += 1.0;
            statistics[common_statistic::EPISODE_RETURN][lane] += f64::from(m.rewards[lane]);
            statistics[common_statistic::EPISODE_COST][lane] += f64::from(m.costs[lane]);
            statistics[statistic::LATENCY_SUM][lane] += latency;
            statistics[statistic::INSTANCES_SUM][lane] += f64::from(total);
            statistics[statistic::PRICE_SUM][lane] += f64::from(price as f32);
            statistics[statistic::SLA_VIOLATION_SUM][lane] += f64::from(late);
            statistics[statistic::OVER_BUDGET_SUM][lane] += f64::from(over);
            fold_welford_lane(statistics, lane, statistic::CPU_MEAN, cpu, count);
            fold_welford_lane(statistics, lane, statistic::MEMORY_MEAN, memory, count);
        }
    }

    /// The flags.
    #[inline(always)]
    fn end_lanes(
        &self,
        words: &Words,
        m: &Measured,
        terminated: &mut [u8; LANES],
        truncated: &mut [u8; LANES],
    ) {
        let limit = self.s.utilization_limit;
        for lane in 0..LANES {
            let cpu = f64::from(m.cpu[lane]) > limit;
            let memory = f64::from(m.memory[lane]) > limit;
            terminated[lane] = u8::from(cpu | memory);
            truncated[lane] = u8::from(words[word::STEP][lane] >= self.limits.horizon);
        }
    }

    #[inline(always)]
    fn observe_plain_lanes(
        &self,
        words: &Words,
        reals: &Reals,
        m: &Measured,
        rows: &mut [f32; 4 * LANES],
    ) {
        let scale: [f32; 4] = self.t.observation_scale[..4].try_into().expect("four");
        for lane in 0..LANES {
            rows[4 * lane] = m.cpu[lane] * scale[0];
            rows[4 * lane + 1] = m.memory[lane] * scale[1];
            rows[4 * lane + 2] = reals[real::REQUEST_RATE][lane] as f32 * scale[2];
            rows[4 * lane + 3] = words[word::COUNT_0][lane] as i32 as f32 * scale[3];
        }
    }

    #[inline(always)]
    fn observe_lanes<I: Isa>(
        &self,
        words: &Words,
        reals: &Reals,
        m: &Measured,
        observations: &mut [f32],
    ) {
        let scale = &self.t.observation_scale;
        let width = scale.len();
        let mut columns = [[0.0; LANES]; observation::COUNT];
        columns[observation::CPU] = m.cpu;
        columns[observation::MEMORY] = m.memory;
        for lane in 0..LANES {
            let counts = COUNTS.map(|slot| words[slot][lane] as i32);
            for (kind, count) in counts.into_iter().enumerate() {
                columns[observation::INSTANCES_TYPE_0 + kind][lane] = count as f32;
            }
            columns[observation::INSTANCES][lane] = counts.iter().sum::<i32>() as f32;
            columns[observation::REQUEST_RATE][lane] = reals[real::REQUEST_RATE][lane] as f32;
            columns[observation::BUDGET_LEFT][lane] = reals[real::BUDGET_LEFT][lane] as f32;
        }
        if self.s.has_cold_start == 1.0 {
            for lane in 0..LANES {
                let starting = STARTING.map(|slot| sum_of_pairs(words[slot][lane]));
                columns[width - 1][lane] = starting.iter().sum::<u32>() as f32;
            }
        }
        for (column, &factor) in columns.iter_mut().zip(scale) {
            for value in column.iter_mut() {
                *value *= factor;
            }
        }
        if width >= GROUP {
            store_rows::<I>(&columns[..width], observations);
            return;
        }
        for (lane, row) in observations.chunks_exact_mut(width).enumerate() {
            for (value, column) in row.iter_mut().zip(&columns) {
                *value = column[lane];
            }
        }
    }

    /// The metrics, which nothing but `info` reads: from the state that the step left.
    fn report_lanes(&self, block: &mut Block) {
        for lane in 0..LANES {
            let mut m: Metrics = [0.0; metric::COUNT];
            self.measure(block, lane, &mut m);
            self.tell(block, lane, &mut m);
            block.metrics[lane * metric::COUNT..][..metric::COUNT].copy_from_slice(&m);
        }
    }
}

impl Prices {
    #[inline(always)]
    fn fleet<const PLAIN: bool>(&self, words: &Words, lane: usize) -> Fleet {
        let at_least_one = |units: f64| if units > 1.0 { units } else { 1.0 };
        let [first, second, third] = COUNTS.map(|slot| words[slot][lane] as i32);
        if PLAIN {
            let count = f64::from(first);
            return Fleet {
                total: first,
                serving: at_least_one(count * self.capacities[0]),
                price: count * self.prices[0],
            };
        }
        let starting = STARTING.map(|slot| sum_of_pairs(words[slot][lane]) as i32);
        let sum = |counts: [i32; 3], weights: [f64; 3]| {
            f64::from(counts[0]) * weights[0]
                + f64::from(counts[1]) * weights[1]
                + f64::from(counts[2]) * weights[2]
        };
        let counts = [first, second, third];
        let serving = [
            first - starting[0],
            second - starting[1],
            third - starting[2],
        ];
        Fleet {
            total: first + second + third,
            serving: at_least_one(sum(serving, self.capacities)),
            price: sum(counts, self.prices),
        }
    }
}

/// Welford's recurrence: the mean in `slot`, the sum of squared deviations in the next slot.
#[inline(always)]
fn fold_welford_lane(
    statistics: &mut Statistics,
    lane: usize,
    slot: usize,
    value: f64,
    count: f64,
) {
    let before = value - statistics[slot][lane];
    let mean = statistics[slot][lane] + before / count;
    statistics[slot][lane] = mean;
    statistics[slot + 1][lane] += before * (value - mean);
}
