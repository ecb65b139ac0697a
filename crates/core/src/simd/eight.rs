//! The common part of instruction sets whose groups are eight lanes.

use std::ops::{Add, Div, Mul, Sub};

use super::{Float, Pair, ROW};

/// Lanes in a group.
pub const EIGHT: usize = 8;

/// Eight f32.
pub trait Octet: Float<Number = f32> {
    /// Eight rows of eight numbers, transposed.
    fn transpose(rows: [Self; EIGHT]) -> [Self; EIGHT];
}

/// Two of something.
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

impl<T: Octet> Pair for Twice<T> {
    #[inline(always)]
    fn splat(number: f32) -> Self {
        Self(T::splat(number), T::splat(number))
    }

    #[inline(always)]
    fn splat_each([first, second]: [f32; 2]) -> Self {
        Self(T::splat(first), T::splat(second))
    }

    #[inline(always)]
    fn load(numbers: &[f32; 2 * ROW]) -> Self {
        Self(T::load(numbers), T::load(&numbers[ROW..]))
    }

    #[inline(always)]
    fn load_each([first, second]: [&[f32; ROW]; 2]) -> Self {
        Self(T::load(first), T::load(second))
    }

    #[inline(always)]
    fn regroup(self, other: Self) -> [Self; 2] {
        [Self(self.0, other.0), Self(self.1, other.1)]
    }
}

/// `Isa::columns_of_pairs`, of lanes 0 and 4, 1 and 5, 2 and 6, 3 and 7.
#[inline(always)]
pub fn columns_of_pairs<T: Octet>([a, b, c, d]: [Twice<T>; 4]) -> [T; ROW] {
    T::transpose([a.0, b.0, c.0, d.0, a.1, b.1, c.1, d.1])
}

/// `Isa::store_rows`: groups of eight columns, the last of which overlaps the one before.
#[inline(always)]
pub fn store_rows<T: Octet>(columns: &[T], rows: &mut [f32]) {
    let width = columns.len();
    if width < EIGHT {
        return store_narrow_rows(columns, rows);
    }
    let mut column = 0;
    while column < width {
        let first = column.min(width - EIGHT);
        let eight = columns[first..].first_chunk().expect("eight columns");
        store_eight(*eight, &mut rows[first..], width);
        column += EIGHT;
    }
}

/// Stores columns as rows of as many numbers, which are fewer than eight. A row of more than four
/// is stored as eight numbers where the slice has them: the next row puts the last ones right.
#[inline(always)]
fn store_narrow_rows<T: Octet>(columns: &[T], rows: &mut [f32]) {
    let width = columns.len();
    let rows = &mut rows[..EIGHT * width];
    let mut eight = [T::splat(0.0); EIGHT];
    eight[..width].copy_from_slice(columns);
    for (i, numbers) in T::transpose(eight).into_iter().enumerate() {
        let rest = &mut rows[i * width..];
        if width > EIGHT / 2 && rest.len() >= EIGHT {
            numbers.store(rest);
        } else {
            let mut padded = [0.0; EIGHT];
            numbers.store(&mut padded);
            rest[..width].copy_from_slice(&padded[..width]);
        }
    }
}

/// Stores eight columns at the beginning of rows of `width` numbers.
#[inline(always)]
fn store_eight<T: Octet>(columns: [T; EIGHT], rows: &mut [f32], width: usize) {
    assert!(rows.len() >= (EIGHT - 1) * width + EIGHT);
    for (i, row) in T::transpose(columns).into_iter().enumerate() {
        row.store(&mut rows[i * width..]);
    }
}
