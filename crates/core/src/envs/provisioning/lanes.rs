//! The kernel: the oracle's step for a group of lanes at a time, in registers. Operation
//! for operation it is `provisioning.rs`; counts are words, whose wrapping sums are those of
//! signed integers.

use super::{OFFSET_BITS, Provisioning};
use crate::generated::common::{statistic as common_statistic, stream};
use crate::generated::provisioning::{metric, observation, real, statistic, word};
use crate::kernel::U32s;
use crate::simd::{Float, Isa, State, Word, part, part_mut};
use crate::store::{Block, LANES, fixed};

type Group<'a> = State<'a, { word::COUNT }, { real::COUNT }, { statistic::COUNT }>;

/// The results of a step for a group.
struct Outcome<I: Isa> {
    arrivals: I::U32,
    /// GPUs rented, or released where it is negative.
    change: I::U32,
    processed: I::U32,
    booting: I::U32,
    cost_usd: I::F32,
    budget: I::F32,
    reward: I::F32,
    overrun: I::F32,
    /// 1 where the budget ends the episode, else 0.
    exhausted: I::U32,
}

impl Provisioning {
    /// One step of every lane.
    #[inline(always)]
    pub(super) fn step_lanes<I: Isa>(&self, block: &mut Block) {
        let actions: &U32s = fixed(block.actions);
        let regimes = block.words[word::REGIME];
        let mut group = Group::of(block.words, block.reals, block.statistics);
        let horizon = I::U32::splat(self.limits.horizon);
        let (no, yes) = (I::U32::splat(0), I::U32::splat(1));
        let observations: &mut [f32; LANES * observation::COUNT] = fixed(block.observations);
        let shown = I::GROUP * observation::COUNT;
        let reported = block.metrics.len() / I::GROUPS;
        let mut arrivals = [0; LANES];
        // A stage of its own: gathers wait, and what comes after one in the loop waits with it.
        for index in 0..I::GROUPS {
            group.group = index;
            let drawn = self.admit_arrivals_group::<I>(&mut group);
            drawn.store(part_mut::<I, _>(&mut arrivals, index));
        }
        for index in 0..I::GROUPS {
            group.group = index;
            let asked = I::U32::load(part::<I, _>(actions, index));
            let (change, rented) = self.provision_group::<I>(&mut group, asked);
            let arrivals = I::U32::load(part::<I, _>(&arrivals, index));
            let x = self.account_group::<I>(&mut group, change, rented, arrivals);
            x.reward.store(part_mut::<I, _>(block.rewards, index));
            x.overrun.store(part_mut::<I, _>(block.costs, index));
            I::store_bytes(x.exhausted, part_mut::<I, _>(block.terminated, index));
            let ended = group.word::<I>(word::STEP).if_below(horizon, no, yes);
            I::store_bytes(ended, part_mut::<I, _>(block.truncated, index));
            let rows = &mut observations[index * shown..][..shown];
            self.observe_group::<I>(&group, &x, rows);
            if reported > 0 {
                let regime = I::U32::load(part::<I, _>(&regimes, index));
                let rows = &mut block.metrics[index * reported..][..reported];
                report_group::<I>(&group, &x, asked, regime, rows);
            }
        }
    }

    /// Draws the arrivals and the next step's regime; counts the step.
    #[inline(always)]
    fn admit_arrivals_group<I: Isa>(&self, group: &mut Group) -> I::U32 {
        let (bits, profile_steps) = (self.limits.arrival_bits, self.limits.profile_steps);
        let step = group.word::<I>(word::STEP);
        let counter = [step, group.word::<I>(word::EPISODE)];
        let key = [
            group.word::<I>(word::SEED_LO),
            group.word::<I>(word::SEED_HI),
        ];
        let [first, second, ..] = I::philox(counter, [stream::STEP, 0], key);
        let regime = group.word::<I>(word::REGIME);
        group.set_word::<I>(word::STEP, step + I::U32::splat(1));
        group.set_word::<I>(word::REGIME, self.next_regime_group::<I>(regime, second));
        let now = step.least(I::U32::splat(profile_steps - 1));
        let at = regime.times(I::U32::splat(profile_steps)) + now;
        let profile = I::gather(&self.profile, at);
        let level = profile.shr(OFFSET_BITS);
        let least = profile & I::U32::splat((1 << OFFSET_BITS) - 1);
        let own = first.shr(32 - bits);
        let entries = I::gather(&self.t.arrival_alias, level.shl(bits) + own);
        let other = entries & I::U32::splat((1 << bits) - 1);
        let rest = first.shl(bits).shr(bits);
        let outcome = rest.if_below(entries.shr(bits), own, other);
        least + outcome
    }

    /// `sampling::alias` in a table of two regimes by two columns, chosen from without a gather.
    #[inline(always)]
    fn next_regime_group<I: Isa>(&self, regime: I::U32, drawn: I::U32) -> I::U32 {
        let [a, b, c, d] = self.regime_alias;
        let one = I::U32::splat(1);
        let own = drawn.shr(31);
        let calm = own.if_below(one, I::U32::splat(a), I::U32::splat(b));
        let surge = own.if_below(one, I::U32::splat(c), I::U32::splat(d));
        let entries = regime.if_below(one, calm, surge);
        let rest = drawn.shl(1).shr(1);
        rest.if_below(entries.shr(1), own, entries & one)
    }

