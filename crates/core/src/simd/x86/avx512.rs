//! AVX-512: eight f64 or sixteen f32 in a register. What is eight f32 or words wide stays in the
//! registers of AVX2, whose operations are as fast.

#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Sub};

use super::{Epi32, Ps, bytes, columns, line, transpose};
use crate::rng::{KEY_STEPS, MULTIPLIERS, ROUNDS};
use crate::simd::{CELLS, Float, GROUP, Isa, Wide, Word};

#[derive(Clone, Copy)]
pub struct Avx512;

/// Eight f64 in one register.
#[derive(Clone, Copy)]
pub struct Pd(__m512d);

/// Sixteen f32.
#[derive(Clone, Copy)]
pub struct WidePs(__m512);

one_register!(Pd,
    Add add _mm512_add_pd;
    Sub sub _mm512_sub_pd;
    Mul mul _mm512_mul_pd;
    Div div _mm512_div_pd;
);
one_register!(WidePs,
    Add add _mm512_add_ps;
    Sub sub _mm512_sub_ps;
    Mul mul _mm512_mul_ps;
);

impl Wide for WidePs {
    type Half = Ps;

    #[inline(always)]
    fn splat(number: f32) -> Self {
        Self(unsafe { _mm512_set1_ps(number) })
    }

    #[inline(always)]
    fn load(numbers: &[f32; 2 * GROUP]) -> Self {
        Self(unsafe { _mm512_loadu_ps(numbers.as_ptr()) })
    }

    #[inline(always)]
    fn halves(self) -> (Ps, Ps) {
        unsafe {
            (
                Ps(_mm512_castps512_ps256(self.0)),
                Ps(_mm512_extractf32x8_ps::<1>(self.0)),
            )
        }
    }
}

impl Float for Pd {
    type Number = f64;

    #[inline(always)]
    fn splat(number: f64) -> Self {
        Self(unsafe { _mm512_set1_pd(number) })
    }

    #[inline(always)]
    fn load(numbers: &[f64; GROUP]) -> Self {
        Self(unsafe { _mm512_loadu_pd(numbers.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f64; GROUP]) {
        unsafe { _mm512_storeu_pd(numbers.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        Self(unsafe { _mm512_max_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        Self(unsafe { _mm512_min_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let mask = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, other.0);
            Self(_mm512_mask_blend_pd(mask, no.0, yes.0))
        }
    }
}

impl Isa for Avx512 {
    type F64 = Pd;
    type F32x16 = WidePs;

    narrow_operations!();

    #[inline(always)]
    fn widen(numbers: Ps) -> Pd {
        Pd(unsafe { _mm512_cvtps_pd(numbers.0) })
    }

    #[inline(always)]
    fn narrow(numbers: Pd) -> Ps {
        Ps(unsafe { _mm512_cvtpd_ps(numbers.0) })
    }

    #[inline(always)]
    fn floor(numbers: Pd) -> Pd {
        const DOWN: i32 = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
        Pd(unsafe { _mm512_roundscale_pd::<DOWN>(numbers.0) })
    }

    #[inline(always)]
    fn real(words: Epi32) -> Pd {
        Pd(unsafe { _mm512_cvtepi32_pd(words.0) })
    }

    #[inline(always)]
    fn lookup(table: &[f32; 16], at: Epi32) -> Ps {
        let ([first, second], _) = table.as_chunks() else {
            unreachable!("two groups")
        };
        let (first, second) = (Ps::load(first), Ps::load(second));
        Ps(unsafe { _mm256_permutex2var_ps(first.0, at.0, second.0) })
    }

    #[inline(always)]
    fn philox(counter: [Epi32; 2], tail: [u32; 2], key: [Epi32; 2]) -> [Epi32; 4] {
        unsafe { philox_avx512(counter, tail, key) }
    }
}

/// A word in every 64-bit lane, whose upper half holds rubbish that multiplication ignores.
#[inline]
#[target_feature(enable = "avx512f")]
fn philox_avx512(counter: [Epi32; 2], tail: [u32; 2], key: [Epi32; 2]) -> [Epi32; 4] {
    let multipliers = MULTIPLIERS.map(|word| _mm512_set1_epi64(i64::from(word)));
    let increments = KEY_STEPS.map(|word| _mm512_set1_epi64(i64::from(word)));
    let wide = |words: Epi32| _mm512_cvtepu32_epi64(words.0);
    let [mut c0, mut c1] = counter.map(wide);
    let [mut c2, mut c3] = tail.map(|word| _mm512_set1_epi64(i64::from(word)));
    let [mut k0, mut k1] = key.map(wide);
    for _ in 0..ROUNDS {
        let p0 = _mm512_mul_epu32(c0, multipliers[0]);
        let p1 = _mm512_mul_epu32(c2, multipliers[1]);
        c0 = _mm512_ternarylogic_epi64::<0x96>(_mm512_srli_epi64::<32>(p1), c1, k0);
        c1 = p1;
        c2 = _mm512_ternarylogic_epi64::<0x96>(_mm512_srli_epi64::<32>(p0), c3, k1);
        c3 = p0;
        k0 = _mm512_add_epi64(k0, increments[0]);
        k1 = _mm512_add_epi64(k1, increments[1]);
    }
    [c0, c1, c2, c3].map(|words| Epi32(_mm512_cvtepi64_epi32(words)))
}
