//! The contract of an environment family: one lane's reset, step and policies.

use std::ops::Range;

use crate::simd::Isa;
use crate::store::{Block, LANES, Shape};

/// An environment family over one program. A lane is one environment of a block.
pub trait Env: Send + Sync {
    /// Whether `step_block` gains by whole blocks; otherwise the oracle steps, without padding.
    const IS_BLOCKED: bool = true;

    fn shape(&self) -> Shape;

    /// Begins the episode that the lane's seed and episode words name. The common words are set,
    /// the statistics zero.
    fn reset(&self, block: &mut Block, lane: usize);

    /// One step of one lane: the oracle. Counts `word::STEP` up and folds the statistics.
    fn step(&self, block: &mut Block, lane: usize);

    /// One step of every lane. Lanes in `skip` are about to be reset: what they compute is lost.
    /// Implementations are `#[inline(always)]`, so that they are compiled for the instruction set
    /// of the kernel that calls them.
    #[inline(always)]
    fn step_block<I: Isa>(&self, block: &mut Block, skip: u64) {
        step_lanes(self, block, 0..LANES, skip);
    }

    /// Upper bound of the return of the episode that a seed and a number name, whatever is done in
    /// it; `None` where the family knows none.
    fn bound(&self, _seed: u64, _episode: u32) -> Option<f64> {
        None
    }

    /// Writes the action of a family's own policy; families without one leave the row alone.
    fn act(&self, _policy: u32, _block: &mut Block, _lane: usize) {}
}

/// One step of each lane by the oracle, but for those in `skip`.
#[inline(always)]
pub fn step_lanes<E: Env + ?Sized>(env: &E, block: &mut Block, lanes: Range<usize>, skip: u64) {
    for lane in lanes {
        if skip & (1 << lane) == 0 {
            env.step(block, lane);
        }
    }
}
