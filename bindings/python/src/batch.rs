//! A batch of environments, its arrays as NumPy views of the core's memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use infragym_core::generated::common::channel;
use infragym_core::{Channels, RECORDED, Recording, Store, VectorEnv};
use numpy::ndarray::{ArrayView1, ArrayView2};
use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadwriteArray1};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::actions::ActionRows;

/// Environments from which on a step lets other Python threads run: a smaller one takes less time
/// than to let them.
const DETACH_FROM_ENVS: usize = 128;

/// Memory that NumPy looks at, kept alive by the arrays that do.
#[pyclass(module = "infragym._core", frozen)]
struct Memory(#[allow(dead_code)] Arc<Channels>);

struct Inner {
    env: Box<dyn VectorEnv>,
    /// The process that has the batch's threads.
    process: u32,
}

#[pyclass(module = "infragym._core", frozen)]
pub struct Batch {
    inner: Mutex<Inner>,
    channels: Arc<Channels>,
    rows: ActionRows,
    num_envs: usize,
    threads: usize,
}

impl Batch {
    pub fn new(env: Box<dyn VectorEnv>, rows: ActionRows, threads: usize) -> Self {
        let store = env.store();
        Self {
            channels: Arc::clone(&store.channels),
            num_envs: store.num_envs,
            inner: Mutex::new(Inner {
                env,
                process: process::id(),
            }),
            rows,
            threads,
        }
    }

    /// The batch for a call; another thread's call is refused, for they would race for its arrays.
    fn lock(&self) -> PyResult<MutexGuard<'_, Inner>> {
        let mut inner = match self.inner.try_lock() {
            Ok(inner) => inner,
            Err(TryLockError::WouldBlock) => {
                let message = "the batch is stepping on another thread: one call at a time";
                return Err(PyRuntimeError::new_err(message));
            }
            Err(TryLockError::Poisoned(_)) => {
                return Err(PyRuntimeError::new_err(
                    "the batch is broken by an earlier panic",
                ));
            }
        };
        if self.threads > 1 && inner.process != process::id() {
            inner.env.renew_threads();
            inner.process = process::id();
        }
        Ok(inner)
    }

    /// Runs work on the batch, without holding up Python's other threads where it may take long. A
    /// panic becomes an exception.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        is_long: bool,
        work: impl FnOnce(&mut dyn VectorEnv) -> T + Send,
    ) -> PyResult<T> {
        let mut inner = self.lock()?;
        let env = &mut inner.env;
        let guarded = || catch_unwind(AssertUnwindSafe(|| work(env.as_mut())));
        let done = if is_long {
            py.detach(guarded)
        } else {
            guarded()
        };
        done.map_err(|panic| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
            PyRuntimeError::new_err(format!("the core panicked: {}", message.unwrap_or("?")))
        })
    }

    fn is_long(&self) -> bool {
        self.num_envs >= DETACH_FROM_ENVS
    }

    /// The rows of actions that the core reads.
    #[allow(clippy::mut_from_ref)] // Shared with NumPy, whose arrays the GIL guards.
    fn action_rows(&self) -> &mut [u32] {
        let actions = &self.channels.actions;
        // SAFETY: the channel has a row for each environment; the caller holds the batch's lock.
        unsafe {
            std::slice::from_raw_parts_mut(actions.as_ptr(), self.num_envs * self.rows.width())
        }
    }

    /// A channel's part of the environments there are.
    fn flags(&self, flags: *const u8) -> &[u8] {
        // SAFETY: a flag for each environment, and nothing steps the batch meanwhile.
        unsafe { std::slice::from_raw_parts(flags, self.num_envs) }
    }

    /// Environments whose flags say that their episode has ended.
    fn count_ended(&self) -> usize {
        let terminated = self.flags(self.channels.terminated.as_ptr());
        let truncated = self.flags(self.channels.truncated.as_ptr());
        let both = terminated.iter().zip(truncated);
        both.map(|(a, b)| usize::from(a | b)).sum()
    }
}

