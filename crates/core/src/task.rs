//! A task as bindings see it: what makes batches.

use std::sync::Arc;

use crate::batch::{Batch, Options, VectorEnv};
use crate::env::Env;
use crate::family::FamilyTask;
#[cfg(not(target_arch = "wasm32"))]
use crate::rounding::FloatEnv;
use crate::store::Shape;

/// A validated program with its family's tables.
pub trait Task: Send + Sync {
    /// The bytes that it was made of.
    fn program(&self) -> &[u8];
    /// Whether it is for batches that report their metrics.
    fn metrics(&self) -> bool;
    /// Sizes of its batches.
    fn shape(&self) -> Shape;
    /// Upper bound of an episode's return, as `Env::bound`. Not in WebAssembly, where the library
    /// computes it: sorting would link a part of the standard library whose features wasm-bindgen
    /// refuses.
    #[cfg(not(target_arch = "wasm32"))]
    fn bound(&self, seed: u64, episode: u32) -> Option<f64>;
    /// Makes a batch. `options.metrics` must be the task's.
    fn batch(self: Arc<Self>, options: &Options) -> Box<dyn VectorEnv>;
}

impl<E: Env + 'static> Task for FamilyTask<E> {
    fn program(&self) -> &[u8] {
        &self.program
    }

    fn metrics(&self) -> bool {
        self.metrics
    }

    fn shape(&self) -> Shape {
        self.env.shape()
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn bound(&self, seed: u64, episode: u32) -> Option<f64> {
        let _guard = FloatEnv::default_rounding();
        self.env.bound(seed, episode)
    }

    fn batch(self: Arc<Self>, options: &Options) -> Box<dyn VectorEnv> {
        debug_assert_eq!(options.metrics, self.metrics);
        Box::new(Batch::new(self, options))
    }
}
