//! InfraGym's core: steps compiled programs in batches, bit for bit, and knows nothing of its
//! bindings. `docs/ARCHITECTURE.md` has the picture.

mod batch;
mod buffer;
pub mod dense;
mod env;
mod envs;
mod family;
pub mod generated;
mod kernel;
mod policy;
mod pool;
pub mod program;
mod record;
pub mod rng;
pub mod rounding;
pub mod sampling;
#[cfg(not(target_arch = "wasm32"))]
mod shared;
mod simd;
mod statistics;
mod store;
mod task;
mod transfer;

pub use batch::{Options, VectorEnv};
pub use kernel::Kernel;
pub use record::{RECORDED, Recording};
#[cfg(not(target_arch = "wasm32"))]
pub use shared::shared_task;
pub use store::{Channels, LANES, Shape, Store};
pub use task::Task;

use std::sync::Arc;

use program::ProgramError;

/// The version of the core, which every binding reports.
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Validates a program: a task, of which any number of batches can be made.
pub fn task(program: &[u8], metrics: bool) -> Result<Arc<dyn Task>, ProgramError> {
    envs::task(program, metrics)
}

/// A sentence on what is wrong with a program that was refused.
pub fn describe(program: &[u8], error: ProgramError) -> String {
    envs::describe(program, error)
}

/// Validates a program and makes a batch of its environments.
pub fn create(program: &[u8], options: &Options) -> Result<Box<dyn VectorEnv>, ProgramError> {
    Ok(task(program, options.metrics)?.batch(options))
}
