//! WebAssembly's SIMD128, four f32 in a register. Only instructions whose results are fixed:
//! nothing relaxed.

// Loads and stores are of the arrays whose addresses they take, and unaligned.
#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::wasm32::*;
use std::array::from_fn;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

use super::eight::{self, EIGHT, Octet, Twice};
use super::{CELLS, Float, GROUP_MAX, Isa, ROW, Word, first, first_mut};
use crate::rng::{KEY_STEPS, MULTIPLIERS, ROUNDS};

#[derive(Clone, Copy)]
pub struct Simd128;

/// Eight f32.
#[derive(Clone, Copy)]
pub struct F32s([v128; 2]);

/// Eight f64.
#[derive(Clone, Copy)]
pub struct F64s([v128; 4]);

/// Eight words.
#[derive(Clone, Copy)]
pub struct U32s([v128; 2]);

macro_rules! operators {
    ($name:ident, $($operator:ident $method:ident $instruction:ident;)*) => {
        $(impl $operator for $name {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(from_fn(|i| $instruction(self.0[i], other.0[i])))
            }
        })*
    };
}

operators!(F32s,
    Add add f32x4_add;
    Sub sub f32x4_sub;
    Mul mul f32x4_mul;
    Div div f32x4_div;
);
operators!(F64s,
    Add add f64x2_add;
    Sub sub f64x2_sub;
    Mul mul f64x2_mul;
    Div div f64x2_div;
);
operators!(U32s,
    Add add i32x4_add;
    Sub sub i32x4_sub;
    BitAnd bitand v128_and;
    BitOr bitor v128_or;
);

/// `pmax(y, x)` is `x > y ? x : y`, NaN and signed zeros included; `pmin` alike.
macro_rules! float {
    ($name:ident, $number:ty, $splat:ident, $pmax:ident, $pmin:ident, $gt:ident) => {
        impl Float for $name {
            type Number = $number;

            #[inline(always)]
            fn splat(number: $number) -> Self {
                Self(from_fn(|_| $splat(number)))
            }

            #[inline(always)]
            fn load(numbers: &[$number]) -> Self {
                let from: *const v128 = first::<_, EIGHT>(numbers).as_ptr().cast();
                Self(from_fn(|i| unsafe { v128_load(from.add(i)) }))
            }

            #[inline(always)]
            fn store(self, numbers: &mut [$number]) {
                let to: *mut v128 = first_mut::<_, EIGHT>(numbers).as_mut_ptr().cast();
                for (i, register) in self.0.into_iter().enumerate() {
                    unsafe { v128_store(to.add(i), register) }
                }
            }

            #[inline(always)]
            fn above(self, other: Self) -> Self {
                Self(from_fn(|i| $pmax(other.0[i], self.0[i])))
            }

            #[inline(always)]
            fn below(self, other: Self) -> Self {
                Self(from_fn(|i| $pmin(other.0[i], self.0[i])))
            }

            #[inline(always)]
            fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
                Self(from_fn(|i| {
                    v128_bitselect(yes.0[i], no.0[i], $gt(self.0[i], other.0[i]))
                }))
            }

            #[inline(always)]
            fn any_above(self, other: Self) -> bool {
                (0..self.0.len()).any(|i| v128_any_true($gt(self.0[i], other.0[i])))
            }
        }
    };
}

float!(F32s, f32, f32x4_splat, f32x4_pmax, f32x4_pmin, f32x4_gt);
float!(F64s, f64, f64x2_splat, f64x2_pmax, f64x2_pmin, f64x2_gt);

impl Word for U32s {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self([u32x4_splat(word); 2])
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        let from: *const v128 = first::<_, EIGHT>(words).as_ptr().cast();
        Self(from_fn(|i| unsafe { v128_load(from.add(i)) }))
    }

    #[inline(always)]
    fn store(self, words: &mut [u32]) {
        let to: *mut v128 = first_mut::<_, EIGHT>(words).as_mut_ptr().cast();
        for (i, register) in self.0.into_iter().enumerate() {
            unsafe { v128_store(to.add(i), register) }
        }
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        Self(self.0.map(|words| i32x4_shl(words, bits)))
    }

    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        Self(self.0.map(|words| u32x4_shr(words, bits)))
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Self(from_fn(|i| i32x4_mul(self.0[i], other.0[i])))
    }

    #[inline(always)]
    fn least(self, other: Self) -> Self {
        Self(from_fn(|i| u32x4_min(self.0[i], other.0[i])))
    }

    #[inline(always)]
    fn if_below(self, other: Self, yes: Self, no: Self) -> Self {
        Self(from_fn(|i| {
            v128_bitselect(yes.0[i], no.0[i], i32x4_lt(self.0[i], other.0[i]))
        }))
    }
}

