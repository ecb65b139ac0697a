//! The blocked kernel: the oracle's step for 64 lanes at a time, stage by stage, each stage a
//! plain loop over lanes. Operation for operation it is `provisioning.rs`.

use super::{Provisioning, SUMS, clamp};
use crate::generated::common::{statistic as common_statistic, stream};
use crate::generated::provisioning::{metric, observation, real, statistic, word};
use crate::lanes::{F32s, Isa, U32s, philox, store_rows};
use crate::store::{Block, LANES};

type I32s = [i32; LANES];

/// What flows between the stages of a step, one number per lane.
struct Lanes {
    booting: I32s,
    change: I32s,
    processed: I32s,
    arrivals: I32s,
    regime: U32s,
    metrics: [F32s; metric::COUNT],
}

impl Provisioning {
    /// One step of every lane.
    #[inline(always)]
    pub(super) fn step_lanes<I: Isa>(&self, block: &mut Block) {
        let mut x = Lanes {
            booting: [0; LANES],
            change: [0; LANES],
            processed: [0; LANES],
            arrivals: [0; LANES],
            regime: block.words[word::REGIME],
            metrics: [[0.0; LANES]; metric::COUNT],
        };
        self.start_booted_lanes(block);
        self.provision_lanes(block, &mut x);
        self.admit_arrivals_lanes::<I>(block, &mut x);
        self.serve_lanes(block, &mut x);
        self.pay_lanes(block, &mut x);
        self.fold_lanes(block, &x);
        self.observe_lanes(block, &x);
        if !block.metrics.is_empty() {
            self.report_lanes(block, &mut x);
            store_rows::<I>(&x.metrics, block.metrics);
        }
    }

    #[inline(always)]
    fn start_booted_lanes(&self, block: &mut Block) {
        let delay = self.limits.boot_delay;
        if delay == 0 {
            return;
        }
        let first = block.words[word::BOOTING_0];
        for lane in 0..LANES {
            block.words[word::RUNNING][lane] += first[lane];
        }
        let slots = word::BOOTING_0..word::BOOTING_0 + delay;
        block
            .words
            .copy_within(slots.start + 1..slots.end, slots.start);
        block.words[slots.end - 1] = [0; LANES];
    }

