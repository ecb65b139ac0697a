//! `Isa` with WebAssembly's SIMD128, four lanes in a register. Only instructions whose results are
//! fixed: nothing relaxed.

use std::arch::wasm32::*;

use super::{GROUP, Isa};
use crate::rng::{KEY_STEPS, MULTIPLIERS, ROUNDS};

pub struct Simd128;

/// Eight numbers in two registers.
type Pair = [v128; 2];

impl Isa for Simd128 {
    #[inline(always)]
    fn transpose(rows: [[f32; GROUP]; GROUP]) -> [[f32; GROUP]; GROUP] {
        let halves = rows.map(|row| load_f32(&row));
        let quarter = |top: usize, half: usize| {
            transpose_four(std::array::from_fn(|i| halves[4 * top + i][half]))
        };
        let quarters = [
            [quarter(0, 0), quarter(1, 0)],
            [quarter(0, 1), quarter(1, 1)],
        ];
        std::array::from_fn(|i| store_f32(quarters[i / 4].map(|rows| rows[i % 4])))
    }

    #[inline(always)]
    fn line(table: &[[f32; 2]; 4096], cells: [u32; GROUP], y: [f32; GROUP]) -> [f32; GROUP] {
        // A pair is fetched as one 64-bit number.
        let two = |i: usize| {
            let [first, second] = [cells[i], cells[i + 1]].map(|cell| &table[cell as usize & 4095]);
            // SAFETY: a pair is eight bytes.
            unsafe {
                let low = v128_load64_zero(first.as_ptr().cast());
                v128_load64_lane::<1>(low, second.as_ptr().cast())
            }
        };
        let y = load_f32(&y);
        store_f32([0, 1].map(|half| {
            let (low, high) = (two(4 * half), two(4 * half + 2));
            let a = i32x4_shuffle::<0, 2, 4, 6>(low, high);
            let b = i32x4_shuffle::<1, 3, 5, 7>(low, high);
            f32x4_add(a, f32x4_mul(b, y[half]))
        }))
    }

    #[inline(always)]
    fn lookup(table: &[f32; 16], cells: [u32; GROUP]) -> [f32; GROUP] {
        cells.map(|cell| table[cell as usize & 15])
    }

    #[inline(always)]
    fn philox(counter: [[u32; GROUP]; 4], key: [[u32; GROUP]; 2]) -> [[u32; GROUP]; 4] {
        let [mut c0, mut c1, mut c2, mut c3] = counter.map(|words| load_u32(&words));
        let [mut k0, mut k1] = key.map(|words| load_u32(&words));
        for _ in 0..ROUNDS {
            for i in 0..2 {
                let (high0, low0) = multiply(c0[i], MULTIPLIERS[0]);
                let (high1, low1) = multiply(c2[i], MULTIPLIERS[1]);
                c0[i] = v128_xor(v128_xor(high1, c1[i]), k0[i]);
                c1[i] = low1;
                c2[i] = v128_xor(v128_xor(high0, c3[i]), k1[i]);
                c3[i] = low0;
                k0[i] = u32x4_add(k0[i], u32x4_splat(KEY_STEPS[0]));
                k1[i] = u32x4_add(k1[i], u32x4_splat(KEY_STEPS[1]));
            }
        }
        [c0, c1, c2, c3].map(store_u32)
    }
}

/// High and low words of four products.
#[inline(always)]
fn multiply(words: v128, factor: u32) -> (v128, v128) {
    let factor = u32x4_splat(factor);
    let first = u64x2_extmul_low_u32x4(words, factor);
    let second = u64x2_extmul_high_u32x4(words, factor);
    (
        u32x4_shuffle::<1, 3, 5, 7>(first, second),
        u32x4_shuffle::<0, 2, 4, 6>(first, second),
    )
}

#[inline(always)]
fn transpose_four([a, b, c, d]: [v128; 4]) -> [v128; 4] {
    let (low, high) = (
        [
            i32x4_shuffle::<0, 4, 1, 5>(a, b),
            i32x4_shuffle::<0, 4, 1, 5>(c, d),
        ],
        [
            i32x4_shuffle::<2, 6, 3, 7>(a, b),
            i32x4_shuffle::<2, 6, 3, 7>(c, d),
        ],
    );
    [
        i64x2_shuffle::<0, 2>(low[0], low[1]),
        i64x2_shuffle::<1, 3>(low[0], low[1]),
        i64x2_shuffle::<0, 2>(high[0], high[1]),
        i64x2_shuffle::<1, 3>(high[0], high[1]),
    ]
}

#[inline(always)]
fn load_f32(row: &[f32; GROUP]) -> Pair {
    // SAFETY: eight floats, unaligned.
    unsafe {
        [
            v128_load(row.as_ptr().cast()),
            v128_load(row[4..].as_ptr().cast()),
        ]
    }
}

#[inline(always)]
fn load_u32(row: &[u32; GROUP]) -> Pair {
    // SAFETY: eight words, unaligned.
    unsafe {
        [
            v128_load(row.as_ptr().cast()),
            v128_load(row[4..].as_ptr().cast()),
        ]
    }
}

#[inline(always)]
fn store_f32(pair: Pair) -> [f32; GROUP] {
    let mut row = [0.0; GROUP];
    // SAFETY: eight floats, unaligned.
    unsafe {
        v128_store(row.as_mut_ptr().cast(), pair[0]);
        v128_store(row[4..].as_mut_ptr().cast(), pair[1]);
    }
    row
}

#[inline(always)]
fn store_u32(pair: Pair) -> [u32; GROUP] {
    let mut row = [0; GROUP];
    // SAFETY: eight words, unaligned.
    unsafe {
        v128_store(row.as_mut_ptr().cast(), pair[0]);
        v128_store(row[4..].as_mut_ptr().cast(), pair[1]);
    }
    row
}
