//! The learner's perceptrons and Adam for Node.js. Perceptrons are kept by number; their arrays
//! are handed over once, and a call passes the parameters alone.

use std::cell::RefCell;
use std::rc::Rc;

use infragym_core::Kernel;
use infragym_learn::{Activation, Adam, Mlp};
use napi::bindgen_prelude::{Error, Float32Array, Result, Status, Uint32Array};
use napi_derive::napi;

type Shared = Rc<RefCell<Mlp>>;

thread_local! {
    /// The perceptrons of this JavaScript thread; a closed one leaves its place empty.
    static MLPS: RefCell<Vec<Option<Shared>>> = const { RefCell::new(Vec::new()) };
}

fn refusal(reason: &str) -> Error {
    Error::new(Status::InvalidArg, reason)
}

fn mlp_of(mlp: u32) -> Result<Shared> {
    let found = MLPS.with_borrow(|mlps| mlps.get(mlp as usize).cloned().flatten());
    found.ok_or_else(|| refusal("this perceptron is closed or was never made"))
}

fn kernel_of(kernel: u32) -> Result<Kernel> {
    // As for a large batch: `auto` takes the widest.
    Kernel::choose(kernel, usize::MAX).ok_or_else(|| refusal("no such kernel here"))
}

/// The name of the kernel that a number means here.
#[napi]
pub fn learn_kernel(kernel: u32) -> Result<&'static str> {
    kernel_of(kernel).map(Kernel::name)
}

/// Makes a perceptron: its number.
#[napi]
pub fn learn_mlp(kernel: u32, sizes: Uint32Array, relu: bool, offset: u32) -> Result<u32> {
    let sizes: Vec<usize> = sizes.iter().map(|size| *size as usize).collect();
    if sizes.len() < 2 || sizes.contains(&0) {
        return Err(refusal("a perceptron has inputs and outputs"));
    }
    let activation = if relu {
        Activation::Relu
    } else {
        Activation::Tanh
    };
    let made = Mlp::new(kernel_of(kernel)?, &sizes, activation, offset as usize);
    MLPS.with_borrow_mut(|mlps| {
        let free = mlps.iter().position(Option::is_none).unwrap_or_else(|| {
            mlps.push(None);
            mlps.len() - 1
        });
        mlps[free] = Some(Rc::new(RefCell::new(made)));
        Ok(free as u32)
    })
}

/// An array of a perceptron, shared; it outlives it while anyone holds it. See `Mlp::array`.
#[napi]
pub fn learn_array(mlp: u32, index: u32) -> Result<Float32Array> {
    let shared = mlp_of(mlp)?;
    let mut borrowed = shared.borrow_mut();
    let array = borrowed
        .array(index as usize)
        .ok_or_else(|| refusal("no such array"))?;
    let (address, length) = (array.as_mut_ptr(), array.len());
    let owner = Rc::clone(&shared);
    // SAFETY: the numbers never move, and the finalizer, which runs on this thread, keeps them.
    Ok(unsafe { Float32Array::with_external_data(address, length, move |_, _| drop(owner)) })
}

/// From the perceptron's input to its output.
#[napi]
pub fn learn_forward(mlp: u32, params: &[f32]) -> Result<()> {
    let shared = mlp_of(mlp)?;
    let mut mlp = shared.borrow_mut();
    check(params.len() >= mlp.end())?;
    mlp.forward(params);
    Ok(())
}

/// Adds the gradient of the chunk that was forward last.
#[napi]
pub fn learn_backward(
    mlp: u32,
    params: &[f32],
    mut gradients: Float32Array,
    wants_input: bool,
) -> Result<()> {
    let shared = mlp_of(mlp)?;
    let mut mlp = shared.borrow_mut();
    // SAFETY: JavaScript waits for this call, and its arrays lie apart.
    let gradients = unsafe { gradients.as_mut() };
    check(params.len() >= mlp.end() && gradients.len() >= mlp.end())?;
    mlp.backward(params, gradients, wants_input);
    Ok(())
}

/// The norm of a gradient.
#[napi]
pub fn learn_norm(kernel: u32, gradients: &[f32]) -> Result<f64> {
    Ok(f64::from(infragym_learn::norm(
        kernel_of(kernel)?,
        gradients,
    )))
}

/// A step of Adam by the numbers of `AdamCall` in their order.
#[napi]
pub fn learn_adam(
    kernel: u32,
    numbers: &[f32],
    mut params: Float32Array,
    mut gradients: Float32Array,
    mut first: Float32Array,
    mut second: Float32Array,
) -> Result<()> {
    let &[shrink, beta1, beta2, rest1, rest2, step, root, eps] = numbers else {
        return Err(refusal("Adam takes eight numbers"));
    };
    let (betas, rests) = ([beta1, beta2], [rest1, rest2]);
    let numbers = Adam {
        shrink,
        betas,
        rests,
        step,
        root,
        eps,
    };
    let arrays = [&mut params, &mut gradients, &mut first, &mut second];
    // SAFETY: as in `learn_backward`.
    let arrays = arrays.map(|array| unsafe { array.as_mut() });
    check(arrays.iter().all(|array| array.len() == arrays[0].len()))?;
    infragym_learn::adam(kernel_of(kernel)?, &numbers, arrays);
    Ok(())
}

/// Forgets a perceptron; its arrays live on while JavaScript holds them.
#[napi]
pub fn learn_close(mlp: u32) {
    MLPS.with_borrow_mut(|mlps| {
        if let Some(place) = mlps.get_mut(mlp as usize) {
            *place = None;
        }
    });
}

fn check(is_whole: bool) -> Result<()> {
    if is_whole {
        return Ok(());
    }
    Err(refusal("an array is too short for the perceptron"))
}
