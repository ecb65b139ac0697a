//! Adam after a clip of the gradient's norm.

use infragym_core::Kernel;
use infragym_core::dense::sum_squares;
use infragym_core::rounding::FloatEnv;

use crate::dispatch;

/// Moments nearer to 0 become 0, so that no subnormal number slows a processor.
const TINY: f32 = 1e-30;

/// The numbers of a step; `src/train/learner/engine.ts` says what they are.
#[derive(Clone, Copy)]
pub struct Adam {
    pub shrink: f32,
    pub betas: [f32; 2],
    pub rests: [f32; 2],
    pub step: f32,
    pub root: f32,
    pub eps: f32,
}

/// The norm of a gradient.
pub fn norm(kernel: Kernel, gradients: &[f32]) -> f32 {
    let _env = FloatEnv::default_rounding();
    dispatch!(kernel, sum_squares(gradients: &[f32]) -> f32).sqrt()
}

/// Moves the parameters and sets the gradients to 0; [params, gradients, first, second moments].
pub fn adam(kernel: Kernel, numbers: &Adam, arrays: [&mut [f32]; 4]) {
    let _env = FloatEnv::default_rounding();
    dispatch!(kernel, update(numbers: &Adam, arrays: [&mut [f32]; 4]));
}

#[inline(always)]
fn update(numbers: &Adam, [params, gradients, first, second]: [&mut [f32]; 4]) {
    let Adam {
        shrink,
        betas,
        rests,
        step,
        root,
        eps,
    } = *numbers;
    let moments = first.iter_mut().zip(second);
    for ((param, gradient), (first, second)) in params.iter_mut().zip(gradients).zip(moments) {
        let g = *gradient * shrink;
        let m = betas[0] * *first + rests[0] * g;
        let v = betas[1] * *second + rests[1] * (g * g);
        let size = if m < 0.0 { -m } else { m };
        let m = if size > TINY { m } else { 0.0 };
        let v = if v > TINY { v } else { 0.0 };
        *param -= (step * m) / (v.sqrt() * root + eps);
        (*first, *second, *gradient) = (m, v, 0.0);
    }
}
