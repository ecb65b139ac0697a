//! AVX2: eight lanes, which are one register of f32 and two of f64.

#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;

use super::ymm::{Epi32, Pd, Ps};
use crate::rng::{KEY_STEPS, MULTIPLIERS, ROUNDS};
use crate::simd::eight::{self, EIGHT, Octet, Twice};
use crate::simd::{CELLS, Isa, ROW, Word, first, first_mut};

#[derive(Clone, Copy)]
pub struct Avx2;

impl Octet for Ps {
    #[inline(always)]
    fn transpose(rows: [Ps; EIGHT]) -> [Ps; EIGHT] {
        unsafe { transpose(rows) }
    }
}

impl Isa for Avx2 {
    type F32 = Ps;
    type F64 = Pd;
    type U32 = Epi32;
    type Pair = Twice<Ps>;

    const GROUP: usize = EIGHT;

    #[inline(always)]
    fn float(words: Epi32) -> Ps {
        Ps(unsafe { _mm256_cvtepi32_ps(words.0) })
    }

    #[inline(always)]
    fn whole(numbers: Ps) -> Epi32 {
        Epi32(unsafe { _mm256_cvttps_epi32(numbers.0) })
    }

    #[inline(always)]
    fn store_bytes(words: Epi32, bytes: &mut [u8]) {
        *first_mut(bytes) = unsafe { bytes_of(words) };
    }

    #[inline(always)]
    fn bits(numbers: Ps) -> Epi32 {
        Epi32(unsafe { _mm256_castps_si256(numbers.0) })
    }

    #[inline(always)]
    fn next_rank(before: Epi32, _: u32, x: Ps, edge: f32) -> Epi32 {
        // A mask is -1 as a number.
        let mask = unsafe { _mm256_cmp_ps::<_CMP_GE_OQ>(x.0, _mm256_set1_ps(edge)) };
        before - Epi32(unsafe { _mm256_castps_si256(mask) })
    }

    #[inline(always)]
    fn columns_of_pairs(pair: impl Fn([usize; 2]) -> Self::Pair) -> [Ps; ROW] {
        eight::columns_of_pairs([pair([0, 4]), pair([1, 5]), pair([2, 6]), pair([3, 7])])
    }

    #[inline(always)]
    fn columns<const N: usize>(rows: &[[u32; N]]) -> [Ps; N] {
        unsafe { columns(first(rows)) }
    }

    #[inline(always)]
    fn store_rows(columns: &[Ps], rows: &mut [f32]) {
        eight::store_rows(columns, rows);
    }

    #[inline(always)]
    fn gather(table: &[u32], at: Epi32) -> Epi32 {
        let at = at.least(Epi32::splat(table.len() as u32 - 1));
        // SAFETY: positions are inside the table.
        Epi32(unsafe { _mm256_i32gather_epi32::<4>(table.as_ptr().cast(), at.0) })
    }

    #[inline(always)]
    fn gather_f32(table: &[f32], at: Epi32) -> Ps {
        let at = at.least(Epi32::splat(table.len() as u32 - 1));
        // SAFETY: positions are inside the table.
        Ps(unsafe { _mm256_i32gather_ps::<4>(table.as_ptr(), at.0) })
    }

    #[inline(always)]
    fn line(table: &[[f32; 2]; CELLS], at: Epi32, y: Ps) -> Ps {
        unsafe { line(table, at, y) }
    }

