//! The blocked kernel: the oracle's step for 64 lanes at a time, stage by stage, each stage a
//! plain loop over lanes. Operation for operation it is `provisioning.rs`.

use super::{Provisioning, clamp};
use crate::generated::common::{statistic as common_statistic, stream};
use crate::generated::provisioning::{metric, observation, real, statistic, word};
use crate::lanes::{F32s, F64s, U32s, store_rows};
use crate::simd::{Isa, Word, part, part_mut};
use crate::store::{Block, LANES, fixed};

type I32s = [i32; LANES];
type Words = [U32s; word::COUNT];
type Reals = [F64s; real::COUNT];
type Statistics = [F64s; statistic::COUNT];

/// What flows between the stages of a step, one number per lane. Local arrays: the compiler sees
/// that they share no memory with the state, and so can work on many lanes at once.
struct Lanes {
    booting: I32s,
    change: I32s,
    processed: I32s,
    arrivals: I32s,
    /// Before the step.
    regime: U32s,
    rewards: F32s,
    costs: F32s,
}

impl Provisioning {
    /// One step of every lane.
    #[inline(always)]
    pub(super) fn step_lanes<I: Isa>(&self, block: &mut Block) {
        let words: &mut Words = fixed(block.words);
        let reals: &mut Reals = fixed(block.reals);
        let statistics: &mut Statistics = fixed(block.statistics);
        let mut x = Lanes {
            booting: [0; LANES],
            change: [0; LANES],
            processed: [0; LANES],
            arrivals: [0; LANES],
            regime: words[word::REGIME],
            rewards: [0.0; LANES],
            costs: [0.0; LANES],
        };
        self.start_booted_lanes(words);
        self.provision_lanes(words, fixed(block.actions), &mut x);
        self.admit_arrivals_lanes::<I>(words, &mut x);
        self.account_lanes(words, reals, statistics, &mut x);
        *block.rewards = x.rewards;
        *block.costs = x.costs;
        for lane in 0..LANES {
            block.terminated[lane] = u8::from(reals[real::BUDGET][lane] <= 0.0);
            block.truncated[lane] = u8::from(words[word::STEP][lane] >= self.limits.horizon);
        }
        self.observe_lanes::<I>(words, reals, &x, block.observations);
        if !block.metrics.is_empty() {
            self.report_lanes(block, &x);
        }
    }

    #[inline(always)]
    fn start_booted_lanes(&self, words: &mut Words) {
        let delay = self.limits.boot_delay;
        if delay == 0 {
            return;
        }
        for lane in 0..LANES {
            words[word::RUNNING][lane] += words[word::BOOTING_0][lane];
        }
        let slots = word::BOOTING_0..word::BOOTING_0 + delay;
        words.copy_within(slots.start + 1..slots.end, slots.start);
        words[slots.end - 1] = [0; LANES];
    }

    #[inline(always)]
    fn provision_lanes(&self, words: &mut Words, actions: &U32s, x: &mut Lanes) {
        let (gpus_max, change_max) = (self.limits.gpus_max, self.limits.change_max);
        let slots = word::BOOTING_0..word::BOOTING_0 + self.limits.boot_delay;
        for slot in slots.clone() {
            for lane in 0..LANES {
                x.booting[lane] += words[slot][lane] as i32;
            }
        }
        let mut release = [0; LANES];
        let mut rent = [0; LANES];
        for lane in 0..LANES {
            let rented = words[word::RUNNING][lane] as i32 + x.booting[lane];
            let request = clamp(actions[lane] as i32, -change_max, change_max);
            let room = if gpus_max > rented {
                gpus_max - rented
            } else {
                0
            };
            let change = clamp(request, -rented, room);
            rent[lane] = if change > 0 { change } else { 0 };
            release[lane] = rent[lane] - change;
            x.change[lane] = change;
        }
        for slot in slots.clone().rev() {
            let is_newest = slot + 1 == slots.end;
            for lane in 0..LANES {
                let added = if is_newest { rent[lane] } else { 0 };
                let booting = words[slot][lane] as i32 + added;
                let taken = if release[lane] < booting {
                    release[lane]
                } else {
                    booting
                };
                words[slot][lane] = (booting - taken) as u32;
                release[lane] -= taken;
                x.booting[lane] += added - taken;
            }
        }
        let at_once = if slots.is_empty() { rent } else { [0; LANES] };
        for lane in 0..LANES {
            let running = words[word::RUNNING][lane] as i32;
            words[word::RUNNING][lane] = (running + at_once[lane] - release[lane]) as u32;
        }
    }

