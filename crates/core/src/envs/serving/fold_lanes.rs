//! The blocked kernel's episode statistics; `Serving::fold` for a group, in the same order.

use super::SUMS;
use super::group::{Group, Metrics, Outcome};
use crate::generated::serving::{metric, real, statistic, word};
use crate::simd::{Float, Isa};

/// `Serving::fold` for a group.
#[inline(always)]
pub(super) fn fold<I: Isa>(
    group: &mut Group,
    outcome: &Outcome<I>,
    m: &Metrics<I>,
    before: [I::F64; 2],
) {
    let one = I::F64::splat(1.0);
    group.add::<I>(statistic::LENGTH_STEPS, one);
    group.add::<I>(statistic::EPISODE_RETURN, I::widen(outcome.reward));
    group.add::<I>(statistic::EPISODE_COST, I::widen(outcome.cost));
    for (slot, index) in SUMS {
        group.add::<I>(slot, I::widen(m[index]));
    }
    let steps = I::real(group.word::<I>(word::STEP));
    let memory = I::widen(m[metric::GPU_MEMORY_GB]);
    let most = memory.above(group.statistic::<I>(statistic::GPU_MEMORY_GB_MAX));
    let most = I::F64::splat(2.0).if_above(steps, memory, most);
    group.set_statistic::<I>(statistic::GPU_MEMORY_GB_MAX, most);
    let count = steps - one;
    // Both are numbers of f32, so the metrics' rounding leaves them as they are.
    let batch = group.real::<I>(real::BATCH_SIZE) - before[0];
    let kv = group.real::<I>(real::KV_BUDGET) - before[1];
    fold_welford::<I>(group, statistic::BATCH_SIZE_DELTA_MEAN, batch, count);
    fold_welford::<I>(group, statistic::KV_BUDGET_DELTA_MEAN, kv, count);
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
