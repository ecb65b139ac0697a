//! The registers of AVX-512, sixteen lanes in one or two of them.

#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

use crate::simd::{Float, Pair, ROW, Word, first, first_mut};

/// Lanes in a group.
pub const SIXTEEN: usize = 16;

/// Sixteen f32.
#[derive(Clone, Copy)]
pub struct Ps(pub __m512);

/// Sixteen f64.
#[derive(Clone, Copy)]
pub struct Pd(pub __m512d, pub __m512d);

/// Sixteen words.
#[derive(Clone, Copy)]
pub struct Epi32(pub __m512i);

one_register!(Ps,
    Add add _mm512_add_ps;
    Sub sub _mm512_sub_ps;
    Mul mul _mm512_mul_ps;
    Div div _mm512_div_ps;
);
one_register!(Epi32,
    Add add _mm512_add_epi32;
    Sub sub _mm512_sub_epi32;
    BitAnd bitand _mm512_and_si512;
    BitOr bitor _mm512_or_si512;
);
two_registers!(Pd,
    Add add _mm512_add_pd;
    Sub sub _mm512_sub_pd;
    Mul mul _mm512_mul_pd;
    Div div _mm512_div_pd;
);

impl Float for Ps {
    type Number = f32;

    #[inline(always)]
    fn splat(number: f32) -> Self {
        Self(unsafe { _mm512_set1_ps(number) })
    }

    #[inline(always)]
    fn load(numbers: &[f32]) -> Self {
        Self(unsafe { _mm512_loadu_ps(first::<_, SIXTEEN>(numbers).as_ptr()) })
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f32]) {
        unsafe { _mm512_storeu_ps(first_mut::<_, SIXTEEN>(numbers).as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        Self(unsafe { _mm512_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let mask = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, other.0);
            Self(_mm512_mask_blend_ps(mask, no.0, yes.0))
        }
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, other.0) != 0 }
    }
}

impl Pair for Ps {
    #[inline(always)]
    fn splat(number: f32) -> Self {
        Float::splat(number)
    }

    #[inline(always)]
    fn splat_each([first, second]: [f32; 2]) -> Self {
        unsafe {
            let (first, second) = (_mm512_set1_ps(first), _mm512_set1_ps(second));
            Self(_mm512_mask_blend_ps(0xff00, first, second))
        }
    }

    #[inline(always)]
    fn load(numbers: &[f32; 2 * ROW]) -> Self {
        Float::load(numbers)
    }

    #[inline(always)]
    fn load_each([first, second]: [&[f32; ROW]; 2]) -> Self {
        unsafe {
            let low = _mm512_castps256_ps512(_mm256_loadu_ps(first.as_ptr()));
            let high = _mm256_loadu_ps(second.as_ptr());
            Self(_mm512_insertf32x8::<1>(low, high))
        }
    }

    #[inline(always)]
    fn regroup(self, other: Self) -> [Self; 2] {
        unsafe {
            [
                Self(_mm512_shuffle_f32x4::<0b01_00_01_00>(self.0, other.0)),
                Self(_mm512_shuffle_f32x4::<0b11_10_11_10>(self.0, other.0)),
            ]
        }
    }
}

impl Float for Pd {
    type Number = f64;

    #[inline(always)]
    fn splat(number: f64) -> Self {
        let half = unsafe { _mm512_set1_pd(number) };
        Self(half, half)
    }

    #[inline(always)]
    fn load(numbers: &[f64]) -> Self {
        let from = first::<_, SIXTEEN>(numbers).as_ptr();
        unsafe { Self(_mm512_loadu_pd(from), _mm512_loadu_pd(from.add(8))) }
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f64]) {
        let to = first_mut::<_, SIXTEEN>(numbers).as_mut_ptr();
        unsafe {
            _mm512_storeu_pd(to, self.0);
            _mm512_storeu_pd(to.add(8), self.1);
        }
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm512_max_pd(self.0, other.0),
                _mm512_max_pd(self.1, other.1),
            )
        }
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm512_min_pd(self.0, other.0),
                _mm512_min_pd(self.1, other.1),
            )
        }
    }

    #[inline(always)]
    fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let low = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, other.0);
            let high = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.1, other.1);
            Self(
                _mm512_mask_blend_pd(low, no.0, yes.0),
                _mm512_mask_blend_pd(high, no.1, yes.1),
            )
        }
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        unsafe {
            let low = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, other.0);
            let high = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.1, other.1);
            low | high != 0
        }
    }
}

impl Word for Epi32 {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self(unsafe { _mm512_set1_epi32(word as i32) })
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        Self(unsafe { _mm512_loadu_si512(first::<_, SIXTEEN>(words).as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, words: &mut [u32]) {
        let to = first_mut::<_, SIXTEEN>(words).as_mut_ptr();
        unsafe { _mm512_storeu_si512(to.cast(), self.0) }
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        Self(unsafe { _mm512_sll_epi32(self.0, _mm_cvtsi32_si128(bits as i32)) })
    }

    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        Self(unsafe { _mm512_srl_epi32(self.0, _mm_cvtsi32_si128(bits as i32)) })
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Self(unsafe { _mm512_mullo_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn least(self, other: Self) -> Self {
        Self(unsafe { _mm512_min_epu32(self.0, other.0) })
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        Self(unsafe { _mm512_max_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        Self(unsafe { _mm512_min_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn if_below(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let mask = _mm512_cmplt_epi32_mask(self.0, other.0);
            Self(_mm512_mask_blend_epi32(mask, no.0, yes.0))
        }
    }
}