    /// Draws the arrivals and the next step's regime; counts the step.
    #[inline(always)]
    fn admit_arrivals_lanes<I: Isa>(&self, words: &mut Words, x: &mut Lanes) {
        let (mut first_word, mut second_word) = ([0; LANES], [0; LANES]);
        for index in 0..I::GROUPS {
            let of = |slot: usize| I::U32::load(part::<I, _>(&words[slot], index));
            let counter = [of(word::STEP), of(word::EPISODE)];
            let key = [of(word::SEED_LO), of(word::SEED_HI)];
            let [first, second, ..] = I::philox(counter, [stream::STEP, 0], key);
            first.store(part_mut::<I, _>(&mut first_word, index));
            second.store(part_mut::<I, _>(&mut second_word, index));
        }
        let (bits, profile_steps) = (self.limits.arrival_bits, self.limits.profile_steps);
        let last = profile_steps - 1;
        let (mut entries, mut smallest) = ([0; LANES], [0; LANES]);
        for lane in 0..LANES {
            let step = words[word::STEP][lane];
            let now = if step < last { step } else { last };
            let [columns, least] = self.profile[(x.regime[lane] * profile_steps + now) as usize];
            let at = columns + (first_word[lane] >> (32 - bits));
            entries[lane] = self.t.arrival_alias[at as usize];
            smallest[lane] = least;
        }
        let mask = (1 << bits) - 1;
        for lane in 0..LANES {
            let drawn = first_word[lane];
            let own = drawn >> (32 - bits);
            let (threshold, alias) = (entries[lane] >> bits, entries[lane] & mask);
            let is_own = (drawn << bits) >> bits < threshold;
            let outcome = if is_own { own } else { alias };
            x.arrivals[lane] = (smallest[lane] + outcome) as i32;
            words[word::STEP][lane] += 1;
        }
        let table: [u32; 4] = self.t.regime_alias[..]
            .try_into()
            .expect("two regimes, two columns");
        for lane in 0..LANES {
            let drawn = second_word[lane];
            let column = drawn >> 31;
            let calm = if column == 0 { table[0] } else { table[1] };
            let surge = if column == 0 { table[2] } else { table[3] };
            let entry = if x.regime[lane] == 0 { calm } else { surge };
            let is_own = (drawn << 1) >> 1 < entry >> 1;
            words[word::REGIME][lane] = if is_own { column } else { entry & 1 };
        }
    }

