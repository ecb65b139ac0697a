//! Tasks that batches of one program share: a server has a batch for each of its sessions, and a
//! program may be a megabyte. Not for WebAssembly, where an instance has one batch: comparing bytes
//! would make its module need features that wasm-bindgen refuses.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::program::ProgramError;
use crate::task::Task;

/// The tasks of the batches there are.
static TASKS: Mutex<Vec<Weak<dyn Task>>> = Mutex::new(Vec::new());

/// The task of these bytes, validated unless a batch has it already.
pub fn shared_task(program: &[u8], metrics: bool) -> Result<Arc<dyn Task>, ProgramError> {
    let mut tasks = TASKS.lock().unwrap_or_else(PoisonError::into_inner);
    tasks.retain(|task| task.strong_count() > 0);
    let is_same = |known: &Arc<dyn Task>| known.metrics() == metrics && known.program() == program;
    if let Some(same) = tasks.iter().filter_map(Weak::upgrade).find(is_same) {
        return Ok(same);
    }
    let made = crate::task(program, metrics)?;
    tasks.push(Arc::downgrade(&made));
    Ok(made)
}
