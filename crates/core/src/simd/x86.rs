//! AVX2 and AVX-512. The operations may run only inside a function compiled with the instruction
//! set on, which only a kernel that has asked the processor enters: that is why each is sound.

#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

use super::{CELLS, Float, GROUP, Word};

/// Eight f32.
#[derive(Clone, Copy)]
pub struct Ps(__m256);

/// Eight words.
#[derive(Clone, Copy)]
pub struct Epi32(__m256i);

macro_rules! one_register {
    ($name:ident, $($operator:ident $method:ident $instruction:ident;)*) => {
        $(impl $operator for $name {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(unsafe { $instruction(self.0, other.0) })
            }
        })*
    };
}

one_register!(Ps,
    Add add _mm256_add_ps;
    Sub sub _mm256_sub_ps;
    Mul mul _mm256_mul_ps;
    Div div _mm256_div_ps;
);
one_register!(Epi32,
    Add add _mm256_add_epi32;
    Sub sub _mm256_sub_epi32;
    BitAnd bitand _mm256_and_si256;
    BitOr bitor _mm256_or_si256;
);

// `max(x, y)` is `x > y ? x : y` on this architecture, NaN and signed zeros included; `min` alike.
impl Float for Ps {
    type Number = f32;

    #[inline(always)]
    fn splat(number: f32) -> Self {
        Self(unsafe { _mm256_set1_ps(number) })
    }

    #[inline(always)]
    fn load(numbers: &[f32; GROUP]) -> Self {
        Self(unsafe { _mm256_loadu_ps(numbers.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f32; GROUP]) {
        unsafe { _mm256_storeu_ps(numbers.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        Self(unsafe { _mm256_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let mask = _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, other.0);
            Self(_mm256_blendv_ps(no.0, yes.0, mask))
        }
    }
}

impl Word for Epi32 {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self(unsafe { _mm256_set1_epi32(word as i32) })
    }

    #[inline(always)]
    fn load(words: &[u32; GROUP]) -> Self {
        Self(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, words: &mut [u32; GROUP]) {
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        Self(unsafe { _mm256_sll_epi32(self.0, _mm_cvtsi32_si128(bits as i32)) })
    }

    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        Self(unsafe { _mm256_srl_epi32(self.0, _mm_cvtsi32_si128(bits as i32)) })
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Self(unsafe { _mm256_mullo_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn least(self, other: Self) -> Self {
        Self(unsafe { _mm256_min_epu32(self.0, other.0) })
    }

    #[inline(always)]
    fn if_below(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let mask = _mm256_cmpgt_epi32(other.0, self.0);
            Self(_mm256_blendv_epi8(no.0, yes.0, mask))
        }
    }
}

/// What both instruction sets do alike, in registers of 256 bits.
macro_rules! narrow_operations {
    () => {
        type F32 = Ps;
        type U32 = Epi32;

        #[inline(always)]
        fn float(words: Epi32) -> Ps {
            Ps(unsafe { _mm256_cvtepi32_ps(words.0) })
        }

        #[inline(always)]
        fn whole(numbers: Ps) -> Epi32 {
            Epi32(unsafe { _mm256_cvttps_epi32(numbers.0) })
        }

        #[inline(always)]
        fn bytes(words: Epi32) -> [u8; GROUP] {
            unsafe { bytes(words) }
        }

        #[inline(always)]
        fn bits(numbers: Ps) -> Epi32 {
            Epi32(unsafe { _mm256_castps_si256(numbers.0) })
        }

        #[inline(always)]
        fn count_at_least(count: Epi32, x: Ps, least: Ps) -> Epi32 {
            // A mask is -1 as a number. (Not a mask register: that takes one operation more.)
            unsafe {
                let mask = _mm256_cmp_ps::<_CMP_GE_OQ>(x.0, least.0);
                Epi32(_mm256_sub_epi32(count.0, _mm256_castps_si256(mask)))
            }
        }

        #[inline(always)]
        fn transpose(rows: [Ps; GROUP]) -> [Ps; GROUP] {
            unsafe { transpose(rows) }
        }

        #[inline(always)]
        fn columns<const N: usize>(rows: &[[u32; N]; GROUP]) -> [Ps; N] {
            unsafe { columns(rows) }
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
    };
}

mod avx2;
mod avx512;

pub use avx2::Avx2;
pub use avx512::Avx512;

#[inline]
#[target_feature(enable = "avx2")]
fn transpose(rows: [Ps; GROUP]) -> [Ps; GROUP] {
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
fn bytes(words: Epi32) -> [u8; GROUP] {
    let (low, high) = (
        _mm256_castsi256_si128(words.0),
        _mm256_extracti128_si256::<1>(words.0),
    );
    let halves = _mm_packus_epi32(low, high);
    _mm_cvtsi128_si64(_mm_packus_epi16(halves, halves)).to_le_bytes()
}

#[inline]
#[target_feature(enable = "avx2")]
fn columns<const N: usize>(rows: &[[u32; N]; GROUP]) -> [Ps; N] {
    let wanted: [i32; GROUP] = std::array::from_fn(|i| if i < N { -1 } else { 0 });
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
