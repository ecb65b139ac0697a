//! The registers of AVX2, eight lanes in one or two of them.

#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

use crate::simd::eight::EIGHT;
use crate::simd::{Float, Word, first, first_mut};

/// Eight f32.
#[derive(Clone, Copy)]
pub struct Ps(pub __m256);

/// Eight f64.
#[derive(Clone, Copy)]
pub struct Pd(pub __m256d, pub __m256d);

/// Eight words.
#[derive(Clone, Copy)]
pub struct Epi32(pub __m256i);

one_register!(Ps,
    Add add _mm256_add_ps;
    Sub sub _mm256_sub_ps;
    Mul mul _mm256_mul_ps;
    Div div _mm256_div_ps;
);
one_register!(Epi32,
    Add add _mm256_add_epi32;
    Sub sub _mm256_sub_epi32;
    BitAnd bitand _mm256_and_si256;
    BitOr bitor _mm256_or_si256;
);
two_registers!(Pd,
    Add add _mm256_add_pd;
    Sub sub _mm256_sub_pd;
    Mul mul _mm256_mul_pd;
    Div div _mm256_div_pd;
);

// `max(x, y)` is `x > y ? x : y` on this architecture, NaN and signed zeros included; `min` alike.
impl Float for Ps {
    type Number = f32;

    #[inline(always)]
    fn splat(number: f32) -> Self {
        Self(unsafe { _mm256_set1_ps(number) })
    }

    #[inline(always)]
    fn load(numbers: &[f32]) -> Self {
        Self(unsafe { _mm256_loadu_ps(first::<_, EIGHT>(numbers).as_ptr()) })
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f32]) {
        unsafe { _mm256_storeu_ps(first_mut::<_, EIGHT>(numbers).as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        Self(unsafe { _mm256_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let mask = _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, other.0);
            Self(_mm256_blendv_ps(no.0, yes.0, mask))
        }
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(self.0, other.0)) != 0 }
    }
}

impl Float for Pd {
    type Number = f64;

    #[inline(always)]
    fn splat(number: f64) -> Self {
        let half = unsafe { _mm256_set1_pd(number) };
        Self(half, half)
    }

    #[inline(always)]
    fn load(numbers: &[f64]) -> Self {
        let from = first::<_, EIGHT>(numbers).as_ptr();
        unsafe { Self(_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4))) }
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f64]) {
        let to = first_mut::<_, EIGHT>(numbers).as_mut_ptr();
        unsafe {
            _mm256_storeu_pd(to, self.0);
            _mm256_storeu_pd(to.add(4), self.1);
        }
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm256_max_pd(self.0, other.0),
                _mm256_max_pd(self.1, other.1),
            )
        }
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm256_min_pd(self.0, other.0),
                _mm256_min_pd(self.1, other.1),
            )
        }
    }

    #[inline(always)]
    fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let low = _mm256_cmp_pd::<_CMP_GT_OQ>(self.0, other.0);
            let high = _mm256_cmp_pd::<_CMP_GT_OQ>(self.1, other.1);
            Self(
                _mm256_blendv_pd(no.0, yes.0, low),
                _mm256_blendv_pd(no.1, yes.1, high),
            )
        }
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        unsafe {
            let low = _mm256_cmp_pd::<_CMP_GT_OQ>(self.0, other.0);
            let high = _mm256_cmp_pd::<_CMP_GT_OQ>(self.1, other.1);
            _mm256_movemask_pd(_mm256_or_pd(low, high)) != 0
        }
    }
}

impl Word for Epi32 {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self(unsafe { _mm256_set1_epi32(word as i32) })
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        Self(unsafe { _mm256_loadu_si256(first::<_, EIGHT>(words).as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, words: &mut [u32]) {
        unsafe { _mm256_storeu_si256(first_mut::<_, EIGHT>(words).as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        Self(unsafe { _mm256_sll_epi32(self.0, _mm_cvtsi32_si128(bits as i32)) })
    }

    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        Self(unsafe { _mm256_srl_epi32(self.0, _mm_cvtsi32_si128(bits as i32)) })
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Self(unsafe { _mm256_mullo_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn least(self, other: Self) -> Self {
        Self(unsafe { _mm256_min_epu32(self.0, other.0) })
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        Self(unsafe { _mm256_max_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        Self(unsafe { _mm256_min_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn if_below(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let mask = _mm256_cmpgt_epi32(other.0, self.0);
            Self(_mm256_blendv_epi8(no.0, yes.0, mask))
        }
    }
}
