//! What a blocked kernel does with a whole block of lanes at once: plain loops over arrays that
//! the compiler turns into vector code for whatever the kernel is compiled for, and the few
//! operations it does not find by itself behind `Isa`.

use crate::generated::common::kernel;
use crate::rng::{KEY_STEPS, MULTIPLIERS, ROUNDS};
use crate::store::LANES;

/// One number per lane of a block.
pub type F32s = [f32; LANES];
pub type F64s = [f64; LANES];
pub type U32s = [u32; LANES];

/// Eight lanes at a time: the width of the operations in `Isa`.
pub const GROUP: usize = 8;

/// The operations that are worth writing by hand for an instruction set.
pub trait Isa {
    /// Eight rows of eight numbers, transposed.
    fn transpose(rows: [[f32; GROUP]; GROUP]) -> [[f32; GROUP]; GROUP];

    /// `a + b · y` with the pairs (a, b) at eight positions of a table.
    fn line(table: &[[f32; 2]; 4096], cells: [u32; GROUP], y: [f32; GROUP]) -> [f32; GROUP];

    /// Eight elements of a table of sixteen; cells are taken modulo 16.
    fn lookup(table: &[f32; 16], cells: [u32; GROUP]) -> [f32; GROUP];

    /// Philox for eight lanes: `rng::philox` with eight numbers for each of its own.
    #[inline(always)]
    fn philox(counter: [[u32; GROUP]; 4], key: [[u32; GROUP]; 2]) -> [[u32; GROUP]; 4] {
        // A 32-bit word in every 64-bit lane, so that a product needs no unpacking; the upper
        // halves hold rubbish that the next multiplication ignores.
        let [mut c0, mut c1, mut c2, mut c3] = counter.map(|words| words.map(u64::from));
        let [mut k0, mut k1] = key.map(|words| words.map(u64::from));
        for _ in 0..ROUNDS {
            for i in 0..GROUP {
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
        [c0, c1, c2, c3].map(|words| words.map(|word| word as u32))
    }
}

/// Plain Rust, for every target.
#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128"),
    expect(dead_code)
)]
pub struct Portable;

impl Isa for Portable {
    #[inline(always)]
    fn transpose(rows: [[f32; GROUP]; GROUP]) -> [[f32; GROUP]; GROUP] {
        std::array::from_fn(|i| std::array::from_fn(|j| rows[j][i]))
    }

    #[inline(always)]
    fn line(table: &[[f32; 2]; 4096], cells: [u32; GROUP], y: [f32; GROUP]) -> [f32; GROUP] {
        std::array::from_fn(|i| {
            let [a, b] = table[cells[i] as usize & 4095];
            a + b * y[i]
        })
    }

    #[inline(always)]
    fn lookup(table: &[f32; 16], cells: [u32; GROUP]) -> [f32; GROUP] {
        cells.map(|cell| table[cell as usize & 15])
    }
}

/// How a batch is stepped; all give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The oracle, lane by lane.
    Scalar,
    /// Blocks of lanes with what the target has without asking.
    Portable,
    Avx2,
    Avx512,
}

/// Up to so many environments the oracle, which steps only those, beats a kernel that steps a
/// whole block: measured at 12 to 18 environments, whatever the family.
const SCALAR_ENVS_MAX: usize = 8;

impl Kernel {
    /// The fastest for so many environments on this processor, or the one asked for by its number
    /// in `generated::common::kernel`; `None` where the processor does not have it.
    pub fn choose(number: u32, num_envs: usize) -> Option<Self> {
        let wanted = match number {
            kernel::AUTO if num_envs <= SCALAR_ENVS_MAX => Self::Scalar,
            kernel::AUTO => Self::detect(),
            kernel::SCALAR => Self::Scalar,
            kernel::PORTABLE | kernel::SIMD128 => Self::Portable,
            kernel::AVX2 => Self::Avx2,
            kernel::AVX512 => Self::Avx512,
            _ => return None,
        };
        Self::available().contains(&wanted).then_some(wanted)
    }

