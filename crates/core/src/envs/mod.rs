//! The environment families, one module each.

mod autoscaling;
mod provisioning;
mod scheduling;
mod serving;

use std::sync::Arc;

use crate::generated::autoscaling::LAYOUT as AUTOSCALING;
use crate::generated::common::header;
use crate::generated::provisioning::LAYOUT as PROVISIONING;
use crate::generated::scheduling::LAYOUT as SCHEDULING;
use crate::generated::serving::LAYOUT as SERVING;
use crate::program::{Program, ProgramError};
use crate::task::{FamilyTask, Task};

/// Validates a program and makes the tables of the family that it names.
pub fn task(bytes: &[u8], metrics: bool) -> Result<Arc<dyn Task>, ProgramError> {
    let family = Program::family(bytes)?;
    if family == SERVING.family {
        Ok(FamilyTask::new(
            &SERVING,
            bytes,
            metrics,
            serving::Serving::new,
        )?)
    } else if family == AUTOSCALING.family {
        let make = autoscaling::Autoscaling::new;
        Ok(FamilyTask::new(&AUTOSCALING, bytes, metrics, make)?)
    } else if family == PROVISIONING.family {
        let make = provisioning::Provisioning::new;
        Ok(FamilyTask::new(&PROVISIONING, bytes, metrics, make)?)
    } else if family == SCHEDULING.family {
        let make = scheduling::Scheduling::new;
        Ok(FamilyTask::new(&SCHEDULING, bytes, metrics, make)?)
    } else {
        Err(ProgramError::Header(header::FAMILY))
    }
}
