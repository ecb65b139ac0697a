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
    add::<I>(group, statistic::LENGTH_STEPS, one);
    add::<I>(group, statistic::EPISODE_RETURN, I::widen(outcome.reward));
    add::<I>(group, statistic::EPISODE_COST, I::widen(outcome.cost));
    for (slot, index) in SUMS {
        add::<I>(group, slot, I::widen(m[index]));
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

#[inline(always)]
fn add<I: Isa>(group: &mut Group, slot: usize, numbers: I::F64) {
    let sum = group.statistic::<I>(slot) + numbers;
    group.set_statistic::<I>(slot, sum);
}

/// `batch::fold_welford`, left alone where `count` is 0.
#[inline(always)]
fn fold_welford<I: Isa>(group: &mut Group, slot: usize, value: I::F64, count: I::F64) {
    let (mean, m2) = (group.statistic::<I>(slot), group.statistic::<I>(slot + 1));
    let before = value - mean;
    let moved = mean + before / count;
    let spread = m2 + before * (value - moved);
    let none = I::F64::splat(0.0);
    group.set_statistic::<I>(slot, count.if_above(none, moved, mean));
    group.set_statistic::<I>(slot + 1, count.if_above(none, spread, m2));
}
