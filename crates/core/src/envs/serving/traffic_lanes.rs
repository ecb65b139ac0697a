//! The kernel's draws: `Serving::admit_arrivals` for a group, in the same order.

use super::Serving;
use super::group::{Group, Traffic};
use crate::generated::common::stream;
use crate::generated::serving::{NUM_BUCKETS, prompt_kind, real, word};
use crate::sampling;
use crate::simd::{Float, GROUP_MAX, Isa, Word, quantile};

/// The step's Philox block.
#[inline(always)]
pub(super) fn draw<I: Isa>(group: &Group) -> [I::U32; 4] {
    let counter = [group.word::<I>(word::STEP), group.word::<I>(word::EPISODE)];
    let key = [
        group.word::<I>(word::SEED_LO),
        group.word::<I>(word::SEED_HI),
    ];
    I::philox(counter, [stream::STEP, 0], key)
}

impl Serving {
    /// The step's traffic from the random words, and its running means.
    #[inline(always)]
    pub(super) fn admit_group<I: Isa>(&self, group: &mut Group, w: [I::U32; 4]) -> Traffic<I> {
        let (s, t) = (&self.s, &self.t);
        let now = self.now_group::<I>(group);
        let arrivals = self.sample_arrivals_group::<I>(now, w[0]);
        let ema = group.real::<I>(real::ARRIVAL_EMA);
        let gain = I::F64::splat(s.arrival_gain);
        group.set_real::<I>(real::ARRIVAL_EMA, ema + (I::real(arrivals) - ema) * gain);
        let byte = I::U32::splat(255);
        let low = w[1].shl(24) | (w[2] & byte).shl(16) | (w[3] & byte).shl(8);
        let drawn = I::widen(self.sample_prompt_group::<I>(low, now));
        let mean = if self.whole.prompt_kind == prompt_kind::PROFILE {
            drawn
        } else {
            let mean = group.real::<I>(real::PROMPT_MEAN);
            mean + (drawn - mean) * I::F64::splat(s.prompt_gain)
        };
        group.set_real::<I>(real::PROMPT_MEAN, mean);
        let prompt_len = I::narrow(mean);
        Traffic {
            arrivals,
            prompt_len,
            bucket: I::rank(prompt_len, &t.prompt_edges[..NUM_BUCKETS - 1]),
            noise: [
                quantile::<I>(&self.noise_pairs, w[1]),
                quantile::<I>(&self.noise_pairs, w[2]),
                quantile::<I>(&self.noise_pairs, w[3]),
            ],
        }
    }

    /// Positions in the profile. Lanes about to be reset have taken their last step already.
    #[inline(always)]
    pub(super) fn now_group<I: Isa>(&self, group: &Group) -> I::U32 {
        let last = I::U32::splat(self.whole.horizon - 1);
        group.word::<I>(word::WINDOW_START) + group.word::<I>(word::STEP).least(last)
    }

    #[inline(always)]
    fn sample_arrivals_group<I: Isa>(&self, now: I::U32, words: I::U32) -> I::U32 {
        let t = &self.t;
        let bits = self.whole.arrival_bits;
        let levels = I::gather(&t.profile_level, now);
        let own = words.shr(32 - bits);
        let entries = I::gather(&t.arrival_alias, levels.shl(bits) + own);
        let other = entries & I::U32::splat((1 << bits) - 1);
        let rest = words.shl(bits).shr(bits);
        let outcome = rest.if_below(entries.shr(bits), own, other);
        I::gather(&t.arrival_offset, levels) + outcome
    }

    #[inline(always)]
    fn sample_prompt_group<I: Isa>(&self, words: I::U32, now: I::U32) -> I::F32 {
        let t = &self.t;
        let drawn = match self.whole.prompt_kind {
            prompt_kind::QUANTILE => quantile::<I>(&self.prompt_pairs, words),
            prompt_kind::PIECES => {
                let bits = self.whole.prompt_bits;
                let (columns, pieces) = (&t.prompt_alias, &t.prompt_pieces);
                each_word::<I>(words, |word| sampling::pieces(columns, pieces, bits, word))
            }
            prompt_kind::EQUAL_CELLS => {
                let cells = self.whole.prompt_cells;
                each_word::<I>(words, |word| {
                    sampling::equal_cells(&t.prompt_cell, cells, word)
                })
            }
            _ => I::gather_f32(&t.profile_prompt, now),
        };
        let (least, most) = (self.r.prompt_min, self.r.prompt_max);
        drawn.clip(I::F32::splat(least), I::F32::splat(most))
    }
}

/// Applies a scalar function to every word.
#[inline(always)]
fn each_word<I: Isa>(words: I::U32, apply: impl Fn(u32) -> f32) -> I::F32 {
    let (mut array, mut numbers) = ([0; GROUP_MAX], [0.0; GROUP_MAX]);
    words.store(&mut array);
    for (number, &word) in numbers.iter_mut().zip(&array[..I::GROUP]) {
        *number = apply(word);
    }
    I::F32::load(&numbers)
}