    /// What this processor has, slowest first.
    pub fn available() -> Vec<Self> {
        let all = [Self::Scalar, Self::Portable, Self::Avx2, Self::Avx512];
        let widest = Self::detect() as usize;
        all.into_iter()
            .filter(|kernel| *kernel as usize <= widest)
            .collect()
    }

    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512cd");
            if avx2 && avx512 {
                return Self::Avx512;
            }
            if avx2 {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

/// Philox for every lane: the counters' first two words are the lanes', the last two shared.
#[inline(always)]
pub fn philox<I: Isa>(
    steps: &U32s,
    episodes: &U32s,
    tail: [u32; 2],
    seeds: [&U32s; 2],
) -> [U32s; 4] {
    let mut out = [[0; LANES]; 4];
    for first in (0..LANES).step_by(GROUP) {
        let [third, fourth] = tail.map(|word| [word; GROUP]);
        let counter = [group(steps, first), group(episodes, first), third, fourth];
        let drawn = I::philox(counter, seeds.map(|seed| group(seed, first)));
        for (words, own) in out.iter_mut().zip(drawn) {
            words[first..first + GROUP].copy_from_slice(&own);
        }
    }
    out
}

/// Eight neighbouring lanes, from a multiple of eight on.
#[inline(always)]
pub fn group<T: Copy>(lanes: &[T; LANES], first: usize) -> [T; GROUP] {
    *lanes[first..].first_chunk().expect("eight lanes")
}

/// Sampler Q for every lane.
#[inline(always)]
pub fn quantile<I: Isa>(table: &[[f32; 2]; 4096], words: &U32s) -> F32s {
    let mut out = [0.0; LANES];
    for first in (0..LANES).step_by(GROUP) {
        let drawn = quantile_group::<I>(table, group(words, first));
        out[first..first + GROUP].copy_from_slice(&drawn);
    }
    out
}

/// Sampler Q for eight lanes.
#[inline(always)]
pub fn quantile_group<I: Isa>(table: &[[f32; 2]; 4096], words: [u32; GROUP]) -> [f32; GROUP] {
    let y = words.map(|word| (((word >> 7) & 0x00ff_fffe) | 1) as i32 as f32);
    let cells = std::array::from_fn(|i| {
        let cell = (y[i].to_bits() >> 17).wrapping_sub(127 << 6);
        ((words[i] >> 31) << 11).wrapping_add(cell)
    });
    I::line(table, cells, y)
}

/// Stores columns as rows of `width` numbers, which is at least eight: groups of eight columns,
/// the last of which overlaps the one before.
#[inline(always)]
pub fn store_rows<I: Isa>(columns: &[F32s], out: &mut [f32]) {
    let width = columns.len();
    for first in (0..LANES).step_by(GROUP) {
        let mut column = 0;
        loop {
            let from = column.min(width - GROUP);
            let group = std::array::from_fn(|i| {
                let lanes: &[f32; GROUP] = columns[from + i][first..first + GROUP]
                    .try_into()
                    .expect("eight lanes");
                *lanes
            });
            for (i, row) in I::transpose(group).iter().enumerate() {
                out[(first + i) * width + from..][..GROUP].copy_from_slice(row);
            }
            column += GROUP;
            if column >= width {
                break;
            }
        }
    }
}

/// As `store_rows` for rows of at most eight numbers.
#[inline(always)]
pub fn store_narrow_rows<I: Isa, const WIDTH: usize>(columns: &[F32s; WIDTH], out: &mut [f32]) {
    let rows = out.as_chunks_mut::<WIDTH>().0.as_chunks_mut::<GROUP>().0;
    for (i, rows) in rows.iter_mut().enumerate() {
        let mut padded = [[0.0; GROUP]; GROUP];
        for (lanes, column) in padded.iter_mut().zip(columns) {
            *lanes = group(column, i * GROUP);
        }
        for (row, full) in rows.iter_mut().zip(I::transpose(padded)) {
            *row = *full.first_chunk().expect("at most eight");
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

/// What the portable kernel is made of: the operations that the target has without asking.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub type Base = simd128::Simd128;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub type Base = Portable;

#[cfg(target_arch = "x86_64")]
pub use avx2::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{GROUP, Isa};
    use std::arch::x86_64::*;

    /// Declares a kernel set. Its operations may run only inside a function compiled with `avx2`
    /// on, which only a kernel that has asked the processor enters.
    macro_rules! isa {
        ($name:ident) => {
            pub struct $name;

            impl Isa for $name {
                #[inline(always)]
                fn transpose(rows: [[f32; GROUP]; GROUP]) -> [[f32; GROUP]; GROUP] {
                    // SAFETY: see the macro.
                    unsafe { transpose(rows) }
                }

                #[inline(always)]
                fn line(
                    table: &[[f32; 2]; 4096],
                    cells: [u32; GROUP],
                    y: [f32; GROUP],
                ) -> [f32; GROUP] {
                    // SAFETY: see the macro.
                    unsafe { line(table, cells, y) }
                }

                #[inline(always)]
                fn lookup(table: &[f32; 16], cells: [u32; GROUP]) -> [f32; GROUP] {
                    // SAFETY: see the macro.
                    unsafe { lookup(table, cells) }
                }
            }
        };
    }

    isa!(Avx2);
    // The same operations: wider registers pay in the plain loops around them.
    isa!(Avx512);

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(row: &[f32; GROUP]) -> __m256 {
        // SAFETY: eight floats, unaligned.
        unsafe { _mm256_loadu_ps(row.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store(value: __m256) -> [f32; GROUP] {
        let mut row = [0.0; GROUP];
        // SAFETY: eight floats, unaligned.
        unsafe { _mm256_storeu_ps(row.as_mut_ptr(), value) };
        row
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn transpose(rows: [[f32; GROUP]; GROUP]) -> [[f32; GROUP]; GROUP] {
        let r = rows.map(|row| load(&row));
        let pairs = [0, 2, 4, 6].map(|i| {
            (
                _mm256_unpacklo_ps(r[i], r[i + 1]),
                _mm256_unpackhi_ps(r[i], r[i + 1]),
            )
        });
        let quads = |a: (__m256, __m256), b: (__m256, __m256)| {
            [
                _mm256_shuffle_ps(a.0, b.0, 0x44),
                _mm256_shuffle_ps(a.0, b.0, 0xEE),
                _mm256_shuffle_ps(a.1, b.1, 0x44),
                _mm256_shuffle_ps(a.1, b.1, 0xEE),
            ]
        };
        let (low, high) = (quads(pairs[0], pairs[1]), quads(pairs[2], pairs[3]));
        let mut out = [[0.0; GROUP]; GROUP];
        for i in 0..4 {
            out[i] = store(_mm256_permute2f128_ps(low[i], high[i], 0x20));
            out[i + 4] = store(_mm256_permute2f128_ps(low[i], high[i], 0x31));
        }
        out
    }

    /// Two registers hold the table; bit 3 of a cell chooses between them.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn lookup(table: &[f32; 16], cells: [u32; GROUP]) -> [f32; GROUP] {
        // SAFETY: eight words and twice eight floats, unaligned.
        let (cells, low, high) = unsafe {
            (
                _mm256_loadu_si256(cells.as_ptr().cast()),
                _mm256_loadu_ps(table.as_ptr()),
                _mm256_loadu_ps(table.as_ptr().add(GROUP)),
            )
        };
        let low = _mm256_permutevar8x32_ps(low, cells);
        let high = _mm256_permutevar8x32_ps(high, cells);
        let upper = _mm256_castsi256_ps(_mm256_slli_epi32(cells, 28));
        store(_mm256_blendv_ps(low, high, upper))
    }

    /// The pairs are fetched as 64-bit numbers: one load each, both halves from one cache line.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn line(table: &[[f32; 2]; 4096], cells: [u32; GROUP], y: [f32; GROUP]) -> [f32; GROUP] {
        // SAFETY: the mask keeps the index inside the table; a pair is as large as a double.
        let pair = |i: usize| unsafe {
            let at = table.as_ptr().add(cells[i] as usize & 4095);
            _mm_load_sd(at.cast())
        };
        let two = |i: usize, j: usize| _mm_unpacklo_pd(pair(i), pair(j));
        let low = _mm256_set_m128d(two(4, 5), two(0, 1));
        let high = _mm256_set_m128d(two(6, 7), two(2, 3));
        let (low, high) = (_mm256_castpd_ps(low), _mm256_castpd_ps(high));
        let a = _mm256_shuffle_ps(low, high, 0x88);
        let b = _mm256_shuffle_ps(low, high, 0xDD);
        store(_mm256_add_ps(a, _mm256_mul_ps(b, load(&y))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_agrees_with_the_scalar_one() {
        let steps = std::array::from_fn(|i| i as u32 * 77);
        let episodes = std::array::from_fn(|i| u32::MAX - i as u32);
        let seeds = [
            std::array::from_fn(|i| i as u32 ^ 0xdead_beef),
            std::array::from_fn(|i| i as u32),
        ];
        let words = philox::<Portable>(&steps, &episodes, [2, 5], [&seeds[0], &seeds[1]]);
        for lane in 0..LANES {
            let counter = [steps[lane], episodes[lane], 2, 5];
            let expected = crate::rng::philox(counter, [seeds[0][lane], seeds[1][lane]]);
            assert_eq!(words.map(|word| word[lane]), expected);
        }
    }

    fn check<I: Isa>() {
        let rows = std::array::from_fn(|i| std::array::from_fn(|j| (8 * i + j) as f32));
        let turned = I::transpose(rows);
        for (i, row) in turned.iter().enumerate() {
            for (j, &value) in row.iter().enumerate() {
                assert_eq!(value, rows[j][i]);
            }
        }
        let table: Box<[[f32; 2]; 4096]> =
            Box::new(std::array::from_fn(|i| [i as f32, 0.5 * i as f32]));
        let cells = [0, 1, 77, 4095, 2048, 6, 5, 4];
        let y = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        let expected: [f32; 8] = std::array::from_fn(|i| {
            let x = cells[i] as f32;
            x + 0.5 * x * y[i]
        });
        assert_eq!(I::line(&table, cells, y), expected);
        let small: [f32; 16] = std::array::from_fn(|i| i as f32);
        assert_eq!(
            I::lookup(&small, [0, 1, 7, 8, 15, 9, 4, 3]),
            [0.0, 1.0, 7.0, 8.0, 15.0, 9.0, 4.0, 3.0]
        );
        let columns: Vec<F32s> = (0..14).map(|c| [c as f32; LANES]).collect();
        let mut out = vec![0.0; 14 * LANES];
        store_rows::<I>(&columns, &mut out);
        assert!(out.iter().enumerate().all(|(i, &x)| x == (i % 14) as f32));
    }

    #[test]
    fn portable_operations_are_right() {
        check::<Portable>();
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
}
