//! The blocked kernel: the oracle's step for 64 lanes at a time, stage by stage, each stage a
//! plain loop over lanes. Operation for operation it is `autoscaling.rs`; what a task does not have
//! (further types, a cold start) adds zeros there and is left out here.

use super::{Autoscaling, COUNTS, STARTING, SUMS, clip, sum_of_pairs, without_newest};
use crate::generated::autoscaling::{metric, observation, real, statistic, word};
use crate::generated::common::{statistic as common_statistic, stream};
use crate::lanes::{F32s, F64s, GROUP, Isa, U32s, philox, quantile, store_rows};
use crate::store::{Block, LANES};

type I32s = [i32; LANES];

/// What flows between the stages of a step, one number per lane.
struct Lanes {
    rate: F32s,
    /// Instances of all types.
    total: I32s,
    /// Capacity units of all instances and of those that serve, at least 1.
    units: F64s,
    serving: F64s,
    price: F64s,
    metrics: [F32s; metric::COUNT],
}

impl Autoscaling {
    /// One step of every lane.
    #[inline(always)]
    pub(super) fn step_lanes<I: Isa>(&self, block: &mut Block) {
        let mut x = Lanes {
            rate: [0.0; LANES],
            total: [0; LANES],
            units: [0.0; LANES],
            serving: [0.0; LANES],
            price: [0.0; LANES],
            metrics: [[0.0; LANES]; metric::COUNT],
        };
        if self.shape.action_dim == 1 {
            self.apply_change_lanes(block, &mut x);
        } else {
            self.apply_action_lanes(block, &mut x);
        }
        self.admit_arrivals_lanes::<I>(block, &mut x);
        self.count_units_lanes(block, &mut x);
        self.measure_lanes(&mut x);
        self.judge_lanes(block, &mut x);
        self.observe_lanes::<I>(block, &x);
        self.end_lanes(block, &x);
        self.fold_lanes(block, &x);
        if !block.metrics.is_empty() {
            self.report_lanes(block, &mut x);
            store_rows::<I>(&x.metrics, block.metrics);
        }
    }

    /// A change of the first type, where actions name none.
    #[inline(always)]
    fn apply_change_lanes(&self, block: &mut Block, x: &mut Lanes) {
        let limits = self.limits;
        let actions: &[u32; LANES] = (&*block.actions)
            .try_into()
            .expect("one number for each lane");
        let mut changes = [0; LANES];
        let counts = &mut block.words[word::COUNT_0];
        for lane in 0..LANES {
            let asked = clip(actions[lane] as i32, 0, 2 * limits.max_delta) - limits.max_delta;
            let count = counts[lane] as i32;
            changes[lane] = clip(asked, 1 - count, limits.max_instances - count);
            x.total[lane] = count + changes[lane];
            counts[lane] = x.total[lane] as u32;
        }
        if limits.cold_start_steps > 0 {
            self.start_lanes(block, &[0; LANES], &changes);
        }
    }

    /// A type and a change of it.
    #[inline(always)]
    fn apply_action_lanes(&self, block: &mut Block, x: &mut Lanes) {
        let limits = self.limits;
        let row = |lane: usize, i: usize| block.actions[2 * lane + i] as i32;
        let kinds: I32s = std::array::from_fn(|lane| clip(row(lane, 0), 0, limits.num_types - 1));
        let asked: I32s = std::array::from_fn(|lane| {
            clip(row(lane, 1), 0, 2 * limits.max_delta) - limits.max_delta
        });
        let mut changes = [0; LANES];
        let [first, second, third] = COUNTS;
        for lane in 0..LANES {
            let count = |slot: usize| block.words[slot][lane] as i32;
            let total = count(first) + count(second) + count(third);
            let later = if kinds[lane] == 1 {
                count(second)
            } else {
                count(third)
            };
            let own = if kinds[lane] == 0 {
                count(first)
            } else {
                later
            };
            let least = if 1 - total > -own { 1 - total } else { -own };
            changes[lane] = clip(asked[lane], least, limits.max_instances - total);
            x.total[lane] = total + changes[lane];
        }
        for (kind, slot) in COUNTS.into_iter().enumerate() {
            for lane in 0..LANES {
                let own = if kinds[lane] == kind as i32 {
                    changes[lane]
                } else {
                    0
                };
                block.words[slot][lane] = (block.words[slot][lane] as i32 + own) as u32;
            }
        }
        if limits.cold_start_steps > 0 {
            self.start_lanes(block, &kinds, &changes);
        }
    }

    /// Moves the queues of starting instances on, and takes the changes in.
    fn start_lanes(&self, block: &mut Block, kinds: &I32s, changes: &I32s) {
        for slot in STARTING {
            for starting in &mut block.words[slot] {
                *starting >>= 2;
            }
        }
        let shift = 2 * (self.limits.cold_start_steps - 1);
        for lane in 0..LANES {
            let starting = &mut block.words[STARTING[kinds[lane] as usize]][lane];
            if changes[lane] > 0 {
                *starting |= (changes[lane] as u32) << shift;
            }
            for _ in changes[lane]..0 {
                *starting = without_newest(*starting);
            }
        }
    }