    /// Moves the booting GPUs on by a step, then rents or releases, the newest first. Returns the
    /// change, and how many GPUs run and boot after it.
    #[inline(always)]
    fn provision_group<I: Isa>(&self, group: &mut Group, asked: I::U32) -> (I::U32, I::U32) {
        let limits = self.limits;
        let slots = word::BOOTING_0..word::BOOTING_0 + limits.boot_delay;
        let zero = I::U32::splat(0);
        let running = group.word::<I>(word::RUNNING);
        let mut rented = running;
        for slot in slots.clone() {
            rented = rented + group.word::<I>(slot);
        }
        let most = I::U32::splat(limits.change_max as u32);
        let request = asked.clip(zero - most, most);
        let room = (I::U32::splat(limits.gpus_max as u32) - rented).above(zero);
        let change = request.clip(zero - rented, room);
        let mut joining = change.above(zero);
        let mut release = joining - change;
        // Whoever leaves a slot joins the one before it, and in the end those that run.
        for slot in slots.rev() {
            let leaving = group.word::<I>(slot);
            let released = release.least(joining);
            group.set_word::<I>(slot, joining - released);
            release = release - released;
            joining = leaving;
        }
        group.set_word::<I>(word::RUNNING, running + joining - release);
        (change, rented + change)
    }

    /// Serves the queue, pays the rent, rewards the step and folds the statistics.
    #[inline(always)]
    fn account_group<I: Isa>(
        &self,
        group: &mut Group,
        change: I::U32,
        rented: I::U32,
        arrivals: I::U32,
    ) -> Outcome<I> {
        let s = &self.s;
        let (zero, one) = (I::F64::splat(0.0), I::F64::splat(1.0));
        let running = group.word::<I>(word::RUNNING);
        let waiting = group.word::<I>(word::QUEUE);
        let processed = waiting.least(running);
        let queue = waiting - processed + arrivals;
        group.set_word::<I>(word::QUEUE, queue);
        group.add::<I>(common_statistic::LENGTH_STEPS, one);
        // Arrivals and GPUs are below 2^24: as f32 they are the same numbers.
        group.add::<I>(statistic::ARRIVALS_SUM, I::real(arrivals));
        let jobs = I::real(processed);
        group.add::<I>(statistic::PROCESSED_SUM, jobs);
        let length = I::widen(I::float(queue));
        group.add::<I>(statistic::QUEUE_SUM, length);
        // A new episode's statistics are 0, which no queue is below: its first needs no exception.
        let longest = length.above(group.statistic::<I>(statistic::QUEUE_MAX));
        group.set_statistic::<I>(statistic::QUEUE_MAX, longest);
        let cost = I::F64::splat(s.gpu_cost) * I::real(rented);
        let value = I::F64::splat(s.job_value) * jobs;
        let reward = I::narrow(value - cost - I::F64::splat(s.wait_cost) * I::real(queue));
        group.add::<I>(common_statistic::EPISODE_RETURN, I::widen(reward));
        let cost_usd = I::narrow(cost);
        group.add::<I>(statistic::COST_USD_SUM, I::widen(cost_usd));
        let budget = group.real::<I>(real::BUDGET) - cost;
        group.set_real::<I>(real::BUDGET, budget);
        let exhausted = budget.if_above(zero, zero, one);
        group.add::<I>(statistic::BUDGET_EXHAUSTED_SUM, exhausted);
        let overrun = I::narrow((zero - budget).above(zero));
        group.add::<I>(common_statistic::EPISODE_COST, I::widen(overrun));
        Outcome {
            arrivals,
            change,
            processed,
            booting: rented - running,
            cost_usd,
            budget: I::narrow(budget),
            reward,
            overrun,
            exhausted: I::whole(I::narrow(exhausted)),
        }
    }

    /// The observation rows.
    #[inline(always)]
    fn observe_group<I: Isa>(&self, group: &Group, x: &Outcome<I>, rows: &mut [f32]) {
        let scale: &[_; observation::COUNT] = self.t.observation_scale[..]
            .try_into()
            .expect("a factor each");
        let mut columns = [I::F32::splat(0.0); observation::COUNT];
        columns[observation::TIME_STEP] = I::float(group.word::<I>(word::STEP));
        columns[observation::ACTIVE_GPUS] = I::float(group.word::<I>(word::RUNNING));
        columns[observation::QUEUE_SIZE] = I::float(group.word::<I>(word::QUEUE));
        columns[observation::CURRENT_BUDGET] = x.budget;
        columns[observation::INCOMING_JOBS] = I::float(x.arrivals);
        columns[observation::BOOTING_GPUS] = I::float(x.booting);
        for (column, &factor) in columns.iter_mut().zip(scale) {
            *column = *column * I::F32::splat(factor);
        }
        I::store_rows(&columns, rows);
    }
}

/// The metrics, which only `info` reads.
#[inline(always)]
fn report_group<I: Isa>(
    group: &Group,
    x: &Outcome<I>,
    asked: I::U32,
    regime: I::U32,
    rows: &mut [f32],
) {
    let mut columns = [I::F32::splat(0.0); metric::COUNT];
    columns[metric::ARRIVALS] = I::float(x.arrivals);
    columns[metric::PROCESSED] = I::float(x.processed);
    columns[metric::QUEUE] = I::float(group.word::<I>(word::QUEUE));
    columns[metric::RUNNING_GPUS] = I::float(group.word::<I>(word::RUNNING));
    columns[metric::BOOTING_GPUS] = I::float(x.booting);
    columns[metric::COST_USD] = x.cost_usd;
    columns[metric::BUDGET_USD] = x.budget;
    columns[metric::APPLIED_GPUS] = I::float(x.change);
    columns[metric::CLAMPED_GPUS] = I::narrow(I::real(asked) - I::real(x.change));
    columns[metric::REGIME] = I::float(regime);
    columns[metric::BUDGET_EXHAUSTED] = I::float(x.exhausted);
    I::store_rows(&columns, rows);
}