    #[inline(always)]
    fn widen(numbers: Ps) -> Pd {
        unsafe {
            Pd(
                _mm256_cvtps_pd(_mm256_castps256_ps128(numbers.0)),
                _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(numbers.0)),
            )
        }
    }

    #[inline(always)]
    fn narrow(numbers: Pd) -> Ps {
        unsafe {
            let (low, high) = (_mm256_cvtpd_ps(numbers.0), _mm256_cvtpd_ps(numbers.1));
            Ps(_mm256_set_m128(high, low))
        }
    }

    #[inline(always)]
    fn floor(numbers: Pd) -> Pd {
        unsafe { Pd(_mm256_floor_pd(numbers.0), _mm256_floor_pd(numbers.1)) }
    }

    #[inline(always)]
    fn real(words: Epi32) -> Pd {
        unsafe {
            Pd(
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
    let (first, second) = table.split_at(EIGHT);
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

/// A word in every 64-bit lane, whose upper half holds rubbish that multiplication ignores: lanes
/// 0, 1, 4, 5 and lanes 2, 3, 6, 7, so that one shuffle puts the words back in order.
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

#[inline]
#[target_feature(enable = "avx2")]
fn transpose(rows: [Ps; EIGHT]) -> [Ps; EIGHT] {
    let pairs = [0, 2, 4, 6].map(|i| {
        let (a, b) = (rows[i].0, rows[i + 1].0);
        (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b))
    });
    let quads = |a: (__m256, __m256), b: (__m256, __m256)| {
        [
            _mm256_shuffle_ps::<0x44>(a.0, b.0),
            _mm256_shuffle_ps::<0xEE>(a.0, b.0),
            _mm256_shuffle_ps::<0x44>(a.1, b.1),
            _mm256_shuffle_ps::<0xEE>(a.1, b.1),
        ]
    };
    let (low, high) = (quads(pairs[0], pairs[1]), quads(pairs[2], pairs[3]));
    let first = |i: usize| Ps(_mm256_permute2f128_ps::<0x20>(low[i], high[i]));
    let last = |i: usize| Ps(_mm256_permute2f128_ps::<0x31>(low[i], high[i]));
    [
        first(0),
        first(1),
        first(2),
        first(3),
        last(0),
        last(1),
        last(2),
        last(3),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn bytes_of(words: Epi32) -> [u8; EIGHT] {
    let (low, high) = (
        _mm256_castsi256_si128(words.0),
        _mm256_extracti128_si256::<1>(words.0),
    );
    let halves = _mm_packus_epi32(low, high);
    _mm_cvtsi128_si64(_mm_packus_epi16(halves, halves)).to_le_bytes()
}

#[inline]
#[target_feature(enable = "avx2")]
fn columns<const N: usize>(rows: &[[u32; N]; EIGHT]) -> [Ps; N] {
    let wanted: [i32; EIGHT] = std::array::from_fn(|i| if i < N { -1 } else { 0 });
    // SAFETY: only the first N numbers of a row are read.
    let rows = unsafe {
        let wanted = _mm256_loadu_si256(wanted.as_ptr().cast());
        rows.each_ref()
            .map(|row| Ps(_mm256_maskload_ps(row.as_ptr().cast(), wanted)))
    };
    let columns = transpose(rows);
    std::array::from_fn(|i| columns[i])
}

/// The pairs are fetched as 64-bit numbers, lanes 0, 1, 4, 5 and lanes 2, 3, 6, 7, so that one
/// shuffle each puts the halves in order.
#[inline]
#[target_feature(enable = "avx2")]
fn line(table: &[[f32; 2]; CELLS], at: Epi32, y: Ps) -> Ps {
    let inside = _mm256_and_si256(at.0, _mm256_set1_epi32(CELLS as i32 - 1));
    let cells = _mm256_permute4x64_epi64::<0b11_01_10_00>(inside);
    let (first, last) = (
        _mm256_castsi256_si128(cells),
        _mm256_extracti128_si256::<1>(cells),
    );
    // SAFETY: the mask keeps the positions inside the table; a pair is as large as a double.
    let pairs = |at: __m128i| unsafe {
        _mm256_castpd_ps(_mm256_i32gather_pd::<8>(table.as_ptr().cast(), at))
    };
    let (low, high) = (pairs(first), pairs(last));
    let a = Ps(_mm256_shuffle_ps::<0x88>(low, high));
    let b = Ps(_mm256_shuffle_ps::<0xDD>(low, high));
    a + b * y
}
