//! A group of lanes of a block's state, as registers.

use super::STARTING;
use crate::generated::autoscaling::{real, statistic, word};
use crate::simd::{Isa, State, Word};

pub(super) type Group<'a> = State<'a, { word::COUNT }, { real::COUNT }, { statistic::COUNT }>;

/// Starting instances of each type.
#[inline(always)]
pub(super) fn starting<I: Isa>(group: &Group) -> [I::U32; 3] {
    let [first, second, third] = STARTING;
    [
        sum_of_pairs::<I>(group.word::<I>(first)),
        sum_of_pairs::<I>(group.word::<I>(second)),
        sum_of_pairs::<I>(group.word::<I>(third)),
    ]
}

/// Folds a value into the mean in `slot` and the sum of squared deviations in the next slot.
#[inline(always)]
pub(super) fn fold_welford<I: Isa>(group: &mut Group, slot: usize, value: I::F64, count: I::F64) {
    let [mean, spread] = group.welford::<I>(slot, value, count);
    group.set_statistic::<I>(slot, mean);
    group.set_statistic::<I>(slot + 1, spread);
}

/// `super::sum_of_pairs` for a group.
#[inline(always)]
fn sum_of_pairs<I: Isa>(word: I::U32) -> I::U32 {
    let twos = I::U32::splat(0x3333_3333);
    let fours = (word & twos) + (word.shr(2) & twos);
    let eights = (fours + fours.shr(4)) & I::U32::splat(0x0f0f_0f0f);
    eights.times(I::U32::splat(0x0101_0101)).shr(24)
}
