//! Plain Rust: arrays that the compiler lays into whatever registers there are.

use std::array::from_fn;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

use super::eight::{self, EIGHT, Octet, Twice};
use super::{CELLS, Float, Isa, ROW, Word, first, first_mut};
use crate::rng::{KEY_STEPS, MULTIPLIERS, ROUNDS};

/// The instruction set of none in particular.
#[derive(Clone, Copy)]
pub struct Portable;

/// Eight numbers.
#[derive(Clone, Copy)]
pub struct Eight<T>([T; EIGHT]);

macro_rules! operators {
    ($number:ty, $($operator:ident $method:ident $apply:expr;)*) => {
        $(impl $operator for Eight<$number> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(from_fn(|i| $apply(self.0[i], other.0[i])))
            }
        })*
    };
}

macro_rules! float {
    ($number:ty) => {
        operators!($number,
            Add add |a: $number, b: $number| a + b;
            Sub sub |a: $number, b: $number| a - b;
            Mul mul |a: $number, b: $number| a * b;
            Div div |a: $number, b: $number| a / b;
        );

        impl Float for Eight<$number> {
            type Number = $number;

            #[inline(always)]
            fn splat(number: $number) -> Self {
                Self([number; EIGHT])
            }

            #[inline(always)]
            fn load(numbers: &[$number]) -> Self {
                Self(*first(numbers))
            }

            #[inline(always)]
            fn store(self, numbers: &mut [$number]) {
                *first_mut(numbers) = self.0;
            }

            #[inline(always)]
            fn above(self, other: Self) -> Self {
                self.if_above(other, self, other)
            }

            #[inline(always)]
            fn below(self, other: Self) -> Self {
                other.if_above(self, self, other)
            }

            #[inline(always)]
            fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
                Self(from_fn(|i| if self.0[i] > other.0[i] { yes.0[i] } else { no.0[i] }))
            }

            #[inline(always)]
            fn any_above(self, other: Self) -> bool {
                (0..EIGHT).any(|i| self.0[i] > other.0[i])
            }
        }
    };
}

float!(f32);
float!(f64);

operators!(u32,
    Add add u32::wrapping_add;
    Sub sub u32::wrapping_sub;
    BitAnd bitand |a: u32, b: u32| a & b;
    BitOr bitor |a: u32, b: u32| a | b;
);

impl Word for Eight<u32> {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self([word; EIGHT])
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        Self(*first(words))
    }

    #[inline(always)]
    fn store(self, words: &mut [u32]) {
        *first_mut(words) = self.0;
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        Self(self.0.map(|word| word << bits))
    }

    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        Self(self.0.map(|word| word >> bits))
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i].wrapping_mul(other.0[i])))
    }

    #[inline(always)]
    fn least(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i].min(other.0[i])))
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        Self(from_fn(|i| {
            (self.0[i] as i32).max(other.0[i] as i32) as u32
        }))
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        Self(from_fn(|i| {
            (self.0[i] as i32).min(other.0[i] as i32) as u32
        }))
    }

    #[inline(always)]
    fn if_below(self, other: Self, yes: Self, no: Self) -> Self {
        Self(from_fn(|i| {
            if self.0[i] < other.0[i] {
                yes.0[i]
            } else {
                no.0[i]
            }
        }))
    }
}

impl Octet for Eight<f32> {
    #[inline(always)]
    fn transpose(rows: [Self; EIGHT]) -> [Self; EIGHT] {
        from_fn(|i| Eight(from_fn(|j| rows[j].0[i])))
    }
}

impl Isa for Portable {
    type F32 = Eight<f32>;
    type F64 = Eight<f64>;
    type U32 = Eight<u32>;
    type Pair = Twice<Eight<f32>>;

    const GROUP: usize = EIGHT;

    #[inline(always)]
    fn widen(numbers: Eight<f32>) -> Eight<f64> {
        Eight(numbers.0.map(f64::from))
    }

    #[inline(always)]
    fn narrow(numbers: Eight<f64>) -> Eight<f32> {
        Eight(numbers.0.map(|number| number as f32))
    }

