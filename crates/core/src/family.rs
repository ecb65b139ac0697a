//! A validated program and what its family made of it, which any number of batches share.

use std::sync::Arc;

use crate::generated::common::table;
use crate::policy::ActionSampler;
use crate::program::{Layout, Program, ProgramError};

/// A task of one family.
pub struct FamilyTask<E> {
    pub program: Box<[u8]>,
    pub metrics: bool,
    pub env: E,
    pub sampler: ActionSampler,
}

impl<E> FamilyTask<E> {
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
