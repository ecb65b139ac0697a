//! AVX-512: sixteen lanes, which are one register of f32 and two of f64.

#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;

use super::zmm::{Epi32, Pd, Ps, SIXTEEN};
use super::zmm_rows::{columns, columns_of_pairs, store_rows};
use crate::rng::{KEY_STEPS, MULTIPLIERS, ROUNDS};
use crate::simd::{CELLS, Float, Isa, ROW, Word, first_mut};

#[derive(Clone, Copy)]
pub struct Avx512;

impl Isa for Avx512 {
    type F32 = Ps;
    type F64 = Pd;
    type U32 = Epi32;
    type Pair = Ps;

    const GROUP: usize = SIXTEEN;

    #[inline(always)]
    fn widen(numbers: Ps) -> Pd {
        unsafe {
            Pd(
                _mm512_cvtps_pd(_mm512_castps512_ps256(numbers.0)),
                _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(numbers.0)),
            )
        }
    }

    #[inline(always)]
    fn narrow(numbers: Pd) -> Ps {
        unsafe {
            let (low, high) = (_mm512_cvtpd_ps(numbers.0), _mm512_cvtpd_ps(numbers.1));
            Ps(_mm512_insertf32x8::<1>(_mm512_castps256_ps512(low), high))
        }
    }

    #[inline(always)]
    fn floor(numbers: Pd) -> Pd {
        const DOWN: i32 = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
        unsafe {
            Pd(
                _mm512_roundscale_pd::<DOWN>(numbers.0),
                _mm512_roundscale_pd::<DOWN>(numbers.1),
            )
        }
    }

    #[inline(always)]
    fn real(words: Epi32) -> Pd {
        unsafe {
            Pd(
                _mm512_cvtepi32_pd(_mm512_castsi512_si256(words.0)),
                _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64::<1>(words.0)),
            )
        }
    }

    #[inline(always)]
    fn float(words: Epi32) -> Ps {
        Ps(unsafe { _mm512_cvtepi32_ps(words.0) })
    }

    #[inline(always)]
    fn whole(numbers: Ps) -> Epi32 {
        Epi32(unsafe { _mm512_cvttps_epi32(numbers.0) })
    }

    #[inline(always)]
    fn store_bytes(words: Epi32, bytes: &mut [u8]) {
        let to = first_mut::<_, SIXTEEN>(bytes).as_mut_ptr();
        unsafe { _mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(words.0)) }
    }

    #[inline(always)]
    fn bits(numbers: Ps) -> Epi32 {
        Epi32(unsafe { _mm512_castps_si512(numbers.0) })
    }

    #[inline(always)]
    fn next_rank(before: Epi32, rank: u32, x: Ps, edge: f32) -> Epi32 {
        unsafe {
            let mask = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(x.0, _mm512_set1_ps(edge));
            Epi32(_mm512_mask_blend_epi32(
                mask,
                before.0,
                _mm512_set1_epi32(rank as i32),
            ))
        }
    }

    #[inline(always)]
    fn columns_of_pairs(pair: impl Fn([usize; 2]) -> Ps) -> [Ps; ROW] {
        let [a, b, c, d] = [pair([0, 4]), pair([1, 5]), pair([2, 6]), pair([3, 7])];
        let [e, f, g, h] = [pair([8, 12]), pair([9, 13]), pair([10, 14]), pair([11, 15])];
        unsafe { columns_of_pairs([a.0, b.0, c.0, d.0], [e.0, f.0, g.0, h.0]) }
    }

    #[inline(always)]
    fn columns<const N: usize>(rows: &[[u32; N]]) -> [Ps; N] {
        unsafe { columns(rows.as_flattened()) }
    }

    #[inline(always)]
    fn store_rows(columns: &[Ps], rows: &mut [f32]) {
        store_rows(columns, rows);
    }

    #[inline(always)]
    fn gather(table: &[u32], at: Epi32) -> Epi32 {
        let at = at.least(Epi32::splat(table.len() as u32 - 1));
        // SAFETY: positions are inside the table.
        Epi32(unsafe { _mm512_i32gather_epi32::<4>(at.0, table.as_ptr().cast()) })
    }

    #[inline(always)]
    fn gather_f32(table: &[f32], at: Epi32) -> Ps {
        let at = at.least(Epi32::splat(table.len() as u32 - 1));
        // SAFETY: positions are inside the table.
        Ps(unsafe { _mm512_i32gather_ps::<4>(at.0, table.as_ptr().cast()) })
    }

    #[inline(always)]
    fn lookup(table: &[f32; 16], at: Epi32) -> Ps {
        let table: Ps = Float::load(table);
        Ps(unsafe { _mm512_permutexvar_ps(at.0, table.0) })
    }

    #[inline(always)]
    fn line(table: &[[f32; 2]; CELLS], at: Epi32, y: Ps) -> Ps {
        unsafe { line(table, at, y) }
    }

    #[inline(always)]
    fn philox(counter: [Epi32; 2], tail: [u32; 2], key: [Epi32; 2]) -> [Epi32; 4] {
        unsafe { philox(counter, tail, key) }
    }
}

