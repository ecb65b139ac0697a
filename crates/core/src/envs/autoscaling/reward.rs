//! The rewards of a step, as small values: a kernel keeps a copy where its loops run, and so
//! the compiler knows that nothing they write changes it.

use crate::generated::autoscaling::Scalars;
use crate::simd::Float;

/// The capacity and the price of an instance of each type for a step.
#[derive(Clone, Copy)]
pub(super) struct Prices {
    pub(super) capacities: [f64; 3],
    pub(super) prices: [f64; 3],
}

impl Prices {
    pub(super) fn new(s: &Scalars) -> Self {
        Self {
            capacities: [s.capacity_0, s.capacity_1, s.capacity_2],
            prices: [s.price_0, s.price_1, s.price_2],
        }
    }

    /// The price of so many instances of each type for a step.
    #[inline(always)]
    pub(super) fn of(&self, [first, second, third]: [u32; 3]) -> f64 {
        let prices = &self.prices;
        f64::from(first) * prices[0] + f64::from(second) * prices[1] + f64::from(third) * prices[2]
    }

    /// Capacity units of the instances that are not starting, at least 1.
    #[inline(always)]
    pub(super) fn units(&self, counts: [u32; 3], starting: [u32; 3]) -> f64 {
        let of = |kind: usize| {
            f64::from(counts[kind].wrapping_sub(starting[kind]) as i32) * self.capacities[kind]
        };
        let units = of(0) + of(1) + of(2);
        if units > 1.0 { units } else { 1.0 }
    }
}

/// The target range of one utilisation, percent.
#[derive(Clone, Copy)]
pub(super) struct Target {
    low: f64,
    high: f64,
    centre: f64,
    gain: f64,
}

/// How a step is rewarded.
#[derive(Clone, Copy)]
pub(super) struct RewardRule {
    pub(super) cpu: Target,
    pub(super) memory: Target,
    pub(super) cpu_factor: f64,
    pub(super) memory_factor: f64,
    pub(super) latency_sla: f64,
    pub(super) has_budget: f64,
    pub(super) below_penalty: f64,
    pub(super) above_penalty: f64,
    pub(super) distance_weight: f64,
    pub(super) mixed_penalty: f64,
    pub(super) cost_weight: f64,
    pub(super) reward_offset: f64,
    pub(super) reward_gain: f64,
}

impl RewardRule {
    pub(super) fn new(s: &Scalars) -> Self {
        let cpu = Target {
            low: s.cpu_low,
            high: s.cpu_high,
            centre: s.cpu_centre,
            gain: s.cpu_gain,
        };
        let memory = Target {
            low: s.memory_low,
            high: s.memory_high,
            centre: s.memory_centre,
            gain: s.memory_gain,
        };
        Self {
            cpu,
            memory,
            cpu_factor: s.cpu_factor,
            memory_factor: s.memory_factor,
            latency_sla: s.latency_sla,
            has_budget: s.has_budget,
            below_penalty: s.below_penalty,
            above_penalty: s.above_penalty,
            distance_weight: s.distance_weight,
            mixed_penalty: s.mixed_penalty,
            cost_weight: s.cost_weight,
            reward_offset: s.reward_offset,
            reward_gain: s.reward_gain,
        }
    }

    /// The value of one utilisation: 1 in the middle of its range, 0 at its ends, less outside.
    #[inline(always)]
    pub(super) fn value(&self, u: f64, target: &Target) -> f64 {
        let below = 0.0 - self.below_penalty - (target.low - u) * self.distance_weight;
        let above = 0.0 - self.above_penalty - (u - target.high) * self.distance_weight;
        let value = 1.0 - (u - target.centre).abs() * target.gain;
        let inside = if value > 0.0 { value } else { 0.0 };
        let not_above = if u > target.high { above } else { inside };
        if u < target.low { below } else { not_above }
    }

    /// The penalty of two utilisations that are not both of some value.
    #[inline(always)]
    pub(super) fn mixed(&self, cpu: f64, memory: f64) -> f64 {
        if (cpu >= 0.0) & (memory >= 0.0) {
            0.0
        } else {
            self.mixed_penalty
        }
    }

    /// The reward, of utilisations in percent and the step's price.
    #[inline(always)]
    pub(super) fn reward(&self, cpu: f64, memory: f64, price: f64) -> f32 {
        let cpu = self.value(cpu, &self.cpu);
        let memory = self.value(memory, &self.memory);
        let raw = cpu + memory - self.cost_weight * price - self.mixed(cpu, memory);
        let reward = (raw + self.reward_offset) * self.reward_gain;
        let above = if reward > 0.0 { reward } else { 0.0 };
        (if above < 1.0 { above } else { 1.0 }) as f32
    }

    /// `value` for a group.
    #[inline(always)]
    fn values<F: Float<Number = f64>>(&self, u: F, target: &Target) -> F {
        let (zero, weight) = (F::splat(0.0), F::splat(self.distance_weight));
        let (low, high) = (F::splat(target.low), F::splat(target.high));
        let below = F::splat(0.0 - self.below_penalty) - (low - u) * weight;
        let above = F::splat(0.0 - self.above_penalty) - (u - high) * weight;
        let offset = u - F::splat(target.centre);
        let distance = offset.above(zero - offset);
        let inside = (F::splat(1.0) - distance * F::splat(target.gain)).above(zero);
        low.if_above(u, below, u.if_above(high, above, inside))
    }

    /// `reward` for a group, before it is rounded to f32.
    #[inline(always)]
    pub(super) fn rewards<F: Float<Number = f64>>(&self, cpu: F, memory: F, price: F) -> F {
        let (zero, penalty) = (F::splat(0.0), F::splat(self.mixed_penalty));
        let cpu = self.values(cpu, &self.cpu);
        let memory = self.values(memory, &self.memory);
        let mixed = zero.if_above(cpu.below(memory), penalty, zero);
        let raw = cpu + memory - F::splat(self.cost_weight) * price - mixed;
        let reward = (raw + F::splat(self.reward_offset)) * F::splat(self.reward_gain);
        reward.clip(zero, F::splat(1.0))
    }
}
