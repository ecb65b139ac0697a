//! A validated program and the tables made of it, which any number of batches share.

use std::sync::Arc;

use crate::actions::ActionSampler;
use crate::batch::{Batch, Env, Options, VectorEnv};
use crate::generated::common::table;
use crate::program::{Layout, Program, ProgramError};

/// A task as bindings see it.
pub trait Task: Send + Sync {
    /// What it was made of.
    fn program(&self) -> &[u8];
    /// Whether it is for batches that report their metrics.
    fn metrics(&self) -> bool;
    /// Makes a batch. `options.metrics` must be the task's.
    fn batch(self: Arc<Self>, options: &Options) -> Box<dyn VectorEnv>;
}

/// A task of one family.
pub struct FamilyTask<E> {
    program: Box<[u8]>,
    metrics: bool,
    pub env: E,
    pub sampler: ActionSampler,
}

impl<E: Env + 'static> FamilyTask<E> {
    pub fn new(
        layout: &Layout,
        bytes: &[u8],
        metrics: bool,
        env: impl Fn(&Program, bool) -> E,
    ) -> Result<Arc<Self>, ProgramError> {
        let program = Program::new(layout, bytes)?;
        let sampler = ActionSampler::new(
            &program.table_u32(table::ACTION_KIND),
            &program.table_u32(table::ACTION_NUM_CHOICES),
            &program.table_f32(table::ACTION_RANGES),
            &program.table_f32(table::ACTION_CHOICES),
        );
        Ok(Arc::new(Self {
            program: bytes.into(),
            metrics,
            env: env(&program, metrics),
            sampler,
        }))
    }
}

impl<E: Env + 'static> Task for FamilyTask<E> {
    fn program(&self) -> &[u8] {
        &self.program
    }

    fn metrics(&self) -> bool {
        self.metrics
    }

    fn batch(self: Arc<Self>, options: &Options) -> Box<dyn VectorEnv> {
        debug_assert_eq!(options.metrics, self.metrics);
        Box::new(Batch::new(self, options))
    }
}
