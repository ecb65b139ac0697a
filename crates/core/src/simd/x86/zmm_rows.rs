//! Rows of numbers and columns of sixteen lanes, made of each other by AVX-512.

#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;

use super::zmm::{Ps, SIXTEEN};
use crate::simd::{Float, ROW, first_mut};

/// Four by four within each quarter of the registers, transposed.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_quarters([a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
    let (low_0, low_1) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
    let (high_0, high_1) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
    [
        _mm512_shuffle_ps::<0x44>(low_0, low_1),
        _mm512_shuffle_ps::<0xEE>(low_0, low_1),
        _mm512_shuffle_ps::<0x44>(high_0, high_1),
        _mm512_shuffle_ps::<0xEE>(high_0, high_1),
    ]
}

/// The quarters 0 and 2 of both, and the quarters 1 and 3.
#[inline]
#[target_feature(enable = "avx512f")]
fn unzip_quarters(a: __m512, b: __m512) -> (__m512, __m512) {
    (
        _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b),
        _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b),
    )
}

#[inline]
#[target_feature(enable = "avx512f")]
pub fn columns_of_pairs(first: [__m512; 4], last: [__m512; 4]) -> [Ps; ROW] {
    // Numbers i of rows 0 to 3, i + 4 of these, i of rows 4 to 7, i + 4 of these; and eight on.
    let (first, last) = (transpose_quarters(first), transpose_quarters(last));
    let mut columns = [Ps(first[0]); ROW];
    for i in 0..4 {
        let (low, high) = unzip_quarters(first[i], last[i]);
        (columns[i], columns[i + 4]) = (Ps(low), Ps(high));
    }
    columns
}

/// Sixteen rows of sixteen numbers, transposed.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: [Ps; SIXTEEN]) -> [Ps; SIXTEEN] {
    let four =
        |i: usize| transpose_quarters([rows[i].0, rows[i + 1].0, rows[i + 2].0, rows[i + 3].0]);
    let (a, b, c, d) = (four(0), four(4), four(8), four(12));
    let mut columns = rows;
    for i in 0..4 {
        let (even_0, odd_0) = unzip_quarters(a[i], b[i]);
        let (even_1, odd_1) = unzip_quarters(c[i], d[i]);
        let (first, third) = unzip_quarters(even_0, even_1);
        let (second, fourth) = unzip_quarters(odd_0, odd_1);
        for (quarter, column) in [first, second, third, fourth].into_iter().enumerate() {
            columns[4 * quarter + i] = Ps(column);
        }
    }
    columns
}

/// Number `i` of a column is `N * i` after its first: in one register for some `i`, in others for
/// the rest, at the same place modulo sixteen.
#[inline]
#[target_feature(enable = "avx512f")]
pub fn columns<const N: usize>(numbers: &[u32]) -> [Ps; N] {
    let (registers, _) = numbers.as_chunks::<SIXTEEN>();
    let mut columns = [Float::splat(0.0); N];
    for (j, column) in columns.iter_mut().enumerate() {
        let places: [i32; SIXTEEN] = std::array::from_fn(|i| ((N * i + j) % SIXTEEN) as i32);
        for (k, register) in registers[..N].iter().enumerate() {
            let mut wanted = 0;
            for i in 0..SIXTEEN {
                wanted |= u16::from((N * i + j) / SIXTEEN == k) << i;
            }
            // SAFETY: sixteen numbers each.
            let (places, register) = unsafe {
                (
                    _mm512_loadu_si512(places.as_ptr().cast()),
                    _mm512_loadu_ps(register.as_ptr().cast()),
                )
            };
            let Ps(before) = *column;
            *column = Ps(_mm512_mask_permutexvar_ps(before, wanted, places, register));
        }
    }
    columns
}

/// Sixteen columns at a time.
#[inline(always)]
pub fn store_rows(columns: &[Ps], rows: &mut [f32]) {
    let width = columns.len();
    assert!(rows.len() >= SIXTEEN * width);
    if let &[a, b, c, d, e, f] = columns {
        let (registers, _) = rows.as_chunks_mut();
        return unsafe { store_sixes([a, b, c, d, e, f], first_mut(registers)) };
    }
    for (index, columns) in columns.chunks(SIXTEEN).enumerate() {
        let mut sixteen = [Float::splat(0.0); SIXTEEN];
        sixteen[..columns.len()].copy_from_slice(columns);
        let wanted = u16::MAX >> (SIXTEEN - columns.len());
        for (i, row) in unsafe { transpose(sixteen) }.into_iter().enumerate() {
            let at = i * width + index * SIXTEEN;
            // SAFETY: what the mask leaves is in row `i`, of which the assertion says that it is
            // there.
            unsafe { _mm512_mask_storeu_ps(rows.as_mut_ptr().add(at), wanted, row.0) }
        }
    }
}

/// Six columns as rows without gaps, by 24 instructions rather than 42: numbers of two columns,
/// side by side, are as wide as a double, three doubles are a row and three registers eight rows.
#[inline]
#[target_feature(enable = "avx512f")]
fn store_sixes([a, b, c, d, e, f]: [Ps; 6], registers: &mut [[f32; SIXTEEN]; 6]) {
    let first_rows = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let last_rows = _mm512_or_si512(first_rows, _mm512_set1_epi32(8));
    // Each register's first and second doubles; then its third ones, the others kept.
    let places = [
        (
            _mm512_setr_epi64(0, 8, 0, 1, 9, 0, 2, 10),
            _mm512_setr_epi64(0, 1, 8, 3, 4, 9, 6, 7),
        ),
        (
            _mm512_setr_epi64(0, 3, 11, 0, 4, 12, 0, 5),
            _mm512_setr_epi64(10, 1, 2, 11, 4, 5, 12, 7),
        ),
        (
            _mm512_setr_epi64(13, 0, 6, 14, 0, 7, 15, 0),
            _mm512_setr_epi64(0, 13, 2, 3, 14, 5, 6, 15),
        ),
    ];
    let (first, last) = registers.split_at_mut(3);
    for (rows, registers) in [(first_rows, first), (last_rows, last)] {
        let first = _mm512_castps_pd(_mm512_permutex2var_ps(a.0, rows, b.0));
        let second = _mm512_castps_pd(_mm512_permutex2var_ps(c.0, rows, d.0));
        let third = _mm512_castps_pd(_mm512_permutex2var_ps(e.0, rows, f.0));
        for (register, (two, three)) in registers.iter_mut().zip(places) {
            let stored = _mm512_permutex2var_pd(first, two, second);
            let stored = _mm512_permutex2var_pd(stored, three, third);
            // SAFETY: sixteen numbers.
            unsafe { _mm512_storeu_pd(register.as_mut_ptr().cast(), stored) }
        }
    }
}
