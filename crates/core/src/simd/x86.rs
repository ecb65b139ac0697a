//! AVX2 and AVX-512. The operations may run only inside a function compiled with the instruction
//! set on, which only a kernel that has asked the processor enters: that is why each is sound.

#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Sub};

use super::{CELLS, Float, GROUP, Isa, Twice, Wide, Word};
use crate::rng::{KEY_STEPS, MULTIPLIERS, ROUNDS};

#[derive(Clone, Copy)]
pub struct Avx2;

#[derive(Clone, Copy)]
pub struct Avx512;

/// Eight f32.
#[derive(Clone, Copy)]
pub struct Ps(__m256);

/// Sixteen f32.
#[derive(Clone, Copy)]
pub struct WidePs(__m512);

/// Eight f64 in two registers.
#[derive(Clone, Copy)]
pub struct TwoPd(__m256d, __m256d);

/// Eight f64 in one register.
#[derive(Clone, Copy)]
pub struct Pd(__m512d);

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

macro_rules! two_registers {
    ($name:ident, $($operator:ident $method:ident $instruction:ident;)*) => {
        $(impl $operator for $name {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                unsafe { Self($instruction(self.0, other.0), $instruction(self.1, other.1)) }
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
one_register!(WidePs,
    Add add _mm512_add_ps;
    Sub sub _mm512_sub_ps;
    Mul mul _mm512_mul_ps;
);
one_register!(Pd,
    Add add _mm512_add_pd;
    Sub sub _mm512_sub_pd;
    Mul mul _mm512_mul_pd;
    Div div _mm512_div_pd;
);
two_registers!(TwoPd,
    Add add _mm256_add_pd;
    Sub sub _mm256_sub_pd;
    Mul mul _mm256_mul_pd;
    Div div _mm256_div_pd;
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

impl Wide for WidePs {
    type Half = Ps;

    #[inline(always)]
    fn splat(number: f32) -> Self {
        Self(unsafe { _mm512_set1_ps(number) })
    }

    #[inline(always)]
    fn load(numbers: &[f32; 2 * GROUP]) -> Self {
        Self(unsafe { _mm512_loadu_ps(numbers.as_ptr()) })
    }

    #[inline(always)]
    fn halves(self) -> (Ps, Ps) {
        unsafe {
            (
                Ps(_mm512_castps512_ps256(self.0)),
                Ps(_mm512_extractf32x8_ps::<1>(self.0)),
            )
        }
    }
}

impl Float for Pd {
    type Number = f64;

    #[inline(always)]
    fn splat(number: f64) -> Self {
        Self(unsafe { _mm512_set1_pd(number) })
    }

    #[inline(always)]
    fn load(numbers: &[f64; GROUP]) -> Self {
        Self(unsafe { _mm512_loadu_pd(numbers.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f64; GROUP]) {
        unsafe { _mm512_storeu_pd(numbers.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        Self(unsafe { _mm512_max_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        Self(unsafe { _mm512_min_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let mask = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, other.0);
            Self(_mm512_mask_blend_pd(mask, no.0, yes.0))
        }
    }
}

impl Float for TwoPd {
    type Number = f64;

    #[inline(always)]
    fn splat(number: f64) -> Self {
        let half = unsafe { _mm256_set1_pd(number) };
        Self(half, half)
    }

    #[inline(always)]
    fn load(numbers: &[f64; GROUP]) -> Self {
        let from = numbers.as_ptr();
        unsafe { Self(_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4))) }
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f64; GROUP]) {
        let to = numbers.as_mut_ptr();
        unsafe {
            _mm256_storeu_pd(to, self.0);
            _mm256_storeu_pd(to.add(4), self.1);
        }
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm256_max_pd(self.0, other.0),
                _mm256_max_pd(self.1, other.1),
            )
        }
    }

    #[inline(always)]
    fn below(self, other: Self) -> Self {
        unsafe {
            Self(
                _mm256_min_pd(self.0, other.0),
                _mm256_min_pd(self.1, other.1),
            )
        }
    }

    #[inline(always)]
    fn if_above(self, other: Self, yes: Self, no: Self) -> Self {
        unsafe {
            let low = _mm256_cmp_pd::<_CMP_GT_OQ>(self.0, other.0);
            let high = _mm256_cmp_pd::<_CMP_GT_OQ>(self.1, other.1);
            Self(
                _mm256_blendv_pd(no.0, yes.0, low),
                _mm256_blendv_pd(no.1, yes.1, high),
            )
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

impl Isa for Avx2 {
    type F64 = TwoPd;
    type F32x16 = Twice<Ps>;

    narrow_operations!();

    #[inline(always)]
    fn widen(numbers: Ps) -> TwoPd {
        unsafe {
            TwoPd(
                _mm256_cvtps_pd(_mm256_castps256_ps128(numbers.0)),
                _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(numbers.0)),
            )
        }
    }

    #[inline(always)]
    fn narrow(numbers: TwoPd) -> Ps {
        unsafe {
            let (low, high) = (_mm256_cvtpd_ps(numbers.0), _mm256_cvtpd_ps(numbers.1));
            Ps(_mm256_set_m128(high, low))
        }
    }

    #[inline(always)]
    fn floor(numbers: TwoPd) -> TwoPd {
        unsafe { TwoPd(_mm256_floor_pd(numbers.0), _mm256_floor_pd(numbers.1)) }
    }

    #[inline(always)]
    fn real(words: Epi32) -> TwoPd {
        unsafe {
            TwoPd(
                _mm256_cvtepi32_pd(_mm256_castsi256_si128(words.0)),
                _mm256_cvtepi32_pd(_mm256_extracti128_si256::<1>(words.0)),
            )
        }
    }

    #[inline(always)]
    fn lookup(table: &[f32; 16], at: Epi32) -> Ps {
        unsafe { lookup_avx2(table, at) }
    }

    #[inline(always)]
    fn philox(counter: [Epi32; 2], tail: [u32; 2], key: [Epi32; 2]) -> [Epi32; 4] {
        unsafe { philox_avx2(counter, tail, key) }
    }
}

impl Isa for Avx512 {
    type F64 = Pd;
    type F32x16 = WidePs;

    narrow_operations!();

    #[inline(always)]
    fn widen(numbers: Ps) -> Pd {
        Pd(unsafe { _mm512_cvtps_pd(numbers.0) })
    }

    #[inline(always)]
    fn narrow(numbers: Pd) -> Ps {
        Ps(unsafe { _mm512_cvtpd_ps(numbers.0) })
    }

    #[inline(always)]
    fn floor(numbers: Pd) -> Pd {
        const DOWN: i32 = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
        Pd(unsafe { _mm512_roundscale_pd::<DOWN>(numbers.0) })
    }

    #[inline(always)]
    fn real(words: Epi32) -> Pd {
        Pd(unsafe { _mm512_cvtepi32_pd(words.0) })
    }

    #[inline(always)]
    fn lookup(table: &[f32; 16], at: Epi32) -> Ps {
        let ([first, second], _) = table.as_chunks() else {
            unreachable!("two groups")
        };
        let (first, second) = (Ps::load(first), Ps::load(second));
        Ps(unsafe { _mm256_permutex2var_ps(first.0, at.0, second.0) })
    }

    #[inline(always)]
    fn philox(counter: [Epi32; 2], tail: [u32; 2], key: [Epi32; 2]) -> [Epi32; 4] {
        unsafe { philox_avx512(counter, tail, key) }
    }
}

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

/// Two registers hold the table; bit 3 of a position chooses between them.
#[inline]
#[target_feature(enable = "avx2")]
fn lookup_avx2(table: &[f32; 16], at: Epi32) -> Ps {
    let (first, second) = table.split_at(GROUP);
    // SAFETY: eight floats each.
    let (first, second) = unsafe {
        (
            _mm256_loadu_ps(first.as_ptr()),
            _mm256_loadu_ps(second.as_ptr()),
        )
    };
    let first = _mm256_permutevar8x32_ps(first, at.0);
    let second = _mm256_permutevar8x32_ps(second, at.0);
    let choice = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(at.0));
    Ps(_mm256_blendv_ps(first, second, choice))
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

/// A word in every 64-bit lane, whose upper half holds rubbish that multiplication ignores.
#[inline]
#[target_feature(enable = "avx512f")]
fn philox_avx512(counter: [Epi32; 2], tail: [u32; 2], key: [Epi32; 2]) -> [Epi32; 4] {
    let multipliers = MULTIPLIERS.map(|word| _mm512_set1_epi64(i64::from(word)));
    let increments = KEY_STEPS.map(|word| _mm512_set1_epi64(i64::from(word)));
    let wide = |words: Epi32| _mm512_cvtepu32_epi64(words.0);
    let [mut c0, mut c1] = counter.map(wide);
    let [mut c2, mut c3] = tail.map(|word| _mm512_set1_epi64(i64::from(word)));
    let [mut k0, mut k1] = key.map(wide);
    for _ in 0..ROUNDS {
        let p0 = _mm512_mul_epu32(c0, multipliers[0]);
        let p1 = _mm512_mul_epu32(c2, multipliers[1]);
        c0 = _mm512_ternarylogic_epi64::<0x96>(_mm512_srli_epi64::<32>(p1), c1, k0);
        c1 = p1;
        c2 = _mm512_ternarylogic_epi64::<0x96>(_mm512_srli_epi64::<32>(p0), c3, k1);
        c3 = p0;
        k0 = _mm512_add_epi64(k0, increments[0]);
        k1 = _mm512_add_epi64(k1, increments[1]);
    }
    [c0, c1, c2, c3].map(|words| Epi32(_mm512_cvtepi64_epi32(words)))
}

/// As for AVX-512 in two registers a word: lanes 0, 1, 4, 5 and lanes 2, 3, 6, 7, so that one
/// shuffle puts the words back in order.
#[inline]
#[target_feature(enable = "avx2")]
fn philox_avx2(counter: [Epi32; 2], tail: [u32; 2], key: [Epi32; 2]) -> [Epi32; 4] {
    let low = |words: Epi32| _mm256_unpacklo_epi32(words.0, words.0);
    let high = |words: Epi32| _mm256_unpackhi_epi32(words.0, words.0);
    let low = philox_chain(counter.map(low), tail, key.map(low));
    let high = philox_chain(counter.map(high), tail, key.map(high));
    std::array::from_fn(|i| {
        let (low, high) = (_mm256_castsi256_ps(low[i]), _mm256_castsi256_ps(high[i]));
        Epi32(_mm256_castps_si256(_mm256_shuffle_ps::<0x88>(low, high)))
    })
}

#[inline]
#[target_feature(enable = "avx2")]
fn philox_chain(counter: [__m256i; 2], tail: [u32; 2], key: [__m256i; 2]) -> [__m256i; 4] {
    let multipliers = MULTIPLIERS.map(|word| _mm256_set1_epi64x(i64::from(word)));
    let increments = KEY_STEPS.map(|word| _mm256_set1_epi64x(i64::from(word)));
    let ([mut c0, mut c1], [mut k0, mut k1]) = (counter, key);
    let [mut c2, mut c3] = tail.map(|word| _mm256_set1_epi64x(i64::from(word)));
    for _ in 0..ROUNDS {
        let p0 = _mm256_mul_epu32(c0, multipliers[0]);
        let p1 = _mm256_mul_epu32(c2, multipliers[1]);
        c0 = _mm256_xor_si256(_mm256_srli_epi64::<32>(p1), _mm256_xor_si256(c1, k0));
        c1 = p1;
        c2 = _mm256_xor_si256(_mm256_srli_epi64::<32>(p0), _mm256_xor_si256(c3, k1));
        c3 = p0;
        k0 = _mm256_add_epi64(k0, increments[0]);
        k1 = _mm256_add_epi64(k1, increments[1]);
    }
    [c0, c1, c2, c3]
}
