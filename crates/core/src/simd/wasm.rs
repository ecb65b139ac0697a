//! WebAssembly's SIMD128, four f32 in a register. Only instructions whose results are fixed:
//! nothing relaxed.

mod registers;

use std::arch::wasm32::*;
use std::mem::MaybeUninit;

use super::eight::{self, EIGHT, Octet, Twice};
use super::{CELLS, Float, Isa, ROW, Word, first, first_mut};
use crate::rng::{KEY_STEPS, MULTIPLIERS, ROUNDS};
use registers::{F32s, F64s, U32s};

#[derive(Clone, Copy)]
pub struct Simd128;

impl Octet for F32s {
    #[inline(always)]
    fn transpose([a, b, c, d, e, f, g, h]: [F32s; EIGHT]) -> [F32s; EIGHT] {
        let [a0, b0, c0, d0] = transpose_four([a.0, b.0, c.0, d.0]);
        let [a1, b1, c1, d1] = transpose_four([a.1, b.1, c.1, d.1]);
        let [e0, f0, g0, h0] = transpose_four([e.0, f.0, g.0, h.0]);
        let [e1, f1, g1, h1] = transpose_four([e.1, f.1, g.1, h.1]);
        [
            F32s(a0, e0),
            F32s(b0, f0),
            F32s(c0, g0),
            F32s(d0, h0),
            F32s(a1, e1),
            F32s(b1, f1),
            F32s(c1, g1),
            F32s(d1, h1),
        ]
    }
}

impl Isa for Simd128 {
    type F32 = F32s;
    type F64 = F64s;
    type U32 = U32s;
    type Pair = Twice<F32s>;

    const GROUP: usize = EIGHT;

    #[inline(always)]
    fn widen(F32s(low, high): F32s) -> F64s {
        let upper = |four: v128| f64x2_promote_low_f32x4(i64x2_shuffle::<1, 1>(four, four));
        F64s(
            f64x2_promote_low_f32x4(low),
            upper(low),
            f64x2_promote_low_f32x4(high),
            upper(high),
        )
    }

    #[inline(always)]
    fn narrow(numbers: F64s) -> F32s {
        let F64s(a, b, c, d) = numbers.map(|two| f32x4_demote_f64x2_zero(two));
        F32s(beside(a, b), beside(c, d))
    }

    #[inline(always)]
    fn floor(numbers: F64s) -> F64s {
        numbers.map(|two| f64x2_floor(two))
    }

    #[inline(always)]
    fn real(U32s(low, high): U32s) -> F64s {
        let upper = |four: v128| f64x2_convert_low_i32x4(i64x2_shuffle::<1, 1>(four, four));
        F64s(
            f64x2_convert_low_i32x4(low),
            upper(low),
            f64x2_convert_low_i32x4(high),
            upper(high),
        )
    }

    #[inline(always)]
    fn float(U32s(low, high): U32s) -> F32s {
        F32s(f32x4_convert_i32x4(low), f32x4_convert_i32x4(high))
    }

    #[inline(always)]
    fn whole(F32s(low, high): F32s) -> U32s {
        U32s(i32x4_trunc_sat_f32x4(low), i32x4_trunc_sat_f32x4(high))
    }

    #[inline(always)]
    fn store_bytes(U32s(low, high): U32s, bytes: &mut [u8]) {
        let halves = u16x8_narrow_i32x4(low, high);
        let eight = u64x2_extract_lane::<0>(u8x16_narrow_i16x8(halves, halves));
        *first_mut(bytes) = eight.to_le_bytes();
    }

    #[inline(always)]
    fn bits(F32s(low, high): F32s) -> U32s {
        U32s(low, high)
    }

    #[inline(always)]
    fn next_rank(before: U32s, _: u32, x: F32s, edge: f32) -> U32s {
        // A mask is -1 as a number.
        let F32s(low, high) = x.map(|four| f32x4_ge(four, f32x4_splat(edge)));
        before - U32s(low, high)
    }

    #[inline(always)]
    fn columns_of_pairs(pair: impl Fn([usize; 2]) -> Self::Pair) -> [F32s; ROW] {
        // Through memory and in a loop: unrolled, its loads would all be first, and be kept on the
        // stack until their turn comes.
        let mut pairs = [const { MaybeUninit::uninit() }; EIGHT / 2];
        for (lane, place) in pairs.iter_mut().enumerate() {
            place.write(pair([lane, lane + EIGHT / 2]));
        }
        // SAFETY: each has been written.
        eight::columns_of_pairs(pairs.map(|pair| unsafe { pair.assume_init() }))
    }

    #[inline(always)]
    fn columns<const N: usize>(rows: &[[u32; N]]) -> [F32s; N] {
        let rows: &[_; EIGHT] = first(rows);
        std::array::from_fn(|i| F32s::load(&rows.map(|row| f32::from_bits(row[i]))))
    }

    #[inline(always)]
    fn store_rows(columns: &[F32s], rows: &mut [f32]) {
        eight::store_rows(columns, rows);
    }

    #[inline(always)]
    fn gather(table: &[u32], at: U32s) -> U32s {
        let at = positions(at.least(U32s::splat(table.len() as u32 - 1)));
        // SAFETY: positions are inside the table.
        U32s::load(&at.map(|at| unsafe { *table.get_unchecked(at as usize) }))
    }

    #[inline(always)]
    fn gather_f32(table: &[f32], at: U32s) -> F32s {
        let at = positions(at.least(U32s::splat(table.len() as u32 - 1)));
        // SAFETY: positions are inside the table.
        F32s::load(&at.map(|at| unsafe { *table.get_unchecked(at as usize) }))
    }

