//! Dense sums in their one order, and the functions of a perceptron, in binary32: the same bits
//! whatever the instruction set that they are compiled for. Lanes lie along rows, never inside a
//! sum. `src/train/learner/reference/dense.ts` is the specification.

pub mod gemm;
pub mod math;

/// Rows of a chunk.
pub const ROWS: usize = 64;
/// Partial sums of a reduction: element i goes to number i mod 16.
pub const LANES: usize = 16;

/// The sum of a chunk's row of 64 numbers: 16 lanes, whose halves are then added.
#[inline(always)]
pub fn sum_rows(numbers: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    for part in numbers[..ROWS].as_chunks::<LANES>().0 {
        for (lane, number) in lanes.iter_mut().zip(part) {
            *lane += number;
        }
    }
    sum_lanes(lanes)
}

/// The sum of squares, likewise; what follows the last whole 16 is added one by one.
#[inline(always)]
pub fn sum_squares(numbers: &[f32]) -> f32 {
    let (whole, rest) = numbers.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for part in whole {
        for (lane, number) in lanes.iter_mut().zip(part) {
            *lane += number * number;
        }
    }
    let start = sum_lanes(lanes);
    rest.iter().fold(start, |sum, number| sum + number * number)
}

#[inline(always)]
fn sum_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half >= 1 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}
