//! Eight lanes of a block's state, as registers.

use super::STARTING;
use crate::generated::autoscaling::{real, statistic, word};
use crate::simd::{Float, Isa, Word, part, part_mut};
use crate::store::{LANES, fixed};

/// The state of a block, its sizes known, and which of its groups is stepped.
pub(super) struct Group<'a> {
    words: &'a mut [[u32; LANES]; word::COUNT],
    reals: &'a mut [[f64; LANES]; real::COUNT],
    statistics: &'a mut [[f64; LANES]; statistic::COUNT],
    pub index: usize,
}

impl<'a> Group<'a> {
    /// The first group of a block's state.
    #[inline(always)]
    pub fn of(
        words: &'a mut [[u32; LANES]],
        reals: &'a mut [[f64; LANES]],
        statistics: &'a mut [[f64; LANES]],
    ) -> Self {
        Self {
            words: fixed(words),
            reals: fixed(reals),
            statistics: fixed(statistics),
            index: 0,
        }
    }

    #[inline(always)]
    pub fn word<I: Isa>(&self, slot: usize) -> I::U32 {
        I::U32::load(part(&self.words[slot], self.index))
    }

    #[inline(always)]
    pub fn set_word<I: Isa>(&mut self, slot: usize, words: I::U32) {
        words.store(part_mut(&mut self.words[slot], self.index));
    }

    #[inline(always)]
    pub fn real<I: Isa>(&self, slot: usize) -> I::F64 {
        I::F64::load(part(&self.reals[slot], self.index))
    }

    #[inline(always)]
    pub fn set_real<I: Isa>(&mut self, slot: usize, reals: I::F64) {
        reals.store(part_mut(&mut self.reals[slot], self.index));
    }

    #[inline(always)]
    fn statistic<I: Isa>(&self, slot: usize) -> I::F64 {
        I::F64::load(part(&self.statistics[slot], self.index))
    }

    #[inline(always)]
    fn set_statistic<I: Isa>(&mut self, slot: usize, numbers: I::F64) {
        numbers.store(part_mut(&mut self.statistics[slot], self.index));
    }

    /// Adds to a statistic that is a sum.
    #[inline(always)]
    pub fn add<I: Isa>(&mut self, slot: usize, numbers: I::F64) {
        self.set_statistic::<I>(slot, self.statistic::<I>(slot) + numbers);
    }

    /// Welford's recurrence: the mean in `slot`, the sum of squared deviations in the next slot.
    #[inline(always)]
    pub fn fold_welford<I: Isa>(&mut self, slot: usize, values: I::F64, count: I::F64) {
        let mean = self.statistic::<I>(slot);
        let before = values - mean;
        let mean = mean + before / count;
        self.set_statistic::<I>(slot, mean);
        self.add::<I>(slot + 1, before * (values - mean));
    }

    /// Starting instances of each type.
    #[inline(always)]
    pub fn starting<I: Isa>(&self) -> [I::U32; 3] {
        let [first, second, third] = STARTING;
        [
            sum_of_pairs::<I>(self.word::<I>(first)),
            sum_of_pairs::<I>(self.word::<I>(second)),
            sum_of_pairs::<I>(self.word::<I>(third)),
        ]
    }
}

/// `super::sum_of_pairs` for a group.
#[inline(always)]
fn sum_of_pairs<I: Isa>(word: I::U32) -> I::U32 {
    let twos = I::U32::splat(0x3333_3333);
    let fours = (word & twos) + (word.shr(2) & twos);
    let eights = (fours + fours.shr(4)) & I::U32::splat(0x0f0f_0f0f);
    eights.times(I::U32::splat(0x0101_0101)).shr(24)
}