    #[inline(always)]
    fn admit_arrivals_lanes<I: Isa>(&self, block: &mut Block, x: &mut Lanes) {
        let words = &block.words;
        let seeds = [&words[word::SEED_LO], &words[word::SEED_HI]];
        let steps = &words[word::STEP];
        let drawn = philox::<I>(steps, &words[word::EPISODE], [stream::STEP, 0], seeds);
        let noise = quantile::<I>(&self.noise_pairs, &drawn[0]);
        let last = self.limits.last_rate;
        let now: U32s = std::array::from_fn(|lane| {
            let next = words[word::WINDOW_START][lane].wrapping_add(steps[lane] + 1);
            if next < last { next } else { last }
        });
        let profile = &self.t.profile_rate[..];
        let rates: F32s = std::array::from_fn(|lane| profile[now[lane] as usize]);
        for lane in 0..LANES {
            let mean = rates[lane] * block.reals[real::WINDOW_SCALE][lane] as f32;
            let rate = mean + noise[lane];
            x.rate[lane] = if rate > 0.0 { rate } else { 0.0 };
            block.reals[real::REQUEST_RATE][lane] = f64::from(x.rate[lane]);
            block.words[word::STEP][lane] += 1;
        }
    }

    /// Capacity units and price.
    #[inline(always)]
    fn count_units_lanes(&self, block: &Block, x: &mut Lanes) {
        let s = &self.s;
        let num_types = self.limits.num_types as usize;
        let kinds = [
            (s.capacity_0, s.price_0),
            (s.capacity_1, s.price_1),
            (s.capacity_2, s.price_2),
        ];
        for (kind, (capacity, price)) in kinds.into_iter().take(num_types).enumerate() {
            let counts = &block.words[COUNTS[kind]];
            for lane in 0..LANES {
                let count = f64::from(counts[lane] as i32);
                x.units[lane] += count * capacity;
                x.price[lane] += count * price;
            }
        }
        if self.limits.cold_start_steps == 0 {
            x.serving = x.units;
        } else {
            for (kind, (capacity, _)) in kinds.into_iter().take(num_types).enumerate() {
                for lane in 0..LANES {
                    let starting = sum_of_pairs(block.words[STARTING[kind]][lane]) as i32;
                    let count = block.words[COUNTS[kind]][lane] as i32;
                    x.serving[lane] += f64::from(count - starting) * capacity;
                }
            }
        }
        for lane in 0..LANES {
            let (units, serving) = (x.units[lane], x.serving[lane]);
            x.units[lane] = if units > 1.0 { units } else { 1.0 };
            x.serving[lane] = if serving > 1.0 { serving } else { 1.0 };
        }
    }

    #[inline(always)]
    fn measure_lanes(&self, x: &mut Lanes) {
        let s = &self.s;
        for lane in 0..LANES {
            let latency = f64::from(x.rate[lane]) / x.serving[lane];
            x.metrics[metric::CPU][lane] = (latency * s.cpu_factor) as f32;
            x.metrics[metric::MEMORY][lane] = (latency * s.memory_factor) as f32;
            x.metrics[metric::LATENCY][lane] = latency as f32;
            x.metrics[metric::INSTANCES][lane] = x.total[lane] as f32;
            x.metrics[metric::PRICE][lane] = x.price[lane] as f32;
        }
    }

    #[inline(always)]
    fn judge_lanes(&self, block: &mut Block, x: &mut Lanes) {
        let s = &self.s;
        let m = &mut x.metrics;
        for lane in 0..LANES {
            let left = block.reals[real::BUDGET_LEFT][lane] - s.has_budget * x.price[lane];
            block.reals[real::BUDGET_LEFT][lane] = left;
            let late = f64::from(m[metric::LATENCY][lane]) > s.latency_sla;
            m[metric::SLA_VIOLATION][lane] = if late { 1.0 } else { 0.0 };
            m[metric::OVER_BUDGET][lane] = if left < 0.0 { 1.0 } else { 0.0 };
            block.costs[lane] = m[metric::SLA_VIOLATION][lane] + m[metric::OVER_BUDGET][lane];
        }
        for lane in 0..LANES {
            let cpu = self.value_of(f64::from(m[metric::CPU][lane]), &self.cpu);
            let memory = self.value_of(f64::from(m[metric::MEMORY][lane]), &self.memory);
            let cost = s.cost_weight * x.price[lane];
            let both = (cpu >= 0.0) & (memory >= 0.0);
            let mixed = if both { 0.0 } else { s.mixed_penalty };
            let raw = cpu + memory - cost - mixed;
            let reward = (raw + s.reward_offset) * s.reward_gain;
            let above = if reward > 0.0 { reward } else { 0.0 };
            block.rewards[lane] = (if above < 1.0 { above } else { 1.0 }) as f32;
        }
    }

