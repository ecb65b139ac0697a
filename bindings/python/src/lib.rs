//! The Python extension `infragym._core`: converts and forwards to the core. A batch's arrays are
//! NumPy views of the core's memory; what Python sees of it is `bindings/python/python/infragym`.

mod actions;
mod batch;
mod memory;
mod task;

use infragym_core::Kernel;
use pyo3::prelude::*;

/// The version of the core.
#[pyfunction]
fn version() -> &'static str {
    infragym_core::version()
}

/// The kernels of this processor, slowest first.
#[pyfunction]
fn kernels() -> Vec<&'static str> {
    Kernel::available().into_iter().map(Kernel::name).collect()
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(kernels, module)?)?;
    module.add_class::<task::Task>()?;
    module.add_class::<batch::Batch>()
}