impl Octet for F32s {
    #[inline(always)]
    fn transpose(rows: [F32s; EIGHT]) -> [F32s; EIGHT] {
        let quarter =
            |top: usize, half: usize| transpose_four(from_fn(|i| rows[4 * top + i].0[half]));
        let quarters = [
            [quarter(0, 0), quarter(1, 0)],
            [quarter(0, 1), quarter(1, 1)],
        ];
        from_fn(|i| F32s(quarters[i / 4].map(|rows| rows[i % 4])))
    }
}

impl Isa for Simd128 {
    type F32 = F32s;
    type F64 = F64s;
    type U32 = U32s;
    type Pair = Twice<F32s>;

    const GROUP: usize = EIGHT;

    #[inline(always)]
    fn widen(F32s([low, high]): F32s) -> F64s {
        let upper = |four: v128| f64x2_promote_low_f32x4(i64x2_shuffle::<1, 1>(four, four));
        F64s([
            f64x2_promote_low_f32x4(low),
            upper(low),
            f64x2_promote_low_f32x4(high),
            upper(high),
        ])
    }

    #[inline(always)]
    fn narrow(F64s(numbers): F64s) -> F32s {
        let [a, b, c, d] = numbers.map(|two| f32x4_demote_f64x2_zero(two));
        F32s([beside(a, b), beside(c, d)])
    }

    #[inline(always)]
    fn floor(F64s(numbers): F64s) -> F64s {
        F64s(numbers.map(|four| f64x2_floor(four)))
    }

    #[inline(always)]
    fn real(U32s([low, high]): U32s) -> F64s {
        let upper = |four: v128| f64x2_convert_low_i32x4(i64x2_shuffle::<1, 1>(four, four));
        F64s([
            f64x2_convert_low_i32x4(low),
            upper(low),
            f64x2_convert_low_i32x4(high),
            upper(high),
        ])
    }

    #[inline(always)]
    fn float(U32s(words): U32s) -> F32s {
        F32s(words.map(|four| f32x4_convert_i32x4(four)))
    }

    #[inline(always)]
    fn whole(F32s(numbers): F32s) -> U32s {
        U32s(numbers.map(|four| i32x4_trunc_sat_f32x4(four)))
    }

    #[inline(always)]
    fn store_bytes(U32s([low, high]): U32s, bytes: &mut [u8]) {
        let halves = u16x8_narrow_i32x4(low, high);
        let eight = u64x2_extract_lane::<0>(u8x16_narrow_i16x8(halves, halves));
        *first_mut(bytes) = eight.to_le_bytes();
    }

    #[inline(always)]
    fn bits(F32s(numbers): F32s) -> U32s {
        U32s(numbers)
    }

    #[inline(always)]
    fn next_rank(before: U32s, _: u32, F32s(x): F32s, edge: f32) -> U32s {
        // A mask is -1 as a number.
        before - U32s(x.map(|four| f32x4_ge(four, f32x4_splat(edge))))
    }

    #[inline(always)]
    fn columns_of_pairs(pairs: [Self::Pair; GROUP_MAX / 2]) -> [F32s; ROW] {
        eight::columns_of_pairs(pairs)
    }

    #[inline(always)]
    fn columns<const N: usize>(rows: &[[u32; N]]) -> [F32s; N] {
        let rows: &[_; EIGHT] = first(rows);
        from_fn(|i| F32s::load(&rows.map(|row| f32::from_bits(row[i]))))
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
    fn line(table: &[[f32; 2]; CELLS], at: U32s, F32s(y): F32s) -> F32s {
        let at = positions(at);
        // A pair is fetched as one 64-bit number.
        let two = |i: usize| {
            let [first, second] = [at[i], at[i + 1]].map(|at| &table[at as usize & (CELLS - 1)]);
            // SAFETY: a pair is eight bytes.
            unsafe {
                let low = v128_load64_zero(first.as_ptr().cast());
                v128_load64_lane::<1>(low, second.as_ptr().cast())
            }
        };
        F32s(from_fn(|half| {
            let (low, high) = (two(4 * half), two(4 * half + 2));
            let a = i32x4_shuffle::<0, 2, 4, 6>(low, high);
            let b = i32x4_shuffle::<1, 3, 5, 7>(low, high);
            f32x4_add(a, f32x4_mul(b, y[half]))
        }))
    }

    #[inline(always)]
    fn philox(counter: [U32s; 2], tail: [u32; 2], key: [U32s; 2]) -> [U32s; 4] {
        let [mut c0, mut c1] = counter.map(|words| words.0);
        let [mut c2, mut c3] = tail.map(|word| U32s::splat(word).0);
        let [mut k0, mut k1] = key.map(|words| words.0);
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
        [c0, c1, c2, c3].map(U32s)
    }
}

/// Words one by one, through registers: a store and loads would wait for each other.
#[inline(always)]
fn positions(U32s([low, high]): U32s) -> [u32; EIGHT] {
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
