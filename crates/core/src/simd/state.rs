//! A block's state, a group of lanes of a slot at a time.

use super::{Float, Isa, Word, part, part_mut};
use crate::store::{LANES, fixed};

/// The state of a block of a family that has so many words, reals and statistics, and which of its
/// groups is stepped.
pub struct State<'a, const WORDS: usize, const REALS: usize, const STATISTICS: usize> {
    words: &'a mut [[u32; LANES]; WORDS],
    reals: &'a mut [[f64; LANES]; REALS],
    statistics: &'a mut [[f64; LANES]; STATISTICS],
    pub group: usize,
}

impl<'a, const WORDS: usize, const REALS: usize, const STATISTICS: usize>
    State<'a, WORDS, REALS, STATISTICS>
{
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
            group: 0,
        }
    }

    #[inline(always)]
    pub fn word<I: Isa>(&self, slot: usize) -> I::U32 {
        I::U32::load(part::<I, _>(&self.words[slot], self.group))
    }

    #[inline(always)]
    pub fn set_word<I: Isa>(&mut self, slot: usize, words: I::U32) {
        words.store(part_mut::<I, _>(&mut self.words[slot], self.group));
    }

    #[inline(always)]
    pub fn real<I: Isa>(&self, slot: usize) -> I::F64 {
        I::F64::load(part::<I, _>(&self.reals[slot], self.group))
    }

    #[inline(always)]
    pub fn set_real<I: Isa>(&mut self, slot: usize, reals: I::F64) {
        reals.store(part_mut::<I, _>(&mut self.reals[slot], self.group));
    }

    #[inline(always)]
    pub fn statistic<I: Isa>(&self, slot: usize) -> I::F64 {
        I::F64::load(part::<I, _>(&self.statistics[slot], self.group))
    }

    #[inline(always)]
    pub fn set_statistic<I: Isa>(&mut self, slot: usize, numbers: I::F64) {
        numbers.store(part_mut::<I, _>(&mut self.statistics[slot], self.group));
    }

    /// Adds to a statistic that is a sum.
    #[inline(always)]
    pub fn add<I: Isa>(&mut self, slot: usize, numbers: I::F64) {
        self.set_statistic::<I>(slot, self.statistic::<I>(slot) + numbers);
    }

    /// `batch::fold_welford`: what the mean in `slot` and the sum of squared deviations in the next
    /// slot become by one more value.
    #[inline(always)]
    pub fn welford<I: Isa>(&self, slot: usize, value: I::F64, count: I::F64) -> [I::F64; 2] {
        let mean = self.statistic::<I>(slot);
        let before = value - mean;
        let mean = mean + before / count;
        let spread = self.statistic::<I>(slot + 1) + before * (value - mean);
        [mean, spread]
    }
}
