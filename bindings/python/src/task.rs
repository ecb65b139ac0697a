//! A validated program, of which any number of batches can be made.

use std::collections::HashMap;
use std::sync::Arc;

use infragym_core::{Kernel, Options, Task as Program};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::actions::ActionRows;
use crate::batch::Batch;
use crate::memory::check_room;

#[pyclass(module = "infragym._core", frozen)]
pub struct Task {
    program: Arc<dyn Program>,
}

#[pymethods]
impl Task {
    /// Validates a program; ValueError names the fault.
    #[new]
    fn new(program: &[u8], metrics: bool) -> PyResult<Self> {
        match infragym_core::task(program, metrics) {
            Ok(program) => Ok(Self { program }),
            Err(error) => Err(PyValueError::new_err(infragym_core::describe(
                program, error,
            ))),
        }
    }

    /// Makes a batch; `rows` says what its action rows may hold.
    #[pyo3(signature = (num_envs, autoreset, threads, kernel, rows))]
    fn batch(
        &self,
        py: Python<'_>,
        num_envs: usize,
        autoreset: u32,
        threads: usize,
        kernel: u32,
        rows: ActionRows,
    ) -> PyResult<Batch> {
        let Some(kernel) = Kernel::choose(kernel, num_envs) else {
            return Err(PyValueError::new_err(
                "kernel is one that this processor has not",
            ));
        };
        check_room(&self.program.shape(), num_envs)?;
        let options = Options {
            num_envs,
            autoreset,
            threads,
            metrics: self.program.metrics(),
            kernel,
        };
        let program = Arc::clone(&self.program);
        let env = py.detach(|| program.batch(&options));
        Ok(Batch::new(env, rows, threads))
    }

    /// Widths of the rows, and the bytes of an environment's state: what a description must agree
    /// with.
    #[getter]
    fn widths(&self) -> HashMap<&'static str, usize> {
        let shape = self.program.shape();
        HashMap::from([
            ("action_dim", shape.action_dim),
            ("observation_dim", shape.observation_dim),
            ("mask_dim", shape.mask_dim),
            ("statistics", shape.statistics),
            ("state_bytes", shape.slot_bytes(0..shape.slots())),
        ])
    }

    /// Upper bound of an episode's return; None where the family knows none.
    fn bound(&self, py: Python<'_>, seed: u64, episode: u32) -> Option<f64> {
        py.detach(|| self.program.bound(seed, episode))
    }
}