/// The pairs are fetched as 64-bit numbers.
#[inline]
#[target_feature(enable = "avx512f")]
fn line(table: &[[f32; 2]; CELLS], at: Epi32, y: Ps) -> Ps {
    let inside = _mm512_and_si512(at.0, _mm512_set1_epi32(CELLS as i32 - 1));
    let first = _mm512_castsi512_si256(inside);
    let last = _mm512_extracti64x4_epi64::<1>(inside);
    // SAFETY: the mask keeps the positions inside the table; a pair is as large as a double.
    let pairs = |at: __m256i| unsafe {
        _mm512_castpd_ps(_mm512_i32gather_pd::<8>(at, table.as_ptr().cast()))
    };
    let (low, high) = (pairs(first), pairs(last));
    let every_other = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let odd = _mm512_or_si512(every_other, _mm512_set1_epi32(1));
    let a = Ps(_mm512_permutex2var_ps(low, every_other, high));
    let b = Ps(_mm512_permutex2var_ps(low, odd, high));
    a + b * y
}

#[inline]
#[target_feature(enable = "avx512f")]
fn philox(counter: [Epi32; 2], tail: [u32; 2], key: [Epi32; 2]) -> [Epi32; 4] {
    let multipliers = MULTIPLIERS.map(|word| _mm512_set1_epi64(i64::from(word)));
    let increments = KEY_STEPS.map(|word| _mm512_set1_epi32(word as i32));
    let [mut c0, mut c1] = counter.map(|words| words.0);
    let [mut c2, mut c3] = tail.map(|word| _mm512_set1_epi32(word as i32));
    let [mut k0, mut k1] = key.map(|words| words.0);
    // A compiler that knew the mask would make two shuffles of each that it masks.
    let odd_lanes = std::hint::black_box(0xaaaa);
    for _ in 0..ROUNDS {
        let (high0, low0) = multiply(c0, multipliers[0], odd_lanes);
        let (high1, low1) = multiply(c2, multipliers[1], odd_lanes);
        c0 = _mm512_ternarylogic_epi32::<0x96>(high1, c1, k0);
        c1 = low1;
        c2 = _mm512_ternarylogic_epi32::<0x96>(high0, c3, k1);
        c3 = low0;
        k0 = _mm512_add_epi32(k0, increments[0]);
        k1 = _mm512_add_epi32(k1, increments[1]);
    }
    [c0, c1, c2, c3].map(Epi32)
}

/// High and low words of sixteen products: those of even lanes and those of odd ones, put together.
#[inline]
#[target_feature(enable = "avx512f")]
fn multiply(words: __m512i, factor: __m512i, odd_lanes: __mmask16) -> (__m512i, __m512i) {
    let even = _mm512_mul_epu32(words, factor);
    let odd = _mm512_mul_epu32(_mm512_srli_epi64::<32>(words), factor);
    (
        _mm512_mask_shuffle_epi32::<0b11_11_01_01>(odd, !odd_lanes, even),
        _mm512_mask_shuffle_epi32::<0b10_10_00_00>(even, odd_lanes, odd),
    )
}
