//! Episode statistics that families share.

use crate::generated::common::statistic;
use crate::store::Block;

/// Folds what every family counts: one step, its reward and its cost.
#[inline(always)]
pub fn fold_common(block: &mut Block, lane: usize) {
    block.statistics[statistic::LENGTH_STEPS][lane] += 1.0;
    block.statistics[statistic::EPISODE_RETURN][lane] += f64::from(block.rewards[lane]);
    block.statistics[statistic::EPISODE_COST][lane] += f64::from(block.costs[lane]);
}

/// Welford's recurrence: the mean in `slot`, the sum of squared deviations in the next slot.
#[inline(always)]
pub fn fold_welford(block: &mut Block, lane: usize, slot: usize, value: f64, count: f64) {
    let before = value - block.statistics[slot][lane];
    block.statistics[slot][lane] += before / count;
    let after = value - block.statistics[slot][lane];
    block.statistics[slot + 1][lane] += before * after;
}
