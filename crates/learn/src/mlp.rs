//! A multilayer perceptron over a chunk of 64 rows: arrays lie [feature][row].

use infragym_core::Kernel;
use infragym_core::dense::gemm::{Left, multiply};
use infragym_core::dense::{LANES, ROWS, math, sum_rows};
use infragym_core::rounding::FloatEnv;

use crate::dispatch;

/// Activation of the hidden layers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Tanh,
    Relu,
}

pub struct Mlp {
    kernel: Kernel,
    /// Inputs, hidden widths, outputs.
    sizes: Vec<usize>,
    activation: Activation,
    /// Of its first weight in the parameters.
    offset: usize,
    /// Of the inputs, of every hidden layer and of the outputs.
    activations: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    /// A layer's inputs with rows and features exchanged, [row][feature].
    rows: Vec<f32>,
    /// A layer's gradient of weights, [output][feature].
    weights: Vec<f32>,
}

impl Mlp {
    pub fn new(kernel: Kernel, sizes: &[usize], activation: Activation, offset: usize) -> Self {
        let arrays = || sizes.iter().map(|width| vec![0.0; width * ROWS]).collect();
        let widest = sizes.iter().copied().fold(0, usize::max);
        Self {
            kernel,
            activations: arrays(),
            gradients: arrays(),
            rows: vec![0.0; widest.next_multiple_of(LANES) * ROWS],
            weights: vec![0.0; widest.next_multiple_of(LANES) * widest],
            sizes: sizes.to_vec(),
            activation,
            offset,
        }
    }

    /// Where its parameters end.
    pub fn end(&self) -> usize {
        let layers = self.sizes.windows(2);
        self.offset + layers.map(|pair| pair[1] * (pair[0] + 1)).sum::<usize>()
    }

    /// Input, output, gradient of the output, gradient of the input: their memory never moves.
    pub fn array(&mut self, index: usize) -> Option<&mut [f32]> {
        let last = self.sizes.len() - 1;
        match index {
            0 => Some(&mut self.activations[0]),
            1 => Some(&mut self.activations[last]),
            2 => Some(&mut self.gradients[last]),
            3 => Some(&mut self.gradients[0]),
            _ => None,
        }
    }

    pub fn forward(&mut self, params: &[f32]) {
        let _env = FloatEnv::default_rounding();
        let (kernel, mlp) = (self.kernel, self);
        dispatch!(kernel, forward(mlp: &mut Mlp, params: &[f32]));
    }

    /// Adds the chunk's gradient to `grads`, from the gradient of the output, after `forward`.
    pub fn backward(&mut self, params: &[f32], grads: &mut [f32], wants_input: bool) {
        let _env = FloatEnv::default_rounding();
        let (kernel, mlp) = (self.kernel, self);
        dispatch!(
            kernel,
            backward(mlp: &mut Mlp, params: &[f32], grads: &mut [f32], wants_input: bool)
        );
    }
}

#[inline(always)]
fn forward(mlp: &mut Mlp, params: &[f32]) {
    let mut at = mlp.offset;
    for l in 0..mlp.sizes.len() - 1 {
        let [inputs, outputs] = [mlp.sizes[l], mlp.sizes[l + 1]];
        let (weights, biases) = params[at..][..outputs * (inputs + 1)].split_at(outputs * inputs);
        let (below, above) = mlp.activations.split_at_mut(l + 1);
        let left = Left {
            data: weights,
            row: inputs,
            column: 1,
        };
        multiply(
            [outputs, ROWS, inputs],
            left,
            &below[l],
            Some(biases),
            &mut above[0],
        );
        if l + 2 < mlp.sizes.len() {
            match mlp.activation {
                Activation::Tanh => above[0].iter_mut().for_each(|y| *y = math::tanh(*y)),
                Activation::Relu => {
                    above[0]
                        .iter_mut()
                        .for_each(|y| *y = if *y > 0.0 { *y } else { 0.0 });
                }
            }
        }
        at += outputs * (inputs + 1);
    }
}

#[inline(always)]
fn backward(mlp: &mut Mlp, params: &[f32], grads: &mut [f32], wants_input: bool) {
    let mut at = mlp.end();
    for l in (0..mlp.sizes.len() - 1).rev() {
        let [inputs, outputs] = [mlp.sizes[l], mlp.sizes[l + 1]];
        at -= outputs * (inputs + 1);
        let padded = inputs.next_multiple_of(LANES);
        exchange(&mlp.activations[l], padded, &mut mlp.rows);
        let (below, above) = mlp.gradients.split_at_mut(l + 1);
        let dy = &above[0][..];
        let left = Left {
            data: dy,
            row: ROWS,
            column: 1,
        };
        multiply(
            [outputs, padded, ROWS],
            left,
            &mlp.rows,
            None,
            &mut mlp.weights,
        );
        for o in 0..outputs {
            let sums = &mlp.weights[o * padded..][..inputs];
            for (grad, sum) in grads[at + o * inputs..][..inputs].iter_mut().zip(sums) {
                *grad += sum;
            }
            grads[at + outputs * inputs + o] += sum_rows(&dy[o * ROWS..]);
        }
        if l == 0 && !wants_input {
            return;
        }
        let weights = &params[at..][..outputs * inputs];
        let left = Left {
            data: weights,
            row: 1,
            column: inputs,
        };
        multiply([inputs, ROWS, outputs], left, dy, None, &mut below[l]);
        if l > 0 {
            differentiate(mlp.activation, &mlp.activations[l], &mut below[l]);
        }
    }
}

/// From the gradient by a layer's activations to that by what was activated.
#[inline(always)]
fn differentiate(activation: Activation, activations: &[f32], gradients: &mut [f32]) {
    for (d, y) in gradients.iter_mut().zip(activations) {
        *d = match activation {
            Activation::Tanh => *d * (1.0 - y * y),
            Activation::Relu => {
                if *y > 0.0 {
                    *d
                } else {
                    0.0
                }
            }
        };
    }
}

#[inline(always)]
fn exchange(features: &[f32], padded: usize, rows: &mut [f32]) {
    for (feature, numbers) in features.as_chunks::<ROWS>().0.iter().enumerate() {
        for (row, number) in numbers.iter().enumerate() {
            rows[row * padded + feature] = *number;
        }
    }
}
