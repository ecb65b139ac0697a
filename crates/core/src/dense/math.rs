//! exp, tanh in binary32, as `src/program/float-math.ts` specifies them: additions, products, one
//! quotient, comparisons and bits, each rounded once.

/// Adding it rounds a number below 2^22 to an integer, which its low bits then hold.
const MAGIC: f32 = 12_582_912.0;
const LOG2_E: f32 = f32::from_bits(0x3fb8_aa3b);
/// ln 2 in two parts, of which the first has few bits.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;
/// From here on tanh rounds to 1.
const TANH_MAX: f32 = 9.1;
/// (exp r − 1 − r) / r² for |r| ≤ ½ ln 2, lowest power first.
const EXP: [f32; 5] = [
    0.5,
    0.166_665_12,
    0.041_666_187,
    0.008_369_599,
    0.001_395_171_7,
];

/// exp(x − n ln 2) − 1 for the integer n nearest to x / ln 2, and 2^n.
#[inline(always)]
fn reduce(x: f32) -> (f32, f32) {
    let shifted = x * LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let mut y = EXP[4];
    for coefficient in [EXP[3], EXP[2], EXP[1], EXP[0]] {
        y = y * r + coefficient;
    }
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    (r * r * y + r, power)
}

/// By exp(2|x|) − 1 = y: y / (y + 2), with the sign of x.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let size = if x < 0.0 { -x } else { x };
    let bounded = if size > TANH_MAX { TANH_MAX } else { size };
    let (rest, power) = reduce(2.0 * bounded);
    let y = rest * power + (power - 1.0);
    let quotient = y / (y + 2.0);
    if x < 0.0 { -quotient } else { quotient }
}
