//! The blocked kernel's episode statistics; `Serving::fold`, lane by lane, in the same order.

use super::blocked::Lanes;
use super::{SUMS, Serving};
use crate::generated::serving::{metric, statistic, word};
use crate::lanes::{F32s, F64s};
use crate::store::{Block, LANES};

impl Serving {
    /// `Serving::fold` for every lane.
    #[inline(always)]
    pub(super) fn fold_lanes(&self, block: &mut Block, x: &Lanes) {
        let m = &x.metrics;
        add(
            &mut block.statistics[statistic::LENGTH_STEPS],
            &[1.0; LANES],
        );
        add(
            &mut block.statistics[statistic::EPISODE_RETURN],
            block.rewards,
        );
        add(&mut block.statistics[statistic::EPISODE_COST], block.costs);
        for (slot, index) in SUMS {
            add(&mut block.statistics[slot], &m[index]);
        }
        let most = &mut block.statistics[statistic::GPU_MEMORY_GB_MAX];
        let steps = &block.words[word::STEP];
        for lane in 0..LANES {
            let memory = f64::from(m[metric::GPU_MEMORY_GB][lane]);
            let more = steps[lane] == 1 || memory > most[lane];
            most[lane] = if more { memory } else { most[lane] };
        }
        let mut counts = [0.0; LANES];
        for lane in 0..LANES {
            counts[lane] = f64::from(steps[lane] as i32) - 1.0;
        }
        let slots = [
            (
                statistic::BATCH_SIZE_DELTA_MEAN,
                metric::APPLIED_BATCH_SIZE,
                &x.before[0],
            ),
            (
                statistic::KV_BUDGET_DELTA_MEAN,
                metric::APPLIED_KV_BUDGET,
                &x.before[1],
            ),
        ];
        for (slot, index, before) in slots {
            let [mean, m2] = block.statistics[slot..slot + 2] else {
                unreachable!("two slots")
            };
            let (mut mean, mut m2) = (mean, m2);
            for lane in 0..LANES {
                let change = f64::from(m[index][lane]) - before[lane];
                let first = change - mean[lane];
                let moved = mean[lane] + first / counts[lane];
                let spread = m2[lane] + first * (change - moved);
                let counted = counts[lane] > 0.0;
                mean[lane] = if counted { moved } else { mean[lane] };
                m2[lane] = if counted { spread } else { m2[lane] };
            }
            block.statistics[slot] = mean;
            block.statistics[slot + 1] = m2;
        }
    }
}

#[inline(always)]
fn add(sums: &mut F64s, values: &F32s) {
    for lane in 0..LANES {
        sums[lane] += f64::from(values[lane]);
    }
}
