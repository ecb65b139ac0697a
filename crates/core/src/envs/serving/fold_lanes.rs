//! The kernel's episode statistics; `Serving::fold` for a group, in the same order.

use super::SUMS;
use super::group::{Configurations, Group, Metrics, Outcome};
use crate::generated::serving::{metric, real, statistic, word};
use crate::simd::{Float, Isa};

/// `Serving::fold` for a group.
#[inline(always)]
pub(super) fn fold<I: Isa, const MEASURED: bool>(
    group: &mut Group,
    outcome: &Outcome<I>,
    m: &Metrics<I>,
) {
    let one = I::F64::splat(1.0);
    group.add::<I>(statistic::LENGTH_STEPS, one);
    group.add::<I>(statistic::EPISODE_RETURN, I::widen(outcome.reward));
    group.add::<I>(statistic::EPISODE_COST, I::widen(outcome.cost));
    // One by one: metrics that a loop reads by its index would have to be in memory.
    const { assert!(SUMS.len() == 9) };
    add_sum::<I, MEASURED>(group, m, const { SUMS[0] });
    add_sum::<I, MEASURED>(group, m, const { SUMS[1] });
    add_sum::<I, MEASURED>(group, m, const { SUMS[2] });
    add_sum::<I, MEASURED>(group, m, const { SUMS[3] });
    add_sum::<I, MEASURED>(group, m, const { SUMS[4] });
    add_sum::<I, MEASURED>(group, m, const { SUMS[5] });
    add_sum::<I, MEASURED>(group, m, const { SUMS[6] });
    add_sum::<I, MEASURED>(group, m, const { SUMS[7] });
    add_sum::<I, MEASURED>(group, m, const { SUMS[8] });
    let steps = I::real(group.word::<I>(word::STEP));
    let memory = I::widen(m[metric::GPU_MEMORY_GB]);
    let most = memory.above(group.statistic::<I>(statistic::GPU_MEMORY_GB_MAX));
    let most = I::F64::splat(2.0).if_above(steps, memory, most);
    group.set_statistic::<I>(statistic::GPU_MEMORY_GB_MAX, most);
}

#[inline(always)]
fn add_sum<I: Isa, const MEASURED: bool>(
    group: &mut Group,
    m: &Metrics<I>,
    (slot, index): (usize, usize),
) {
    // Origin's dynamics know no good requests: their sum stays zero.
    if MEASURED || index != metric::GOOD {
        group.add::<I>(slot, I::widen(m[index]));
    }
}

/// Puts configurations into force, and folds how far batch sizes and KV budgets have moved: before
/// the step is counted, and early, since its divisions then go on beside the dynamics.
#[inline(always)]
pub(super) fn put_into_force<I: Isa>(group: &mut Group, config: &Configurations<I>) {
    let count = I::real(group.word::<I>(word::STEP));
    let (batch, kv) = (I::widen(config.batch_size), I::widen(config.kv_budget));
    let batch_moved = batch - group.real::<I>(real::BATCH_SIZE);
    let kv_moved = kv - group.real::<I>(real::KV_BUDGET);
    fold_welford::<I>(group, statistic::BATCH_SIZE_DELTA_MEAN, batch_moved, count);
    fold_welford::<I>(group, statistic::KV_BUDGET_DELTA_MEAN, kv_moved, count);
    group.set_real::<I>(real::BATCH_SIZE, batch);
    group.set_real::<I>(real::KV_BUDGET, kv);
    group.set_word::<I>(word::SPEC_INDEX, config.spec_index);
    group.set_word::<I>(word::PREFILL_DISAGG, config.prefill_disagg);
    group.set_word::<I>(word::QUANT_TIER, config.quant_tier);
}

/// Left alone where `count` is 0.
#[inline(always)]
fn fold_welford<I: Isa>(group: &mut Group, slot: usize, value: I::F64, count: I::F64) {
    let (mean, spread) = (group.statistic::<I>(slot), group.statistic::<I>(slot + 1));
    let [new_mean, new_spread] = group.welford::<I>(slot, value, count);
    let none = I::F64::splat(0.0);
    group.set_statistic::<I>(slot, count.if_above(none, new_mean, mean));
    group.set_statistic::<I>(slot + 1, count.if_above(none, new_spread, spread));
}
