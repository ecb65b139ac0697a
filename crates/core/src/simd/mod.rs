//! A group of lanes in an instruction set's registers: sixteen where one register has as many f32,
//! else eight. A kernel written against `Isa` is compiled once for each instruction set, and every
//! operation below means the same bits on all of them.
//!
//! Comparisons select rather than return a mask, since masks differ most between instruction sets,
//! and read as their scalar twins do: `x.above(y)` is `if x > y { x } else { y }`.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

use crate::store::LANES;

mod eight;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable;
mod state;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use state::State;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

/// The operations of the portable kernel: the operations that the target has without asking.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub type Base = portable::Portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub type Base = wasm::Simd128;

/// Lanes in a group, at most.
pub const GROUP_MAX: usize = 16;

/// Groups in a block, at most.
pub const GROUPS_MAX: usize = LANES / 8;

/// Numbers in a row of a `Pair`.
pub const ROW: usize = 8;

/// The numbers that `Isa::rank` counts.
const RANKS: [u32; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// Cells of a quantile table.
pub const CELLS: usize = 4096;

/// A floating-point number for each lane.
pub trait Float:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    type Number: Copy;

    fn splat(number: Self::Number) -> Self;
    /// The first numbers of a slice that has enough of them.
    fn load(numbers: &[Self::Number]) -> Self;
    /// As `load`.
    fn store(self, numbers: &mut [Self::Number]);
    /// `if self > other { self } else { other }`
    fn above(self, other: Self) -> Self;
    /// `if self < other { self } else { other }`
    fn below(self, other: Self) -> Self;
    /// `if self > other { yes } else { no }`
    fn if_above(self, other: Self, yes: Self, no: Self) -> Self;
    /// Whether `self > other` in some lane.
    fn any_above(self, other: Self) -> bool;

    /// Clipped to low..=high; what is not above low, NaN included, reads low.
    #[inline(always)]
    fn clip(self, low: Self, high: Self) -> Self {
        self.above(low).below(high)
    }
}

/// Two rows of eight f32, side by side.
pub trait Pair: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    fn splat(number: f32) -> Self;
    /// A number for each row.
    fn splat_each(numbers: [f32; 2]) -> Self;
    fn load(numbers: &[f32; 2 * ROW]) -> Self;
    fn load_each(rows: [&[f32; ROW]; 2]) -> Self;
    /// The first rows of two pairs, and their second rows.
    fn regroup(self, other: Self) -> [Self; 2];
}

/// A 32-bit word for each lane.
pub trait Word:
    Copy + Add<Output = Self> + Sub<Output = Self> + BitAnd<Output = Self> + BitOr<Output = Self>
{
    fn splat(word: u32) -> Self;
    /// The first words of a slice that has enough of them.
    fn load(words: &[u32]) -> Self;
    /// As `load`.
    fn store(self, words: &mut [u32]);
    fn shl(self, bits: u32) -> Self;
    fn shr(self, bits: u32) -> Self;
    /// The low half of the product.
    fn times(self, other: Self) -> Self;
    /// The smaller one, unsigned.
    fn least(self, other: Self) -> Self;
    /// `if self > other { self } else { other }`, signed.
    fn above(self, other: Self) -> Self;
    /// `if self < other { self } else { other }`, signed.
    fn below(self, other: Self) -> Self;
    /// `if self < other { yes } else { no }`, both below 2^31.
    fn if_below(self, other: Self, yes: Self, no: Self) -> Self;

    /// Clipped to low..=high, signed.
    #[inline(always)]
    fn clip(self, low: Self, high: Self) -> Self {
        self.above(low).below(high)
    }
}

/// An instruction set.
pub trait Isa: Copy {
    type F32: Float<Number = f32>;
    type F64: Float<Number = f64>;
    type U32: Word;
    type Pair: Pair;

    /// Lanes in a group.
    const GROUP: usize;
    /// Groups in a block.
    const GROUPS: usize = LANES / Self::GROUP;

