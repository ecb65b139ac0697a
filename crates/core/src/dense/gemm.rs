//! The one matrix kernel: every element is a chain of products and sums in the order of its index,
//! so that neither tiles nor blocks can change a bit.

use super::LANES;

/// The left factor: element (i, q) is `data[i · row + q · column]`.
#[derive(Clone, Copy)]
pub struct Left<'a> {
    pub data: &'a [f32],
    pub row: usize,
    pub column: usize,
}

/// c[i][j] = start[i] + Σ over q, ascending, of a(i, q) · b[q][j], without `start` from 0, for
/// `size` = [m, n, k], n a multiple of 16. Rows of b and c are n numbers.
#[inline(always)]
pub fn multiply(size: [usize; 3], a: Left, b: &[f32], start: Option<&[f32]>, c: &mut [f32]) {
    let [m, n, _] = size;
    let mut j = 0;
    while j + 2 * LANES <= n {
        columns::<2>(size, j, a, b, start, c);
        j += 2 * LANES;
    }
    if j < n {
        columns::<1>(size, j, a, b, start, c);
    }
    debug_assert!(c.len() >= m * n);
}

#[inline(always)]
fn columns<const N: usize>(
    size: [usize; 3],
    j: usize,
    a: Left,
    b: &[f32],
    start: Option<&[f32]>,
    c: &mut [f32],
) {
    let mut i = 0;
    while i + 4 <= size[0] {
        tile::<4, N>(size, [i, j], a, b, start, c);
        i += 4;
    }
    while i < size[0] {
        tile::<1, N>(size, [i, j], a, b, start, c);
        i += 1;
    }
}

#[inline(always)]
fn tile<const M: usize, const N: usize>(
    [_, n, k]: [usize; 3],
    [i, j]: [usize; 2],
    a: Left,
    b: &[f32],
    start: Option<&[f32]>,
    c: &mut [f32],
) {
    let mut sums: [[[f32; LANES]; N]; M] =
        std::array::from_fn(|r| [[start.map_or(0.0, |start| start[i + r]); LANES]; N]);
    for q in 0..k {
        let row = b[q * n + j..][..N * LANES].as_chunks::<LANES>().0;
        for r in 0..M {
            let left = a.data[(i + r) * a.row + q * a.column];
            for v in 0..N {
                for lane in 0..LANES {
                    sums[r][v][lane] += left * row[v][lane];
                }
            }
        }
    }
    for r in 0..M {
        for v in 0..N {
            c[(i + r) * n + j + v * LANES..][..LANES].copy_from_slice(&sums[r][v]);
        }
    }
}
