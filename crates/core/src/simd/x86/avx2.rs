//! AVX2: four f64 in a register.

#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Sub};

use super::{Epi32, Ps, bytes, columns, line, transpose};
use crate::rng::{KEY_STEPS, MULTIPLIERS, ROUNDS};
use crate::simd::{CELLS, Float, GROUP, Isa, Twice, Word};

#[derive(Clone, Copy)]
pub struct Avx2;

/// Eight f64 in two registers.
#[derive(Clone, Copy)]
pub struct TwoPd(__m256d, __m256d);

macro_rules! two_registers {
    ($name:ident, $($operator:ident $method:ident $instruction:ident;)*) => {
        $(impl $operator for $name {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                unsafe { Self($instruction(self.0, other.0), $instruction(self.1, other.1)) }
            }
        })*
    };
}

two_registers!(TwoPd,
    Add add _mm256_add_pd;
    Sub sub _mm256_sub_pd;
    Mul mul _mm256_mul_pd;
    Div div _mm256_div_pd;
);

impl Float for TwoPd {
    type Number = f64;

    #[inline(always)]
    fn splat(number: f64) -> Self {
        let half = unsafe { _mm256_set1_pd(number) };
        Self(half, half)
    }

    #[inline(always)]
    fn load(numbers: &[f64; GROUP]) -> Self {
        let from = numbers.as_ptr();
        unsafe { Self(_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4))) }
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f64; GROUP]) {
        let to = numbers.as_mut_ptr();
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
}

impl Isa for Avx2 {
    type F64 = TwoPd;
    type F32x16 = Twice<Ps>;

    narrow_operations!();

    #[inline(always)]
    fn widen(numbers: Ps) -> TwoPd {
        unsafe {
            TwoPd(
                _mm256_cvtps_pd(_mm256_castps256_ps128(numbers.0)),
                _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(numbers.0)),
            )
        }
    }

    #[inline(always)]
    fn narrow(numbers: TwoPd) -> Ps {
        unsafe {
            let (low, high) = (_mm256_cvtpd_ps(numbers.0), _mm256_cvtpd_ps(numbers.1));
            Ps(_mm256_set_m128(high, low))
        }
    }

    #[inline(always)]
    fn floor(numbers: TwoPd) -> TwoPd {
        unsafe { TwoPd(_mm256_floor_pd(numbers.0), _mm256_floor_pd(numbers.1)) }
    }

    #[inline(always)]
    fn real(words: Epi32) -> TwoPd {
        unsafe {
            TwoPd(
                _mm256_cvtepi32_pd(_mm256_castsi256_si128(words.0)),
                _mm256_cvtepi32_pd(_mm256_extracti128_si256::<1>(words.0)),
            )
        }
    }

    #[inline(always)]
    fn lookup(table: &[f32; 16], at: Epi32) -> Ps {
        unsafe { lookup_avx2(table, at) }
    }

    #[inline(always)]
    fn philox(counter: [Epi32; 2], tail: [u32; 2], key: [Epi32; 2]) -> [Epi32; 4] {
        unsafe { philox_avx2(counter, tail, key) }
    }
}

/// Two registers hold the table; bit 3 of a position chooses between them.
#[inline]
#[target_feature(enable = "avx2")]
fn lookup_avx2(table: &[f32; 16], at: Epi32) -> Ps {
    let (first, second) = table.split_at(GROUP);
    // SAFETY: eight floats each.
    let (first, second) = unsafe {
        (
            _mm256_loadu_ps(first.as_ptr()),
            _mm256_loadu_ps(second.as_ptr()),
        )
    };
    let first = _mm256_permutevar8x32_ps(first, at.0);
    let second = _mm256_permutevar8x32_ps(second, at.0);
    let choice = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(at.0));
    Ps(_mm256_blendv_ps(first, second, choice))
}

/// As for AVX-512 in two registers a word: lanes 0, 1, 4, 5 and lanes 2, 3, 6, 7, so that one
/// shuffle puts the words back in order.
#[inline]
#[target_feature(enable = "avx2")]
fn philox_avx2(counter: [Epi32; 2], tail: [u32; 2], key: [Epi32; 2]) -> [Epi32; 4] {
    let low = |words: Epi32| _mm256_unpacklo_epi32(words.0, words.0);
    let high = |words: Epi32| _mm256_unpackhi_epi32(words.0, words.0);
    let low = philox_chain(counter.map(low), tail, key.map(low));
    let high = philox_chain(counter.map(high), tail, key.map(high));
    std::array::from_fn(|i| {
        let (low, high) = (_mm256_castsi256_ps(low[i]), _mm256_castsi256_ps(high[i]));
        Epi32(_mm256_castps_si256(_mm256_shuffle_ps::<0x88>(low, high)))
    })
}

#[inline]
#[target_feature(enable = "avx2")]
fn philox_chain(counter: [__m256i; 2], tail: [u32; 2], key: [__m256i; 2]) -> [__m256i; 4] {
    let multipliers = MULTIPLIERS.map(|word| _mm256_set1_epi64x(i64::from(word)));
    let increments = KEY_STEPS.map(|word| _mm256_set1_epi64x(i64::from(word)));
    let ([mut c0, mut c1], [mut k0, mut k1]) = (counter, key);
    let [mut c2, mut c3] = tail.map(|word| _mm256_set1_epi64x(i64::from(word)));
    for _ in 0..ROUNDS {
        let p0 = _mm256_mul_epu32(c0, multipliers[0]);
        let p1 = _mm256_mul_epu32(c2, multipliers[1]);
        c0 = _mm256_xor_si256(_mm256_srli_epi64::<32>(p1), _mm256_xor_si256(c1, k0));
        c1 = p1;
        c2 = _mm256_xor_si256(_mm256_srli_epi64::<32>(p0), _mm256_xor_si256(c3, k1));
        c3 = p0;
        k0 = _mm256_add_epi64(k0, increments[0]);
        k1 = _mm256_add_epi64(k1, increments[1]);
    }
    [c0, c1, c2, c3]
}