    #[inline(always)]
    fn observe_lanes<I: Isa>(&self, block: &mut Block, x: &Lanes) {
        let scale = &self.t.observation_scale;
        let m = &x.metrics;
        let four = [
            m[metric::CPU],
            m[metric::MEMORY],
            x.rate,
            m[metric::INSTANCES],
        ];
        if let &[cpu, memory, rate, instances] = &scale[..] {
            for (lane, row) in block.observations.chunks_exact_mut(4).enumerate() {
                row[0] = four[0][lane] * cpu;
                row[1] = four[1][lane] * memory;
                row[2] = four[2][lane] * rate;
                row[3] = four[3][lane] * instances;
            }
            return;
        }
        let width = scale.len();
        let mut columns = [[0.0; LANES]; observation::COUNT];
        columns[..4].copy_from_slice(&four);
        for (kind, slot) in COUNTS.into_iter().enumerate() {
            let column = observation::INSTANCES_TYPE_0 + kind;
            columns[column] = block.words[slot].map(|count| count as i32 as f32);
        }
        columns[observation::BUDGET_LEFT] = block.reals[real::BUDGET_LEFT].map(|left| left as f32);
        if self.s.has_cold_start == 1.0 {
            columns[width - 1] = starting_instances(block);
        }
        for (column, &factor) in columns.iter_mut().zip(scale) {
            for value in column.iter_mut() {
                *value *= factor;
            }
        }
        if width >= GROUP {
            store_rows::<I>(&columns[..width], block.observations);
            return;
        }
        for (lane, row) in block.observations.chunks_exact_mut(width).enumerate() {
            for (value, column) in row.iter_mut().zip(&columns) {
                *value = column[lane];
            }
        }
    }

    #[inline(always)]
    fn end_lanes(&self, block: &mut Block, x: &Lanes) {
        let limit = self.s.utilization_limit;
        let horizon = self.limits.horizon;
        for lane in 0..LANES {
            let cpu = f64::from(x.metrics[metric::CPU][lane]) > limit;
            let memory = f64::from(x.metrics[metric::MEMORY][lane]) > limit;
            block.terminated[lane] = u8::from(cpu | memory);
            block.truncated[lane] = u8::from(block.words[word::STEP][lane] >= horizon);
        }
    }

    #[inline(always)]
    fn fold_lanes(&self, block: &mut Block, x: &Lanes) {
        let statistics = &mut block.statistics;
        for lane in 0..LANES {
            statistics[common_statistic::LENGTH_STEPS][lane] += 1.0;
            statistics[common_statistic::EPISODE_RETURN][lane] += f64::from(block.rewards[lane]);
            statistics[common_statistic::EPISODE_COST][lane] += f64::from(block.costs[lane]);
        }
        for (slot, index) in SUMS {
            for lane in 0..LANES {
                statistics[slot][lane] += f64::from(x.metrics[index][lane]);
            }
        }
        let pairs = [
            (statistic::CPU_MEAN, metric::CPU),
            (statistic::MEMORY_MEAN, metric::MEMORY),
        ];
        for (slot, index) in pairs {
            for lane in 0..LANES {
                let value = f64::from(x.metrics[index][lane]);
                let count = f64::from(block.words[word::STEP][lane] as i32);
                let before = value - statistics[slot][lane];
                let mean = statistics[slot][lane] + before / count;
                statistics[slot][lane] = mean;
                statistics[slot + 1][lane] += before * (value - mean);
            }
        }
    }

    /// The metrics that nothing but `info` reads.
    fn report_lanes(&self, block: &Block, x: &mut Lanes) {
        let s = &self.s;
        let m = &mut x.metrics;
        m[metric::STARTING_INSTANCES] = starting_instances(block);
        for lane in 0..LANES {
            let cpu = self.value_of(f64::from(m[metric::CPU][lane]), &self.cpu);
            let memory = self.value_of(f64::from(m[metric::MEMORY][lane]), &self.memory);
            let both = cpu >= 0.0 && memory >= 0.0;
            let mixed = if both { 0.0 } else { s.mixed_penalty };
            m[metric::REQUEST_RATE][lane] = x.rate[lane];
            m[metric::CAPACITY_UNITS][lane] = x.units[lane] as f32;
            m[metric::SERVING_UNITS][lane] = x.serving[lane] as f32;
            m[metric::BUDGET_LEFT][lane] = block.reals[real::BUDGET_LEFT][lane] as f32;
            m[metric::REWARD_CPU][lane] = cpu as f32;
            m[metric::REWARD_MEMORY][lane] = memory as f32;
            m[metric::REWARD_COST][lane] = (0.0 - s.cost_weight * x.price[lane]) as f32;
            m[metric::REWARD_MIXED][lane] = (0.0 - mixed) as f32;
            m[metric::STEP][lane] = block.words[word::STEP][lane] as f32;
        }
    }
}

/// Instances that do not serve yet.
fn starting_instances(block: &Block) -> F32s {
    std::array::from_fn(|lane| {
        let sum: u32 = STARTING
            .iter()
            .map(|&slot| sum_of_pairs(block.words[slot][lane]))
            .sum();
        sum as f32
    })
}
