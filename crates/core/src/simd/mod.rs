//! Eight lanes in an instruction set's registers. A kernel written against `Isa` is compiled once
//! for each instruction set, and every operation below means the same bits on all of them.
//!
//! Comparisons select rather than return a mask, since masks differ most between instruction sets,
//! and read as their scalar twins do: `x.above(y)` is `if x > y { x } else { y }`.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

use crate::store::LANES;

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

/// What the portable kernel is made of: the operations that the target has without asking.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub type Base = portable::Portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub type Base = wasm::Simd128;

/// Lanes in a group.
pub const GROUP: usize = 8;

/// Groups in a block.
pub const GROUPS: usize = LANES / GROUP;

/// Cells of a quantile table.
pub const CELLS: usize = 4096;

/// Eight floating-point numbers.
pub trait Float:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    type Number: Copy;

    fn splat(number: Self::Number) -> Self;
    fn load(numbers: &[Self::Number; GROUP]) -> Self;
    fn store(self, numbers: &mut [Self::Number; GROUP]);
    /// `if self > other { self } else { other }`
    fn above(self, other: Self) -> Self;
    /// `if self < other { self } else { other }`
    fn below(self, other: Self) -> Self;
    /// `if self > other { yes } else { no }`
    fn if_above(self, other: Self, yes: Self, no: Self) -> Self;

    /// Clipped to low..=high; what is not above low, NaN included, reads low.
    #[inline(always)]
    fn clip(self, low: Self, high: Self) -> Self {
        self.above(low).below(high)
    }
}

/// Sixteen f32: two groups side by side.
pub trait Wide: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    type Half: Float<Number = f32>;

    fn splat(number: f32) -> Self;
    fn load(numbers: &[f32; 2 * GROUP]) -> Self;
    fn halves(self) -> (Self::Half, Self::Half);
}

/// Eight 32-bit words.
pub trait Word:
    Copy + Add<Output = Self> + Sub<Output = Self> + BitAnd<Output = Self> + BitOr<Output = Self>
{
    fn splat(word: u32) -> Self;
    fn load(words: &[u32; GROUP]) -> Self;
    fn store(self, words: &mut [u32; GROUP]);
    fn shl(self, bits: u32) -> Self;
    fn shr(self, bits: u32) -> Self;
    /// The low half of the product.
    fn times(self, other: Self) -> Self;
    /// The smaller one, unsigned.
    fn least(self, other: Self) -> Self;
    /// `if self < other { yes } else { no }`, both below 2^31.
    fn if_below(self, other: Self, yes: Self, no: Self) -> Self;
}

/// Two of something narrower than what it stands for.
#[derive(Clone, Copy)]
pub struct Twice<T>(T, T);

macro_rules! twice {
    ($($operator:ident $method:ident;)*) => {
        $(impl<T: $operator<Output = T>> $operator for Twice<T> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0), self.1.$method(other.1))
            }
        })*
    };
}

twice!(Add add; Sub sub; Mul mul; Div div;);

impl<T: Float<Number = f32>> Wide for Twice<T> {
    type Half = T;

    #[inline(always)]
    fn splat(number: f32) -> Self {
        Self(T::splat(number), T::splat(number))
    }

    #[inline(always)]
    fn load(numbers: &[f32; 2 * GROUP]) -> Self {
        let [first, second] = numbers.as_chunks().0 else {
            unreachable!("two groups")
        };
        Self(T::load(first), T::load(second))
    }

    #[inline(always)]
    fn halves(self) -> (T, T) {
        (self.0, self.1)
    }
}

/// An instruction set.
pub trait Isa: Copy {
    type F32: Float<Number = f32>;
    type F64: Float<Number = f64>;
    type U32: Word;
    type F32x16: Wide<Half = Self::F32>;

