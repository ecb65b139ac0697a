//! The blocked kernel, for tasks of one instance type that serves at once: the oracle's step for
//! 64 lanes at a time, stage by stage, each stage a plain loop over lanes. Operation for operation
//! it is `autoscaling.rs`.

use super::{Autoscaling, SUMS, clip};
use crate::generated::autoscaling::{metric, observation, real, statistic, word};
use crate::generated::common::{statistic as common_statistic, stream};
use crate::lanes::{F32s, F64s, Isa, U32s, philox, quantile, store_rows};
use crate::store::{Block, LANES};

/// What flows between the stages of a step, one number per lane.
struct Lanes {
    rate: F32s,
    price: F64s,
    metrics: [F32s; metric::COUNT],
}

impl Autoscaling {
    /// Whether the blocked kernel knows the task.
    pub(super) fn is_plain(&self) -> bool {
        let s = &self.s;
        s.num_types == 1.0 && s.is_fleet + s.cold_start_steps + s.has_cold_start == 0.0
    }

    /// One step of every lane.
    #[inline(always)]
    pub(super) fn step_lanes<I: Isa>(&self, block: &mut Block) {
        let mut x = Lanes {
            rate: [0.0; LANES],
            price: [0.0; LANES],
            metrics: [[0.0; LANES]; metric::COUNT],
        };
        self.apply_action_lanes(block);
        self.admit_arrivals_lanes::<I>(block, &mut x);
        self.measure_lanes(block, &mut x);
        self.judge_lanes(block, &mut x);
        self.observe_lanes(block, &x);
        self.end_lanes(block, &x);
        self.fold_lanes(block, &x);
        if !block.metrics.is_empty() {
            self.report_lanes(block, &mut x);
            store_rows::<I>(&x.metrics, block.metrics);
        }
    }

    #[inline(always)]
    fn apply_action_lanes(&self, block: &mut Block) {
        let limits = self.limits;
        let actions: &[u32; LANES] = (&*block.actions).try_into().expect("one number per lane");
        let counts = &mut block.words[word::COUNT_0];
        for lane in 0..LANES {
            let asked = clip(actions[lane] as i32, 0, 2 * limits.max_delta) - limits.max_delta;
            let count = counts[lane] as i32;
            let change = clip(asked, 1 - count, limits.max_instances - count);
            counts[lane] = (count + change) as u32;
        }
    }

    #[inline(always)]
    fn admit_arrivals_lanes<I: Isa>(&self, block: &mut Block, x: &mut Lanes) {
        let words = &block.words;
        let seeds = [&words[word::SEED_LO], &words[word::SEED_HI]];
        let steps = &words[word::STEP];
        let drawn = philox(steps, &words[word::EPISODE], [stream::STEP, 0], seeds);
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

    #[inline(always)]
    fn measure_lanes(&self, block: &Block, x: &mut Lanes) {
        let s = &self.s;
        for lane in 0..LANES {
            let count = f64::from(block.words[word::COUNT_0][lane] as i32);
            let units = count * s.capacity_0;
            let latency = f64::from(x.rate[lane]) / if units > 1.0 { units } else { 1.0 };
            x.price[lane] = count * s.price_0;
            x.metrics[metric::CPU][lane] = (latency * s.cpu_factor) as f32;
            x.metrics[metric::MEMORY][lane] = (latency * s.memory_factor) as f32;
            x.metrics[metric::LATENCY][lane] = latency as f32;
            x.metrics[metric::INSTANCES][lane] = count as f32;
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
    fn observe_lanes(&self, block: &mut Block, x: &Lanes) {
        let scale: &[f32; 4] = self.t.observation_scale[..]
            .try_into()
            .expect("four numbers");
        for (lane, row) in block.observations.chunks_exact_mut(4).enumerate() {
            row[observation::CPU] = x.metrics[metric::CPU][lane] * scale[observation::CPU];
            row[observation::MEMORY] = x.metrics[metric::MEMORY][lane] * scale[observation::MEMORY];
            row[observation::REQUEST_RATE] = x.rate[lane] * scale[observation::REQUEST_RATE];
            row[observation::INSTANCES] =
                x.metrics[metric::INSTANCES][lane] * scale[observation::INSTANCES];
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
        for lane in 0..LANES {
            let cpu = self.value_of(f64::from(m[metric::CPU][lane]), &self.cpu);
            let memory = self.value_of(f64::from(m[metric::MEMORY][lane]), &self.memory);
            let both = cpu >= 0.0 && memory >= 0.0;
            let mixed = if both { 0.0 } else { s.mixed_penalty };
            let units = f64::from(block.words[word::COUNT_0][lane]) * s.capacity_0;
            m[metric::REQUEST_RATE][lane] = x.rate[lane];
            m[metric::CAPACITY_UNITS][lane] = (if units > 1.0 { units } else { 1.0 }) as f32;
            m[metric::SERVING_UNITS][lane] = m[metric::CAPACITY_UNITS][lane];
            m[metric::BUDGET_LEFT][lane] = block.reals[real::BUDGET_LEFT][lane] as f32;
            m[metric::REWARD_CPU][lane] = cpu as f32;
            m[metric::REWARD_MEMORY][lane] = memory as f32;
            m[metric::REWARD_COST][lane] = (0.0 - s.cost_weight * x.price[lane]) as f32;
            m[metric::REWARD_MIXED][lane] = (0.0 - mixed) as f32;
            m[metric::STEP][lane] = block.words[word::STEP][lane] as f32;
        }
    }
}
