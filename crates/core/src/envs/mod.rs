//! The environment families, one module each.

mod autoscaling;
mod provisioning;
mod scheduling;
mod serving;

use crate::actions::ActionSampler;
use crate::batch::{Batch, Env, Options, VectorEnv};
use crate::generated::autoscaling as autoscaling_layout;
use crate::generated::common::{header, table};
use crate::generated::provisioning as provisioning_layout;
use crate::generated::scheduling as scheduling_layout;
use crate::generated::serving as serving_layout;
use crate::program::{Layout, Program, ProgramError};

/// Makes a batch of the family that a program names.
pub fn create(
    family: u32,
    bytes: &[u8],
    options: &Options,
) -> Result<Box<dyn VectorEnv>, ProgramError> {
    match family {
        f if f == serving_layout::LAYOUT.family => make(
            &serving_layout::LAYOUT,
            bytes,
            options,
            serving::Serving::new,
        ),
        f if f == autoscaling_layout::LAYOUT.family => make(
            &autoscaling_layout::LAYOUT,
            bytes,
            options,
            autoscaling::Autoscaling::new,
        ),
        f if f == provisioning_layout::LAYOUT.family => make(
            &provisioning_layout::LAYOUT,
            bytes,
            options,
            provisioning::Provisioning::new,
        ),
        f if f == scheduling_layout::LAYOUT.family => make(
            &scheduling_layout::LAYOUT,
            bytes,
            options,
            scheduling::Scheduling::new,
        ),
        _ => Err(ProgramError::Header(header::FAMILY)),
    }
}

fn make<E: Env + 'static>(
    layout: &Layout,
    bytes: &[u8],
    options: &Options,
    env: impl Fn(&Program, bool) -> E,
) -> Result<Box<dyn VectorEnv>, ProgramError> {
    let program = Program::new(layout, bytes)?;
    let sampler = ActionSampler::new(
        &program.table_u32(table::ACTION_KIND),
        &program.table_u32(table::ACTION_NUM_CHOICES),
        &program.table_f32(table::ACTION_RANGES),
        &program.table_f32(table::ACTION_CHOICES),
    );
    let env = env(&program, options.metrics);
    Ok(Box::new(Batch::new(env, sampler, options)))
}