    #[inline(always)]
    fn provision_lanes(&self, block: &mut Block, x: &mut Lanes) {
        let (gpus_max, change_max) = (self.limits.gpus_max, self.limits.change_max);
        let slots = word::BOOTING_0..word::BOOTING_0 + self.limits.boot_delay;
        for slot in slots.clone() {
            for lane in 0..LANES {
                x.booting[lane] += block.words[slot][lane] as i32;
            }
        }
        let actions: &[u32; LANES] = (&*block.actions).try_into().expect("one action a lane");
        let mut release = [0; LANES];
        let mut rent = [0; LANES];
        for lane in 0..LANES {
            let rented = block.words[word::RUNNING][lane] as i32 + x.booting[lane];
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
                let booting = block.words[slot][lane] as i32 + added;
                let taken = if release[lane] < booting {
                    release[lane]
                } else {
                    booting
                };
                block.words[slot][lane] = (booting - taken) as u32;
                release[lane] -= taken;
                x.booting[lane] += added - taken;
            }
        }
        let at_once = if slots.is_empty() { rent } else { [0; LANES] };
        for lane in 0..LANES {
            let running = block.words[word::RUNNING][lane] as i32;
            block.words[word::RUNNING][lane] = (running + at_once[lane] - release[lane]) as u32;
        }
    }

    #[inline(always)]
    fn admit_arrivals_lanes<I: Isa>(&self, block: &mut Block, x: &mut Lanes) {
        let t = &self.t;
        let words = &mut block.words;
        let seeds = [&words[word::SEED_LO], &words[word::SEED_HI]];
        let steps = &words[word::STEP];
        let w = philox::<I>(steps, &words[word::EPISODE], [stream::STEP, 0], seeds);
        let (bits, profile_steps) = (self.limits.arrival_bits, self.limits.profile_steps);
        let last = profile_steps - 1;
        let now: U32s = std::array::from_fn(|lane| {
            let step = if steps[lane] < last {
                steps[lane]
            } else {
                last
            };
            x.regime[lane] * profile_steps + step
        });
        let levels: U32s = std::array::from_fn(|lane| t.profile_level[now[lane] as usize]);
        let at: U32s =
            std::array::from_fn(|lane| (levels[lane] << bits) + (w[0][lane] >> (32 - bits)));
        let entries: U32s = std::array::from_fn(|lane| t.arrival_alias[at[lane] as usize]);
        let offsets: U32s = std::array::from_fn(|lane| t.arrival_offset[levels[lane] as usize]);
        let mask = (1 << bits) - 1;
        for lane in 0..LANES {
            let rest = (w[0][lane] << bits) >> bits;
            let own = at[lane] & mask;
            let entry = entries[lane];
            let outcome = if rest < entry >> bits {
                own
            } else {
                entry & mask
            };
            x.arrivals[lane] = (offsets[lane] + outcome) as i32;
        }
        let table: [u32; 4] = t.regime_alias[..]
            .try_into()
            .expect("two regimes, two columns");
        for lane in 0..LANES {
            let column = w[1][lane] >> 31;
            let calm = if column == 0 { table[0] } else { table[1] };
            let surge = if column == 0 { table[2] } else { table[3] };
            let entry = if x.regime[lane] == 0 { calm } else { surge };
            let rest = (w[1][lane] << 1) >> 1;
            words[word::REGIME][lane] = if rest < entry >> 1 { column } else { entry & 1 };
        }
    }

    #[inline(always)]
    fn serve_lanes(&self, block: &mut Block, x: &mut Lanes) {
        for lane in 0..LANES {
            let queue = block.words[word::QUEUE][lane] as i32;
            let running = block.words[word::RUNNING][lane] as i32;
            let processed = if queue < running { queue } else { running };
            let left = queue - processed + x.arrivals[lane];
            block.words[word::QUEUE][lane] = left as u32;
            x.processed[lane] = processed;
        }
    }

    /// Money: rent, budget, reward, and how the episode stands.
    #[inline(always)]
    fn pay_lanes(&self, block: &mut Block, x: &mut Lanes) {
        let s = &self.s;
        let horizon = self.limits.horizon;
        for lane in 0..LANES {
            let queue = block.words[word::QUEUE][lane] as i32;
            let rented = block.words[word::RUNNING][lane] as i32 + x.booting[lane];
            let cost = s.gpu_cost * f64::from(rented);
            let budget = block.reals[real::BUDGET][lane] - cost;
            let value = s.job_value * f64::from(x.processed[lane]);
            let reward = value - cost - s.wait_cost * f64::from(queue);
            let overrun = if budget < 0.0 { 0.0 - budget } else { 0.0 };
            block.reals[real::BUDGET][lane] = budget;
            block.rewards[lane] = reward as f32;
            block.costs[lane] = overrun as f32;
            x.metrics[metric::COST_USD][lane] = cost as f32;
            x.metrics[metric::ARRIVALS][lane] = x.arrivals[lane] as f32;
            x.metrics[metric::PROCESSED][lane] = x.processed[lane] as f32;
            x.metrics[metric::QUEUE][lane] = queue as f32;
            x.metrics[metric::BOOTING_GPUS][lane] = x.booting[lane] as f32;
            x.metrics[metric::BUDGET_EXHAUSTED][lane] = if budget <= 0.0 { 1.0 } else { 0.0 };
        }
        for lane in 0..LANES {
            block.terminated[lane] = u8::from(block.reals[real::BUDGET][lane] <= 0.0);
        }
        for lane in 0..LANES {
            let step = block.words[word::STEP][lane] + 1;
            block.words[word::STEP][lane] = step;
            block.truncated[lane] = u8::from(step >= horizon);
        }
    }

    #[inline(always)]
    fn fold_lanes(&self, block: &mut Block, x: &Lanes) {
        let statistics = &mut *block.statistics;
        for lane in 0..LANES {
            statistics[common_statistic::LENGTH_STEPS][lane] += 1.0;
        }
        for lane in 0..LANES {
            statistics[common_statistic::EPISODE_RETURN][lane] += f64::from(block.rewards[lane]);
        }
        for lane in 0..LANES {
            statistics[common_statistic::EPISODE_COST][lane] += f64::from(block.costs[lane]);
        }
        for (slot, index) in SUMS {
            for lane in 0..LANES {
                statistics[slot][lane] += f64::from(x.metrics[index][lane]);
            }
        }
        for lane in 0..LANES {
            let queue = f64::from(x.metrics[metric::QUEUE][lane]);
            let most = statistics[statistic::QUEUE_MAX][lane];
            let first = block.words[word::STEP][lane] == 1;
            statistics[statistic::QUEUE_MAX][lane] =
                if first | (queue > most) { queue } else { most };
        }
    }

    #[inline(always)]
    fn observe_lanes(&self, block: &mut Block, x: &Lanes) {
        let (words, reals) = (&block.words, &block.reals);
        let number = |values: &U32s| -> F32s { values.map(|value| value as i32 as f32) };
        let mut o = [[0.0f32; LANES]; observation::COUNT];
        o[observation::TIME_STEP] = number(&words[word::STEP]);
        o[observation::ACTIVE_GPUS] = number(&words[word::RUNNING]);
        o[observation::QUEUE_SIZE] = x.metrics[metric::QUEUE];
        o[observation::CURRENT_BUDGET] = reals[real::BUDGET].map(|budget| budget as f32);
        o[observation::INCOMING_JOBS] = x.metrics[metric::ARRIVALS];
        o[observation::BOOTING_GPUS] = x.metrics[metric::BOOTING_GPUS];
        for (column, &scale) in o.iter_mut().zip(&self.t.observation_scale) {
            *column = column.map(|value| value * scale);
        }
        let rows = block.observations.chunks_exact_mut(observation::COUNT);
        for (lane, row) in rows.enumerate() {
            for (value, column) in row.iter_mut().zip(&o) {
                *value = column[lane];
            }
        }
    }

    /// The metrics that only `info` reads.
    #[inline(always)]
    fn report_lanes(&self, block: &Block, x: &mut Lanes) {
        let m = &mut x.metrics;
        for lane in 0..LANES {
            let clamped = f64::from(block.actions[lane] as i32) - f64::from(x.change[lane]);
            m[metric::RUNNING_GPUS][lane] = block.words[word::RUNNING][lane] as i32 as f32;
            m[metric::BUDGET_USD][lane] = block.reals[real::BUDGET][lane] as f32;
            m[metric::APPLIED_GPUS][lane] = x.change[lane] as f32;
            m[metric::CLAMPED_GPUS][lane] = clamped as f32;
            m[metric::REGIME][lane] = x.regime[lane] as f32;
        }
    }
}
