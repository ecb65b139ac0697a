//! SIMD128's registers, eight lanes in two or four of them.

// Loads and stores are of the arrays whose addresses they take, and unaligned.
#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::wasm32::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

use crate::simd::eight::EIGHT;
use crate::simd::{Float, Word, first, first_mut};

/// Eight f32.
#[derive(Clone, Copy)]
pub struct F32s(pub v128, pub v128);

/// Eight f64.
#[derive(Clone, Copy)]
pub struct F64s(pub v128, pub v128, pub v128, pub v128);

/// Eight words.
#[derive(Clone, Copy)]
pub struct U32s(pub v128, pub v128);

/// An operation on each register, register by register: the compiler would keep an array of them in
/// memory, and an iterator over it too.
macro_rules! registers {
    ($name:ident of $number:ty: $($i:tt)*) => {
        impl $name {
            #[inline(always)]
            pub fn map(self, of: impl Fn(v128) -> v128) -> Self {
                Self($(of(self.$i)),*)
            }

            #[inline(always)]
            fn zip(self, other: Self, of: impl Fn(v128, v128) -> v128) -> Self {
                Self($(of(self.$i, other.$i)),*)
            }

            /// `yes` where the mask's bits are set, else `no`.
            #[inline(always)]
            fn choose(mask: Self, yes: Self, no: Self) -> Self {
                Self($(v128_bitselect(yes.$i, no.$i, mask.$i)),*)
            }

            #[inline(always)]
            fn read(numbers: &[$number]) -> Self {
                let from: *const v128 = first::<_, EIGHT>(numbers).as_ptr().cast();
                Self($(unsafe { v128_load(from.add($i)) }),*)
            }

            #[inline(always)]
            fn write(self, numbers: &mut [$number]) {
                let to: *mut v128 = first_mut::<_, EIGHT>(numbers).as_mut_ptr().cast();
                $(unsafe { v128_store(to.add($i), self.$i) };)*
            }
        }
    };
}

registers!(F32s of f32: 0 1);
registers!(F64s of f64: 0 1 2 3);
registers!(U32s of u32: 0 1);

macro_rules! operators {
    ($name:ident, $($operator:ident $method:ident $instruction:ident;)*) => {
        $(impl $operator for $name {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| $instruction(a, b))
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
    ($number:ty, $pmax:ident, $pmin:ident, $gt:ident) => {
        #[inline(always)]
        fn load(numbers: &[$number]) -> Self {
            Self::read(numbers)
        }

        #[inline(always)]
        fn store(self, numbers: &mut [$number]) {
            self.write(numbers);
        }

        #[inline(always)]
        fn above(self, other: Self) -> Self {
            self.zip(other, |x, y| $pmax(y, x))
        }

        #[inline(always)]
        fn below(self, other: Self) -> Self {
            self.zip(other, |x, y| $pmin(y, x))
        }

        #[inline(always)]
        fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
            Self::choose(self.zip(other, |x, y| $gt(x, y)), yes, no)
        }
    };
}

impl Float for F32s {
    type Number = f32;

    float!(f32, f32x4_pmax, f32x4_pmin, f32x4_gt);

    #[inline(always)]
    fn splat(number: f32) -> Self {
        let four = f32x4_splat(number);
        Self(four, four)
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        let Self(low, high) = self.zip(other, |x, y| f32x4_gt(x, y));
        v128_any_true(v128_or(low, high))
    }
}

impl Float for F64s {
    type Number = f64;

    float!(f64, f64x2_pmax, f64x2_pmin, f64x2_gt);

    #[inline(always)]
    fn splat(number: f64) -> Self {
        let two = f64x2_splat(number);
        Self(two, two, two, two)
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        let Self(a, b, c, d) = self.zip(other, |x, y| f64x2_gt(x, y));
        v128_any_true(v128_or(v128_or(a, b), v128_or(c, d)))
    }
}

impl Word for U32s {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        let four = u32x4_splat(word);
        Self(four, four)
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        Self::read(words)
    }

    #[inline(always)]
    fn store(self, words: &mut [u32]) {
        self.write(words);
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        self.map(|words| i32x4_shl(words, bits))
    }

    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        self.map(|words| u32x4_shr(words, bits))
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.zip(other, |a, b| i32x4_mul(a, b))
    }

    #[inline(always)]
    fn least(self, other: Self) -> Self {
        self.zip(other, |a, b| u32x4_min(a, b))
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        self.zip(other, |a, b| i32x4_max(a, b))
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        self.zip(other, |a, b| i32x4_min(a, b))
    }

    #[inline(always)]
    fn if_below(self, other: Self, yes: Self, no: Self) -> Self {
        Self::choose(self.zip(other, |a, b| i32x4_lt(a, b)), yes, no)
    }
}