    fn widen(numbers: Self::F32) -> Self::F64;
    fn narrow(numbers: Self::F64) -> Self::F32;
    fn floor(numbers: Self::F64) -> Self::F64;
    /// Words below 2^31 as numbers.
    fn real(words: Self::U32) -> Self::F64;
    /// Words below 2^31 as numbers, rounded to nearest.
    fn float(words: Self::U32) -> Self::F32;
    /// Numbers in 0..2^31, cut to integers.
    fn whole(numbers: Self::F32) -> Self::U32;
    /// Words below 2^8 as bytes.
    fn bytes(words: Self::U32) -> [u8; GROUP];
    /// The numbers' own bits.
    fn bits(numbers: Self::F32) -> Self::U32;
    /// One more where `x >= least`.
    fn count_at_least(count: Self::U32, x: Self::F32, least: Self::F32) -> Self::U32;
    /// Eight rows of eight numbers, transposed.
    fn transpose(rows: [Self::F32; GROUP]) -> [Self::F32; GROUP];
    /// Eight rows of `N <= 8` numbers, given by their bits, as columns.
    fn columns<const N: usize>(rows: &[[u32; N]; GROUP]) -> [Self::F32; N];
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
pub fn part<T>(row: &[T; LANES], group: usize) -> &[T; GROUP] {
    &row.as_chunks().0[group]
}

/// As `part`.
#[inline(always)]
pub fn part_mut<T>(row: &mut [T; LANES], group: usize) -> &mut [T; GROUP] {
    &mut row.as_chunks_mut().0[group]
}

/// Sampler Q: `sampling::quantile` for a group.
#[inline(always)]
pub fn quantile<S: Isa>(table: &[[f32; 2]; CELLS], words: S::U32) -> S::F32 {
    let odd = (words.shr(7) & S::U32::splat(0x00ff_fffe)) | S::U32::splat(1);
    let y = S::float(odd);
    let cell = S::bits(y).shr(17) - S::U32::splat(127 << 6);
    S::line(table, words.shr(31).shl(11) + cell, y)
}

/// Stores columns as rows of as many numbers, which are at least eight: groups of eight columns,
/// the last of which overlaps the one before.
#[inline(always)]
pub fn store_rows<I: Isa>(columns: &[I::F32], rows: &mut [f32]) {
    let width = columns.len();
    let mut column = 0;
    while column < width {
        let first = column.min(width - GROUP);
        let eight = columns[first..].first_chunk().expect("eight columns");
        store_eight::<I>(*eight, &mut rows[first..], width);
        column += GROUP;
    }
}

/// Stores columns as rows of as many numbers, which are fewer than eight.
#[inline(always)]
pub fn store_narrow_rows<I: Isa>(columns: &[I::F32], rows: &mut [f32]) {
    let width = columns.len();
    let mut eight = [I::F32::splat(0.0); GROUP];
    eight[..width].copy_from_slice(columns);
    for (row, numbers) in rows.chunks_exact_mut(width).zip(I::transpose(eight)) {
        let mut padded = [0.0; GROUP];
        numbers.store(&mut padded);
        row.copy_from_slice(&padded[..width]);
    }
}

/// Stores eight columns at the beginning of rows of `width` numbers.
#[inline(always)]
pub fn store_eight<I: Isa>(columns: [I::F32; GROUP], rows: &mut [f32], width: usize) {
    assert!(rows.len() >= (GROUP - 1) * width + GROUP);
    for (i, row) in I::transpose(columns).into_iter().enumerate() {
        let out = rows[i * width..].first_chunk_mut();
        row.store(out.expect("the assertion above"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of groups, as an array.
    fn numbers<I: Isa>(group: I::F32) -> [f32; GROUP] {
        let mut out = [0.0; GROUP];
        group.store(&mut out);
        out
    }

    fn words<I: Isa>(group: I::U32) -> [u32; GROUP] {
        let mut out = [0; GROUP];
        group.store(&mut out);
        out
    }

    #[inline(always)]
    fn check<I: Isa>() {
        check_comparisons::<I>();
        check_moves::<I>();
        check_draws::<I>();
    }

    #[inline(always)]
    fn check_comparisons<I: Isa>() {
        let (x, y) = (
            [1.0, -0.0, 0.0, f32::NAN, 2.0, f32::NAN, -1.5, 7.0],
            [2.0, 0.0, -0.0, 1.0, f32::NAN, f32::NAN, -2.5, 7.0],
        );
        let (a, b) = (I::F32::load(&x), I::F32::load(&y));
        let bits = |group: I::F32| words::<I>(I::bits(group));
        let expected = |choose: fn(f32, f32) -> f32| -> [u32; GROUP] {
            std::array::from_fn(|i| choose(x[i], y[i]).to_bits())
        };
        assert_eq!(bits(a.above(b)), expected(|x, y| if x > y { x } else { y }));
        assert_eq!(bits(a.below(b)), expected(|x, y| if x < y { x } else { y }));
        let (yes, no) = (I::F32::splat(3.0), I::F32::splat(4.0));
        let chosen = expected(|x, y| if x > y { 3.0 } else { 4.0 });
        assert_eq!(bits(a.if_above(b, yes, no)), chosen);
        let wide = I::narrow(I::widen(a).if_above(I::widen(b), I::widen(yes), I::widen(no)));
        assert_eq!(bits(wide), chosen);
        let counted = words::<I>(I::count_at_least(I::U32::splat(5), a, b));
        let at_least: [u32; GROUP] = std::array::from_fn(|i| 5 + u32::from(x[i] >= y[i]));
        assert_eq!(counted, at_least);
    }

    #[inline(always)]
    fn check_moves<I: Isa>() {
        let rows: [[u32; GROUP]; GROUP] =
            std::array::from_fn(|i| std::array::from_fn(|j| ((8 * i + j) as f32).to_bits()));
        let columns = I::columns(&rows);
        for (j, &column) in columns.iter().enumerate() {
            let expected = std::array::from_fn(|i| (8 * i + j) as f32);
            assert_eq!(numbers::<I>(column), expected);
        }
        let narrow: [[u32; 5]; GROUP] = rows.map(|row| std::array::from_fn(|i| row[i]));
        let last = I::columns(&narrow)[4];
        assert_eq!(
            numbers::<I>(last),
            [4.0, 12.0, 20.0, 28.0, 36.0, 44.0, 52.0, 60.0]
        );
        let table: [u32; 20] = std::array::from_fn(|i| 10 * i as u32);
        let at = I::U32::load(&[0, 1, 19, 20, u32::MAX, 9, 4, 3]);
        let gathered = words::<I>(I::gather(&table, at));
        assert_eq!(gathered, [0, 10, 190, 190, 190, 90, 40, 30]);
        let small: [f32; 16] = std::array::from_fn(|i| i as f32);
        let found = I::lookup(&small, I::U32::load(&[0, 1, 7, 8, 15, 9, 4, 3]));
        assert_eq!(
            numbers::<I>(found),
            [0.0, 1.0, 7.0, 8.0, 15.0, 9.0, 4.0, 3.0]
        );
        let bytes = I::bytes(I::U32::load(&[0, 1, 255, 254, 127, 128, 0, 7]));
        assert_eq!(bytes, [0, 1, 255, 254, 127, 128, 0, 7]);
        let columns: [I::F32; 14] = std::array::from_fn(|c| I::F32::splat(c as f32));
        let mut out = [0.0; 14 * GROUP];
        store_rows::<I>(&columns, &mut out);
        assert!(out.iter().enumerate().all(|(i, &x)| x == (i % 14) as f32));
    }

    #[inline(always)]
    fn check_draws<I: Isa>() {
        let table: Box<[[f32; 2]; CELLS]> =
            Box::new(std::array::from_fn(|i| [i as f32, 0.5 * i as f32]));
        let drawn: [u32; GROUP] = std::array::from_fn(|i| (i as u32).wrapping_mul(0x2545_F491));
        let own = numbers::<I>(quantile::<I>(&table, I::U32::load(&drawn)));
        let flat = table.as_flattened();
        assert_eq!(own, drawn.map(|word| crate::sampling::quantile(flat, word)));
        let episodes: [u32; GROUP] = std::array::from_fn(|i| u32::MAX - i as u32);
        let counter = [I::U32::load(&drawn), I::U32::load(&episodes)];
        let key = [I::U32::load(&episodes), I::U32::load(&drawn)];
        let philox = I::philox(counter, [2, 5], key).map(|group| words::<I>(group));
        for lane in 0..GROUP {
            let counter = [drawn[lane], episodes[lane], 2, 5];
            let expected = crate::rng::philox(counter, [episodes[lane], drawn[lane]]);
            assert_eq!(philox.map(|words| words[lane]), expected);
        }
    }

    #[test]
    fn portable_operations_are_right() {
        check::<portable::Portable>();
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn avx2_operations_are_right() {
        #[target_feature(enable = "avx2")]
        fn inside() {
            check::<Avx2>();
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has it.
            unsafe { inside() };
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn avx512_operations_are_right() {
        #[target_feature(enable = "avx2,avx512f,avx512vl,avx512dq,avx512bw,avx512cd")]
        fn inside() {
            check::<Avx512>();
        }
        if is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: the processor has it.
            unsafe { inside() };
        }
    }
}