    fn widen(numbers: Self::F32) -> Self::F64;
    fn narrow(numbers: Self::F64) -> Self::F32;
    fn floor(numbers: Self::F64) -> Self::F64;
    /// Words as signed numbers.
    fn real(words: Self::U32) -> Self::F64;
    /// Words as signed numbers, rounded to nearest.
    fn float(words: Self::U32) -> Self::F32;
    /// Numbers in 0..2^31, cut to integers.
    fn whole(numbers: Self::F32) -> Self::U32;
    /// Stores words below 2^8 as the first bytes of a slice.
    fn store_bytes(words: Self::U32, bytes: &mut [u8]);
    /// The numbers' own bits.
    fn bits(numbers: Self::F32) -> Self::U32;
    /// `if x >= edge { rank } else { before }`; in lanes that reach the edge, `rank` is one more
    /// than `before`.
    fn next_rank(before: Self::U32, rank: u32, x: Self::F32, edge: f32) -> Self::U32;

    /// How many of at most sixteen edges, which ascend, `x` reaches.
    #[inline(always)]
    fn rank(x: Self::F32, edges: &[f32]) -> Self::U32 {
        assert!(edges.len() <= RANKS.len());
        let ((fours, last), (ranks, _)) = (edges.as_chunks::<4>(), RANKS.as_chunks::<4>());
        let mut rank = Self::U32::splat(0);
        for (edges, ranks) in fours.iter().zip(ranks) {
            for (&edge, &next) in edges.iter().zip(ranks) {
                rank = Self::next_rank(rank, next, x, edge);
            }
        }
        for (&edge, &next) in last.iter().zip(&RANKS[4 * fours.len()..]) {
            rank = Self::next_rank(rank, next, x, edge);
        }
        rank
    }

    /// A row for each lane, as columns; `pair` gives the rows of two lanes.
    fn columns_of_pairs(pair: impl Fn([usize; 2]) -> Self::Pair) -> [Self::F32; ROW];
    /// The first rows of `N <= 8` numbers, given by their bits, as columns.
    fn columns<const N: usize>(rows: &[[u32; N]]) -> [Self::F32; N];
    /// Stores columns as rows of as many numbers.
    fn store_rows(columns: &[Self::F32], rows: &mut [f32]);
    /// Elements of a table that is not empty; what lies beyond it reads its last.
    fn gather(table: &[u32], at: Self::U32) -> Self::U32;
    /// As `gather`.
    fn gather_f32(table: &[f32], at: Self::U32) -> Self::F32;
    /// Elements of a table of sixteen; positions are taken modulo 16.
    fn lookup(table: &[f32; 16], at: Self::U32) -> Self::F32;
    /// `a + b · y` with the pairs (a, b) of a table; positions are taken modulo its size.
    fn line(table: &[[f32; 2]; CELLS], at: Self::U32, y: Self::F32) -> Self::F32;
    /// `rng::philox`; the last two words of the counters are shared.
    fn philox(counter: [Self::U32; 2], tail: [u32; 2], key: [Self::U32; 2]) -> [Self::U32; 4];
}

/// A group's part of a row of state.
#[inline(always)]
pub fn part<I: Isa, T>(row: &[T; LANES], group: usize) -> &[T] {
    &row[group * I::GROUP..][..I::GROUP]
}

/// As `part`.
#[inline(always)]
pub fn part_mut<I: Isa, T>(row: &mut [T; LANES], group: usize) -> &mut [T] {
    &mut row[group * I::GROUP..][..I::GROUP]
}

/// As many as a register or an instruction takes.
#[inline(always)]
fn first<T, const N: usize>(numbers: &[T]) -> &[T; N] {
    numbers.first_chunk().expect("a group of them")
}

/// As `first`.
#[inline(always)]
fn first_mut<T, const N: usize>(numbers: &mut [T]) -> &mut [T; N] {
    numbers.first_chunk_mut().expect("a group of them")
}

/// Sampler Q: `sampling::quantile` for a group.
#[inline(always)]
pub fn quantile<S: Isa>(table: &[[f32; 2]; CELLS], words: S::U32) -> S::F32 {
    let odd = (words.shr(7) & S::U32::splat(0x00ff_fffe)) | S::U32::splat(1);
    let y = S::float(odd);
    let cell = S::bits(y).shr(17) - S::U32::splat(127 << 6);
    S::line(table, words.shr(31).shl(11) + cell, y)
}

#[cfg(test)]
mod tests;