#[pymethods]
impl Batch {
    #[getter]
    fn num_envs(&self) -> usize {
        self.num_envs
    }

    /// The kernel that steps the batch.
    #[getter]
    fn kernel(&self) -> PyResult<&'static str> {
        Ok(self.lock()?.env.kernel())
    }

    /// Episodes that ended since the batch was made.
    #[getter]
    fn episodes(&self) -> PyResult<u64> {
        Ok(self.lock()?.env.episodes())
    }

    /// A channel as an array [num_envs, width], or [num_envs] where the width is one.
    fn channel<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyAny>> {
        let width = {
            let inner = self.lock()?;
            channel_width(inner.env.store(), index)
        };
        let Some(width) = width else {
            return Err(PyValueError::new_err(format!("channel {index} is unknown")));
        };
        let owner = Bound::new(py, Memory(Arc::clone(&self.channels)))?.into_any();
        let address = self.channels.address(index);
        macro_rules! view {
            ($type:ty) => {
                // SAFETY: the channel has so many elements, aligned, and lives as long as its
                // owner, which the array keeps; the batch has no references to it between calls.
                unsafe {
                    let data = address.cast::<$type>().cast_const();
                    if width == 1 && is_flat(index) {
                        let view = ArrayView1::from_shape_ptr(self.num_envs, data);
                        PyArray1::borrow_from_array(&view, owner).into_any()
                    } else {
                        let view = ArrayView2::from_shape_ptr((self.num_envs, width), data);
                        PyArray2::borrow_from_array(&view, owner).into_any()
                    }
                }
            };
        }
        Ok(match index {
            channel::ACTIONS if self.rows.is_index() => view!(i32),
            channel::FINAL_STATISTICS => view!(f64),
            channel::TERMINATED | channel::TRUNCATED | channel::MASKS | channel::RESET_MASK => {
                view!(u8)
            }
            _ => view!(f32),
        })
    }

    /// Begins an episode everywhere or where the reset mask is 1; see the core's `reset`.
    #[pyo3(signature = (seed, masked))]
    fn reset(&self, py: Python<'_>, seed: Option<u64>, masked: bool) -> PyResult<()> {
        self.run(py, self.is_long(), |env| env.reset(seed, masked))
    }

    /// A step with the actions that are in their channel; returns how many episodes ended.
    fn step(&self, py: Python<'_>) -> PyResult<usize> {
        self.run(py, self.is_long(), |env| env.step())?;
        Ok(self.count_ended())
    }

    /// A step with an array of actions, which is checked and copied.
    fn step_with(&self, py: Python<'_>, actions: &Bound<'_, PyAny>) -> PyResult<usize> {
        drop(self.lock()?);
        self.rows.write(actions, self.action_rows())?;
        self.step(py)
    }

    /// Checks an array of actions and copies it, without a step.
    fn write_actions(&self, actions: &Bound<'_, PyAny>) -> PyResult<()> {
        drop(self.lock()?);
        self.rows.write(actions, self.action_rows())
    }

    /// Takes one action for a batch of one and steps: observation, reward, terminated, truncated
    /// and an info with the cost.
    #[allow(clippy::type_complexity)] // Gymnasium's tuple.
    fn step_one<'py>(
        &self,
        py: Python<'py>,
        action: &Bound<'_, PyAny>,
    ) -> PyResult<(
        Bound<'py, PyArray1<f32>>,
        f64,
        bool,
        bool,
        Bound<'py, PyDict>,
    )> {
        drop(self.lock()?);
        let row = &mut self.action_rows()[..self.rows.width()];
        self.rows.write_one(action, row)?;
        let width = self.run(py, false, |env| {
            env.step();
            env.store().shape.observation_dim
        })?;
        let channels = &*self.channels;
        // SAFETY: rows of the first environment, and nothing steps the batch meanwhile.
        let (observation, reward, cost, terminated, truncated) = unsafe {
            let row = std::slice::from_raw_parts(channels.observations.as_ptr(), width);
            (
                PyArray1::from_slice(py, row),
                *channels.rewards.as_ptr(),
                *channels.costs.as_ptr(),
                *channels.terminated.as_ptr() != 0,
                *channels.truncated.as_ptr() != 0,
            )
        };
        let info = PyDict::new(py);
        info.set_item(pyo3::intern!(py, "cost"), f64::from(cost))?;
        Ok((observation, f64::from(reward), terminated, truncated, info))
    }

    /// Environments whose episode has ended and has not been followed by another.
    fn count_finished(&self) -> usize {
        self.count_ended()
    }

    /// `steps` steps under a policy of the core.
    fn rollout(&self, py: Python<'_>, policy: u32, steps: u32) -> PyResult<()> {
        self.run(py, true, |env| env.rollout(policy, steps))
    }

    /// As `rollout`, written into the bytes of the arrays given, in the order of `RECORDED`.
    fn record(
        &self,
        py: Python<'_>,
        policy: u32,
        steps: u32,
        arrays: Vec<Option<PyReadwriteArray1<'_, u8>>>,
    ) -> PyResult<()> {
        let Ok(mut arrays) = <[_; RECORDED.len()]>::try_from(arrays) else {
            return Err(PyValueError::new_err(
                "one array, or None, for each channel",
            ));
        };
        let mut slices: [Option<&mut [u8]>; RECORDED.len()] = Default::default();
        for (slice, array) in slices.iter_mut().zip(arrays.iter_mut()) {
            *slice = match array {
                Some(array) => Some(array.as_slice_mut()?),
                None => None,
            };
        }
        let is_recorded = self.run(py, true, |env| {
            let Some(recording) = Recording::new(slices, env.store(), steps as usize) else {
                return false;
            };
            env.record(policy, &recording);
            true
        })?;
        if is_recorded {
            return Ok(());
        }
        Err(PyValueError::new_err(
            "an array to record into has another length",
        ))
    }

    /// Takes the words of a policy with parameters; false where they are none of this task.
    fn set_parameters(&self, words: PyReadonlyArray1<'_, u32>) -> PyResult<bool> {
        Ok(self.lock()?.env.set_parameters(words.as_slice()?))
    }

    /// The whole state, [slot][environment].
    fn export_state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let inner = self.lock()?;
        let store = inner.env.store();
        let slots = 0..store.shape.slots();
        let bytes = store.shape.slot_bytes(slots.clone()) * store.num_envs;
        PyBytes::new_with(py, bytes, |out| {
            inner.env.export_slots(slots, out);
            Ok(())
        })
    }

    /// Takes what `export_state` gave; the caller has checked its values.
    fn import_state(&self, state: &[u8]) -> PyResult<()> {
        let mut inner = self.lock()?;
        let shape = inner.env.store().shape;
        let slots = 0..shape.slots();
        let needed = shape.slot_bytes(slots.clone()) * self.num_envs;
        if state.len() != needed {
            let message = format!("state has {} bytes: {needed} are needed", state.len());
            return Err(PyValueError::new_err(message));
        }
        inner.env.import_slots(slots, state);
        Ok(())
    }
}

/// Elements per environment of a channel; `None` for a number that is no channel's.
fn channel_width(store: &Store, index: usize) -> Option<usize> {
    let shape = &store.shape;
    Some(match index {
        channel::ACTIONS => shape.action_dim,
        channel::OBSERVATIONS | channel::FINAL_OBSERVATIONS => shape.observation_dim,
        channel::METRICS => shape.metric_dim,
        channel::FINAL_STATISTICS => shape.statistics,
        channel::MASKS => shape.mask_dim,
        channel::REWARDS
        | channel::COSTS
        | channel::TERMINATED
        | channel::TRUNCATED
        | channel::RESET_MASK => 1,
        _ => return None,
    })
}

/// Whether a channel has one number for each environment in every task.
fn is_flat(index: usize) -> bool {
    matches!(
        index,
        channel::REWARDS
            | channel::COSTS
            | channel::TERMINATED
            | channel::TRUNCATED
            | channel::RESET_MASK
    )
}