    #[inline(always)]
    fn floor(numbers: Eight<f64>) -> Eight<f64> {
        Eight(numbers.0.map(f64::floor))
    }

    #[inline(always)]
    fn real(words: Eight<u32>) -> Eight<f64> {
        Eight(words.0.map(|word| f64::from(word as i32)))
    }

    #[inline(always)]
    fn float(words: Eight<u32>) -> Eight<f32> {
        Eight(words.0.map(|word| word as i32 as f32))
    }

    #[inline(always)]
    fn whole(numbers: Eight<f32>) -> Eight<u32> {
        Eight(numbers.0.map(|number| number as i32 as u32))
    }

    #[inline(always)]
    fn store_bytes(words: Eight<u32>, bytes: &mut [u8]) {
        *first_mut(bytes) = words.0.map(|word| word as u8);
    }

    #[inline(always)]
    fn bits(numbers: Eight<f32>) -> Eight<u32> {
        Eight(numbers.0.map(f32::to_bits))
    }

    #[inline(always)]
    fn next_rank(before: Eight<u32>, _: u32, x: Eight<f32>, edge: f32) -> Eight<u32> {
        Eight(from_fn(|i| before.0[i] + u32::from(x.0[i] >= edge)))
    }

    #[inline(always)]
    fn columns_of_pairs(pair: impl Fn([usize; 2]) -> Self::Pair) -> [Eight<f32>; ROW] {
        eight::columns_of_pairs([pair([0, 4]), pair([1, 5]), pair([2, 6]), pair([3, 7])])
    }

    #[inline(always)]
    fn columns<const N: usize>(rows: &[[u32; N]]) -> [Eight<f32>; N] {
        let rows: &[_; EIGHT] = first(rows);
        from_fn(|i| Eight(rows.map(|row| f32::from_bits(row[i]))))
    }

    #[inline(always)]
    fn store_rows(columns: &[Eight<f32>], rows: &mut [f32]) {
        eight::store_rows(columns, rows);
    }

    #[inline(always)]
    fn gather(table: &[u32], at: Eight<u32>) -> Eight<u32> {
        Eight(at.0.map(|at| table[(at as usize).min(table.len() - 1)]))
    }

    #[inline(always)]
    fn gather_f32(table: &[f32], at: Eight<u32>) -> Eight<f32> {
        Eight(at.0.map(|at| table[(at as usize).min(table.len() - 1)]))
    }

    #[inline(always)]
    fn lookup(table: &[f32; 16], at: Eight<u32>) -> Eight<f32> {
        Eight(at.0.map(|at| table[at as usize & 15]))
    }

    #[inline(always)]
    fn line(table: &[[f32; 2]; CELLS], at: Eight<u32>, y: Eight<f32>) -> Eight<f32> {
        Eight(from_fn(|i| {
            let [a, b] = table[at.0[i] as usize & (CELLS - 1)];
            a + b * y.0[i]
        }))
    }

    #[inline(always)]
    fn philox(counter: [Eight<u32>; 2], tail: [u32; 2], key: [Eight<u32>; 2]) -> [Eight<u32>; 4] {
        let wide = |words: Eight<u32>| words.0.map(u64::from);
        let [mut c0, mut c1] = counter.map(wide);
        let [mut c2, mut c3] = tail.map(|word| [u64::from(word); EIGHT]);
        let [mut k0, mut k1] = key.map(wide);
        for _ in 0..ROUNDS {
            for i in 0..EIGHT {
                let p0 = (c0[i] & 0xffff_ffff) * u64::from(MULTIPLIERS[0]);
                let p1 = (c2[i] & 0xffff_ffff) * u64::from(MULTIPLIERS[1]);
                c0[i] = (p1 >> 32) ^ c1[i] ^ k0[i];
                c1[i] = p1;
                c2[i] = (p0 >> 32) ^ c3[i] ^ k1[i];
                c3[i] = p0;
                k0[i] = k0[i].wrapping_add(u64::from(KEY_STEPS[0]));
                k1[i] = k1[i].wrapping_add(u64::from(KEY_STEPS[1]));
            }
        }
        [c0, c1, c2, c3].map(|words| Eight(words.map(|word| word as u32)))
    }
}