    /// Serves the queue, pays the rent, judges the step and folds the statistics.
    #[inline(always)]
    fn account_lanes(
        &self,
        words: &mut Words,
        reals: &mut Reals,
        statistics: &mut Statistics,
        x: &mut Lanes,
    ) {
        let s = &self.s;
        let (gpu_cost, job_value, wait_cost) = (s.gpu_cost, s.job_value, s.wait_cost);
        for lane in 0..LANES {
            let waiting = words[word::QUEUE][lane] as i32;
            let running = words[word::RUNNING][lane] as i32;
            let processed = if waiting < running { waiting } else { running };
            let queue = waiting - processed + x.arrivals[lane];
            words[word::QUEUE][lane] = queue as u32;
            x.processed[lane] = processed;
            let cost = gpu_cost * f64::from(running + x.booting[lane]);
            let budget = reals[real::BUDGET][lane] - cost;
            reals[real::BUDGET][lane] = budget;
            let value = job_value * f64::from(processed);
            let reward = (value - cost - wait_cost * f64::from(queue)) as f32;
            let overrun = (if budget < 0.0 { 0.0 - budget } else { 0.0 }) as f32;
            x.rewards[lane] = reward;
            x.costs[lane] = overrun;
            let queue = f64::from(queue as f32);
            let exhausted = if budget <= 0.0 { 1.0 } else { 0.0 };
            statistics[common_statistic::LENGTH_STEPS][lane] += 1.0;
            statistics[common_statistic::EPISODE_RETURN][lane] += f64::from(reward);
            statistics[common_statistic::EPISODE_COST][lane] += f64::from(overrun);
            statistics[statistic::ARRIVALS_SUM][lane] += f64::from(x.arrivals[lane] as f32);
            statistics[statistic::PROCESSED_SUM][lane] += f64::from(processed as f32);
            statistics[statistic::QUEUE_SUM][lane] += queue;
            statistics[statistic::COST_USD_SUM][lane] += f64::from(cost as f32);
            statistics[statistic::BUDGET_EXHAUSTED_SUM][lane] += exhausted;
            let most = statistics[statistic::QUEUE_MAX][lane];
            let is_first = words[word::STEP][lane] == 1;
            let is_most = is_first | (queue > most);
            statistics[statistic::QUEUE_MAX][lane] = if is_most { queue } else { most };
        }
    }

    #[inline(always)]
    fn observe_lanes<I: Isa>(
        &self,
        words: &Words,
        reals: &Reals,
        x: &Lanes,
        observations: &mut [f32],
    ) {
        let scale: [f32; observation::COUNT] = self.t.observation_scale[..]
            .try_into()
            .expect("a factor each");
        let mut o = [[0.0; LANES]; observation::COUNT];
        for lane in 0..LANES {
            let of = |slot: usize| words[slot][lane] as i32 as f32;
            let budget = reals[real::BUDGET][lane] as f32;
            let booting = x.booting[lane] as f32;
            o[observation::TIME_STEP][lane] = of(word::STEP) * scale[observation::TIME_STEP];
            o[observation::ACTIVE_GPUS][lane] = of(word::RUNNING) * scale[observation::ACTIVE_GPUS];
            o[observation::QUEUE_SIZE][lane] = of(word::QUEUE) * scale[observation::QUEUE_SIZE];
            o[observation::CURRENT_BUDGET][lane] = budget * scale[observation::CURRENT_BUDGET];
            o[observation::INCOMING_JOBS][lane] =
                x.arrivals[lane] as f32 * scale[observation::INCOMING_JOBS];
            o[observation::BOOTING_GPUS][lane] = booting * scale[observation::BOOTING_GPUS];
        }
        store_rows::<I, { observation::COUNT }>(&o, observations);
    }

    /// The metrics, which only `info` reads.
    fn report_lanes(&self, block: &mut Block, x: &Lanes) {
        for (lane, m) in block.metrics.chunks_exact_mut(metric::COUNT).enumerate() {
            let running = block.words[word::RUNNING][lane] as i32;
            let budget = block.reals[real::BUDGET][lane];
            let clamped = f64::from(block.actions[lane] as i32) - f64::from(x.change[lane]);
            let cost = self.s.gpu_cost * f64::from(running + x.booting[lane]);
            m[metric::ARRIVALS] = x.arrivals[lane] as f32;
            m[metric::PROCESSED] = x.processed[lane] as f32;
            m[metric::QUEUE] = block.words[word::QUEUE][lane] as f32;
            m[metric::RUNNING_GPUS] = running as f32;
            m[metric::BOOTING_GPUS] = x.booting[lane] as f32;
            m[metric::COST_USD] = cost as f32;
            m[metric::BUDGET_USD] = budget as f32;
            m[metric::APPLIED_GPUS] = x.change[lane] as f32;
            m[metric::CLAMPED_GPUS] = clamped as f32;
            m[metric::REGIME] = x.regime[lane] as f32;
            m[metric::BUDGET_EXHAUSTED] = if budget <= 0.0 { 1.0 } else { 0.0 };
        }
    }
}
