//! The kernel: the oracle's step for 64 lanes at a time. Actions are whole numbers and a
//! plain loop over lanes; what follows them is for a group of lanes at a time, in registers,
//! since few compilers do well by loops of f32 and f64. Operation for operation it is
//! `autoscaling.rs`; what a task does not have (further types, a cold start) adds zeros there and
//! is left out here.

use super::group::{Group, fold_welford, starting};
use super::{Autoscaling, COUNTS, Metrics, Prices, STARTING, clip, without_newest};
use crate::generated::autoscaling::{metric, observation, real, statistic, word};
use crate::generated::common::{statistic as common_statistic, stream};
use crate::kernel::U32s;
use crate::simd::{Float, Isa, Word, part_mut, quantile};
use crate::store::{Block, LANES, fixed};

type I32s = [i32; LANES];
type Words = [U32s; word::COUNT];

/// The measurements of a step in a group, and their reward.
struct Measured<I: Isa> {
    cpu: I::F32,
    memory: I::F32,
    reward: I::F32,
    cost: I::F32,
    /// Instances of all types.
    total: I::U32,
    /// 1 where the episode ends, else 0.
    terminated: I::U32,
}

/// The kinds of a lane's instances.
struct Fleet<I: Isa> {
    /// Instances of all types.
    total: I::U32,
    /// Capacity units of those that serve, at least 1.
    serving: I::F64,
    price: I::F64,
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
        if self.shape.action_dim == 1 {
            self.apply_change_lanes(words, fixed(block.actions));
        } else {
            self.apply_action_lanes(words, fixed(block.actions));
        }
        let mut group = Group::of(block.words, block.reals, block.statistics);
        let horizon = I::U32::splat(self.limits.horizon);
        let (no, yes) = (I::U32::splat(0), I::U32::splat(1));
        let rows = block.observations.len() / I::GROUPS;
        // A stage of its own: gathers wait, and what comes after one in the loop waits with it.
        for index in 0..I::GROUPS {
            group.group = index;
            self.admit_arrivals_group::<I>(&mut group);
        }
        for index in 0..I::GROUPS {
            group.group = index;
            let m = self.reward_group::<I, PLAIN>(&mut group);
            m.reward.store(part_mut::<I, _>(block.rewards, index));
            m.cost.store(part_mut::<I, _>(block.costs, index));
            I::store_bytes(m.terminated, part_mut::<I, _>(block.terminated, index));
            let ended = group.word::<I>(word::STEP).if_below(horizon, no, yes);
            I::store_bytes(ended, part_mut::<I, _>(block.truncated, index));
            let rows = &mut block.observations[index * rows..][..rows];
            self.observe_group::<I, PLAIN>(&group, &m, rows);
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

    /// The group's requests; counts the step.
    #[inline(always)]
    fn admit_arrivals_group<I: Isa>(&self, group: &mut Group) {
        let step = group.word::<I>(word::STEP);
        let counter = [step, group.word::<I>(word::EPISODE)];
        let key = [
            group.word::<I>(word::SEED_LO),
            group.word::<I>(word::SEED_HI),
        ];
        let [drawn, ..] = I::philox(counter, [stream::STEP, 0], key);
        let noise = quantile::<I>(&self.noise_pairs, drawn);
        let step = step + I::U32::splat(1);
        group.set_word::<I>(word::STEP, step);
        // Beyond the profile's end the gather reads its last rate.
        let profile = &self.t.profile_rate[..=self.limits.last_rate as usize];
        let now = I::gather_f32(profile, group.word::<I>(word::WINDOW_START) + step);
        let mean = now * I::narrow(group.real::<I>(real::WINDOW_SCALE));
        let rate = (mean + noise).above(I::F32::splat(0.0));
        group.set_real::<I>(real::REQUEST_RATE, I::widen(rate));
    }

    /// Latency, utilisations, reward and statistics: in one go, so that its divisions, which are
    /// slow, go on beside everything else.
    #[inline(always)]
    fn reward_group<I: Isa, const PLAIN: bool>(&self, group: &mut Group) -> Measured<I> {
        let rule = &self.reward;
        let f64s = I::F64::splat;
        let (zero, one) = (f64s(0.0), f64s(1.0));
        let fleet = self.prices.fleet::<I, PLAIN>(group);
        let latency = group.real::<I>(real::REQUEST_RATE) / fleet.serving;
        let left = group.real::<I>(real::BUDGET_LEFT) - f64s(rule.has_budget) * fleet.price;
        group.set_real::<I>(real::BUDGET_LEFT, left);
        let cpu = I::narrow(latency * f64s(rule.cpu_factor));
        let memory = I::narrow(latency * f64s(rule.memory_factor));
        let latency = I::widen(I::narrow(latency));
        let late = latency.if_above(f64s(rule.latency_sla), one, zero);
        let over = zero.if_above(left, one, zero);
        let (wide_cpu, wide_memory) = (I::widen(cpu), I::widen(memory));
        let reward = I::narrow(rule.rewards(wide_cpu, wide_memory, fleet.price));
        let count = I::real(group.word::<I>(word::STEP));
        group.add::<I>(common_statistic::LENGTH_STEPS, one);
        group.add::<I>(common_statistic::EPISODE_RETURN, I::widen(reward));
        group.add::<I>(common_statistic::EPISODE_COST, late + over);
        group.add::<I>(statistic::LATENCY_SUM, latency);
        group.add::<I>(statistic::INSTANCES_SUM, I::real(fleet.total));
        group.add::<I>(statistic::PRICE_SUM, I::widen(I::narrow(fleet.price)));
        group.add::<I>(statistic::SLA_VIOLATION_SUM, late);
        group.add::<I>(statistic::OVER_BUDGET_SUM, over);
        fold_welford::<I>(group, statistic::CPU_MEAN, wide_cpu, count);
        fold_welford::<I>(group, statistic::MEMORY_MEAN, wide_memory, count);
        let limit = f64s(self.s.utilization_limit);
        let beyond = wide_cpu.if_above(limit, one, wide_memory.if_above(limit, one, zero));
        Measured {
            cpu,
            memory,
            reward,
            cost: I::narrow(late + over),
            total: fleet.total,
            terminated: I::whole(I::narrow(beyond)),
        }
    }

    /// The observation rows: what every task shows, then what only some do.
    #[inline(always)]
    fn observe_group<I: Isa, const PLAIN: bool>(
        &self,
        group: &Group,
        m: &Measured<I>,
        rows: &mut [f32],
    ) {
        let scale = &self.t.observation_scale;
        let mut columns = [I::F32::splat(0.0); observation::COUNT];
        columns[observation::CPU] = m.cpu;
        columns[observation::MEMORY] = m.memory;
        columns[observation::REQUEST_RATE] = I::narrow(group.real::<I>(real::REQUEST_RATE));
        columns[observation::INSTANCES] = I::float(m.total);
        if !PLAIN {
            self.observe_fleet_group::<I>(group, &mut columns);
        }
        // Widths known to the compiler keep the columns in registers.
        const EVERYWHERE: usize = observation::INSTANCES_TYPE_0;
        const FLEET: usize = observation::STARTING_INSTANCES;
        let width = if PLAIN { EVERYWHERE } else { scale.len() };
        for (column, &factor) in columns.iter_mut().zip(&scale[..width]) {
            *column = *column * I::F32::splat(factor);
        }
        match width {
            observation::COUNT => I::store_rows(&columns, rows),
            FLEET => I::store_rows(&columns[..FLEET], rows),
            _ => I::store_rows(&columns[..width], rows),
        }
    }

    /// A fleet's columns; without a fleet only the last of them is shown, behind the others.
    #[inline(always)]
    fn observe_fleet_group<I: Isa>(
        &self,
        group: &Group,
        columns: &mut [I::F32; observation::COUNT],
    ) {
        for (kind, slot) in COUNTS.into_iter().enumerate() {
            columns[observation::INSTANCES_TYPE_0 + kind] = I::float(group.word::<I>(slot));
        }
        columns[observation::BUDGET_LEFT] = I::narrow(group.real::<I>(real::BUDGET_LEFT));
        if self.s.has_cold_start == 1.0 {
            let [first, second, third] = starting::<I>(group);
            let starting = I::float(first + second + third);
            columns[observation::STARTING_INSTANCES] = starting;
            if self.t.observation_scale.len() < observation::STARTING_INSTANCES {
                columns[observation::INSTANCES_TYPE_0] = starting;
            }
        }
    }

    /// The metrics, which nothing but `info` reads: from the state that the step left.
    fn report_lanes(&self, block: &mut Block) {
        for lane in 0..LANES {
            let mut m: Metrics = [0.0; metric::COUNT];
            self.measure(block, lane, &mut m);
            self.tell(block, lane, &mut m);
            self.explain(block, lane, &mut m);
            self.report(block, lane, &mut m);
        }
    }
}

impl Prices {
    #[inline(always)]
    fn fleet<I: Isa, const PLAIN: bool>(&self, group: &Group) -> Fleet<I> {
        let at_least_one = |units: I::F64| units.above(I::F64::splat(1.0));
        let first = group.word::<I>(word::COUNT_0);
        if PLAIN {
            let count = I::real(first);
            return Fleet {
                total: first,
                serving: at_least_one(count * I::F64::splat(self.capacities[0])),
                price: count * I::F64::splat(self.prices[0]),
            };
        }
        let (second, third) = (
            group.word::<I>(word::COUNT_1),
            group.word::<I>(word::COUNT_2),
        );
        let [starting_0, starting_1, starting_2] = starting::<I>(group);
        let serving = [first - starting_0, second - starting_1, third - starting_2];
        Fleet {
            total: first + second + third,
            serving: at_least_one(weighted::<I>(serving, self.capacities)),
            price: weighted::<I>([first, second, third], self.prices),
        }
    }
}

/// The sum of three counts by their weights.
#[inline(always)]
fn weighted<I: Isa>([first, second, third]: [I::U32; 3], weights: [f64; 3]) -> I::F64 {
    I::real(first) * I::F64::splat(weights[0])
        + I::real(second) * I::F64::splat(weights[1])
        + I::real(third) * I::F64::splat(weights[2])
}