    #[inline(always)]
    fn lookup(table: &[f32; 16], at: U32s) -> F32s {
        F32s::load(&positions(at).map(|at| table[at as usize & 15]))
    }

    #[inline(always)]
    fn line(table: &[[f32; 2]; CELLS], at: U32s, F32s(low, high): F32s) -> F32s {
        let [a, b, c, d, e, f, g, h] = positions(at).map(|at| &table[at as usize & (CELLS - 1)]);
        F32s(lines([a, b, c, d], low), lines([e, f, g, h], high))
    }

    #[inline(always)]
    fn philox([c0, c1]: [U32s; 2], tail: [u32; 2], [k0, k1]: [U32s; 2]) -> [U32s; 4] {
        let [c2, c3] = tail.map(|word| u32x4_splat(word));
        let low = philox([c0.0, c1.0, c2, c3], [k0.0, k1.0]);
        let high = philox([c0.1, c1.1, c2, c3], [k0.1, k1.1]);
        [
            U32s(low[0], high[0]),
            U32s(low[1], high[1]),
            U32s(low[2], high[2]),
            U32s(low[3], high[3]),
        ]
    }
}

/// `Isa::philox` of four lanes.
#[inline(always)]
fn philox([mut c0, mut c1, mut c2, mut c3]: [v128; 4], [mut k0, mut k1]: [v128; 2]) -> [v128; 4] {
    for _ in 0..ROUNDS {
        let (high0, low0) = multiply(c0, &FACTORS[0]);
        let (high1, low1) = multiply(c2, &FACTORS[1]);
        c0 = v128_xor(v128_xor(high1, c1), k0);
        c1 = low1;
        c2 = v128_xor(v128_xor(high0, c3), k1);
        c3 = low0;
        k0 = u32x4_add(k0, u32x4_splat(KEY_STEPS[0]));
        k1 = u32x4_add(k1, u32x4_splat(KEY_STEPS[1]));
    }
    [c0, c1, c2, c3]
}

/// `Isa::line` of four lanes, by their pairs, each of which is fetched as one 64-bit number.
#[inline(always)]
fn lines([a, b, c, d]: [&[f32; 2]; 4], y: v128) -> v128 {
    // SAFETY: a pair is eight bytes.
    let two = |first: &[f32; 2], second: &[f32; 2]| unsafe {
        let low = v128_load64_zero(first.as_ptr().cast());
        v128_load64_lane::<1>(low, second.as_ptr().cast())
    };
    let (low, high) = (two(a, b), two(c, d));
    let start = i32x4_shuffle::<0, 2, 4, 6>(low, high);
    let slope = i32x4_shuffle::<1, 3, 5, 7>(low, high);
    f32x4_add(start, f32x4_mul(slope, y))
}

/// Words one by one, through registers: a store and loads would wait for each other.
#[inline(always)]
fn positions(U32s(low, high): U32s) -> [u32; EIGHT] {
    [
        u32x4_extract_lane::<0>(low),
        u32x4_extract_lane::<1>(low),
        u32x4_extract_lane::<2>(low),
        u32x4_extract_lane::<3>(low),
        u32x4_extract_lane::<0>(high),
        u32x4_extract_lane::<1>(high),
        u32x4_extract_lane::<2>(high),
        u32x4_extract_lane::<3>(high),
    ]
}

/// The lower halves of what was rounded. Left to see that it shuffles, the compiler would shuffle
/// before it rounds, and then round number by number: hence averages of bytes with themselves,
/// which are the same bytes and which it does not see through.
#[inline(always)]
fn beside(low: v128, high: v128) -> v128 {
    i64x2_shuffle::<0, 2>(u8x16_avgr(low, low), u8x16_avgr(high, high))
}

/// The multipliers of four lanes.
static FACTORS: [v128; 2] = {
    let [first, second] = MULTIPLIERS;
    [
        u32x4(first, first, first, first),
        u32x4(second, second, second, second),
    ]
};

/// High and low words of four products.
#[inline(always)]
fn multiply(words: v128, factor: &v128) -> (v128, v128) {
    // SAFETY: it is a reference. Volatile, since a compiler that knows the factor widens it before
    // the loop and is left with products of 64 bits, which cost thrice as much.
    let factor = unsafe { std::ptr::from_ref(factor).read_volatile() };
    let first = u64x2_extmul_low_u32x4(words, factor);
    let second = u64x2_extmul_high_u32x4(words, factor);
    (
        u32x4_shuffle::<1, 3, 5, 7>(first, second),
        u32x4_shuffle::<0, 2, 4, 6>(first, second),
    )
}

#[inline(always)]
fn transpose_four([a, b, c, d]: [v128; 4]) -> [v128; 4] {
    let low = [
        i32x4_shuffle::<0, 4, 1, 5>(a, b),
        i32x4_shuffle::<0, 4, 1, 5>(c, d),
    ];
    let high = [
        i32x4_shuffle::<2, 6, 3, 7>(a, b),
        i32x4_shuffle::<2, 6, 3, 7>(c, d),
    ];
    [
        i64x2_shuffle::<0, 2>(low[0], low[1]),
        i64x2_shuffle::<1, 3>(low[0], low[1]),
        i64x2_shuffle::<0, 2>(high[0], high[1]),
        i64x2_shuffle::<1, 3>(high[0], high[1]),
    ]
}
