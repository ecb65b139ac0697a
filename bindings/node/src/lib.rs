//! The Node.js addon: converts and forwards to the core. Batches are kept by number, because a
//! free function with a number is the cheapest call there is; nothing is passed to a step.

pub mod learn;

use std::cell::RefCell;
use std::sync::Arc;

use infragym_core::{Kernel, Options, Recording, Task as CoreTask, VectorEnv, shared_task};
use napi::bindgen_prelude::{AsyncTask, Error, Result, Status, Uint8Array, Uint32Array};
use napi::{Env, Task};
use napi_derive::napi;

/// Tasks that are kept without a batch.
const RECENT_MAX: usize = 8;

/// The content of a batch's number.
enum Place {
    Empty,
    Batch(Box<dyn VectorEnv>),
    /// The batch is with the thread that steps it.
    Stepping,
}

thread_local! {
    /// The batches of this JavaScript thread; a closed one leaves its place empty.
    static BATCHES: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
    /// The tasks of the last batches, so that the next one need not validate its program again;
    /// programs that come and go would also leave holes that small allocations settle in.
    static RECENT: RefCell<Vec<Arc<dyn CoreTask>>> = const { RefCell::new(Vec::new()) };
}

fn with_batch<T>(batch: u32, work: impl FnOnce(&mut dyn VectorEnv) -> T) -> Result<T> {
    BATCHES.with_borrow_mut(|batches| match batches.get_mut(batch as usize) {
        Some(Place::Batch(found)) => Ok(work(found.as_mut())),
        Some(Place::Stepping) => Err(refusal(batch, "is stepping on another thread")),
        _ => Err(refusal(batch, "is closed or was never made")),
    })
}

fn refusal(batch: u32, reason: &str) -> Error {
    Error::new(Status::InvalidArg, format!("batch {batch} {reason}"))
}

/// The version of the core.
#[napi]
pub fn version() -> &'static str {
    infragym_core::version()
}

/// The kernels of this processor, slowest first.
#[napi]
pub fn kernels() -> Vec<&'static str> {
    Kernel::available().into_iter().map(Kernel::name).collect()
}

/// Makes a batch: its number, or minus the fault code of a program that is refused. One that needs
/// more than `max_bytes` is refused before anything is allocated: failing to allocate aborts.
#[napi]
#[allow(clippy::too_many_arguments)] // Numbers are what passes fastest.
pub fn create(
    program: &[u8],
    num_envs: u32,
    autoreset: u32,
    threads: u32,
    metrics: bool,
    kernel: u32,
    max_bytes: f64,
) -> Result<i32> {
    let Some(kernel) = Kernel::choose(kernel, num_envs as usize) else {
        return Err(Error::new(Status::InvalidArg, "no such kernel here"));
    };
    let options = Options {
        num_envs: num_envs as usize,
        autoreset,
        threads: threads as usize,
        metrics,
        kernel,
    };
    let made = match shared_task(program, metrics) {
        Ok(task) => {
            let needed = task.shape().store_bytes(options.num_envs);
            if needed.is_none_or(|bytes| bytes as f64 > max_bytes) {
                return Err(too_large(num_envs, needed, max_bytes));
            }
            let made = Arc::clone(&task).batch(&options);
            remember(task);
            made
        }
        Err(error) => return Ok(-(error.code() as i32)),
    };
    BATCHES.with_borrow_mut(|batches| {
        let free = |place: &Place| matches!(place, Place::Empty);
        let place = batches.iter().position(free).unwrap_or_else(|| {
            batches.push(Place::Empty);
            batches.len() - 1
        });
        batches[place] = Place::Batch(made);
        Ok(place as i32)
    })
}

/// Keeps a task for the next batches, the one that was used longest ago goes.
fn remember(task: Arc<dyn CoreTask>) {
    RECENT.with_borrow_mut(|recent| {
        recent.retain(|known| !Arc::ptr_eq(known, &task));
        recent.push(task);
        if recent.len() > RECENT_MAX {
            recent.remove(0);
        }
    });
}

fn too_large(num_envs: u32, needed: Option<usize>, max_bytes: f64) -> Error {
    let gigabytes = |bytes: f64| format!("{:.1} GB", bytes / 1e9);
    let needed = needed.map_or("too much".to_owned(), |bytes| gigabytes(bytes as f64));
    let free = gigabytes(max_bytes);
    let message = format!(
        "numEnvs is {num_envs}: the batch needs {needed} and {free} are free; take a smaller batch"
    );
    Error::new(Status::InvalidArg, message)
}

/// The bytes of a channel, shared with the core; they outlive the batch while anyone holds them.
#[napi]
pub fn channel(batch: u32, index: u32, bytes: u32) -> Result<Uint8Array> {
    with_batch(batch, |env| {
        let channels = Arc::clone(&env.store().channels);
        let address = channels.address(index as usize);
        // SAFETY: the address is of `bytes` bytes at least (the caller asks for no more than the
        // channel's width times the environments), and the finalizer keeps them alive.
        unsafe { Uint8Array::with_external_data(address, bytes as usize, |_, _| drop(channels)) }
    })
}

/// Begins an episode everywhere or where the reset mask is 1; see the core's `VectorEnv::reset`.
#[napi]
pub fn reset(batch: u32, seed_lo: u32, seed_hi: u32, seeded: bool, masked: bool) -> Result<()> {
    let seed = u64::from(seed_lo) | (u64::from(seed_hi) << 32);
    with_batch(batch, |env| env.reset(seeded.then_some(seed), masked))
}

/// One step of every environment.
#[napi]
pub fn step(batch: u32) -> Result<()> {
    with_batch(batch, |env| env.step())
}

/// One step of every environment on a thread of libuv's pool. Until its promise is fulfilled the
/// batch is away: every other call on it is refused.
#[napi]
pub fn step_async(batch: u32) -> Result<AsyncTask<Step>> {
    with_batch(batch, |_| ())?;
    BATCHES.with_borrow_mut(|batches| {
        match std::mem::replace(&mut batches[batch as usize], Place::Stepping) {
            Place::Batch(env) => Ok(AsyncTask::new(Step { batch, env })),
            _ => unreachable!("with_batch found it"),
        }
    })
}

/// A step that runs on another thread.
pub struct Step {
    batch: u32,
    env: Box<dyn VectorEnv>,
}

impl Task for Step {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        self.env.step();
        Ok(())
    }

    fn resolve(&mut self, _env: Env, _output: ()) -> Result<()> {
        Ok(())
    }

    /// Brings the batch back, on the JavaScript thread.
    fn finally(self, _env: Env) -> Result<()> {
        BATCHES.with_borrow_mut(|batches| batches[self.batch as usize] = Place::Batch(self.env));
        Ok(())
    }
}

/// `steps` steps under a policy of the core.
#[napi]
pub fn rollout(batch: u32, policy: u32, steps: u32) -> Result<()> {
    with_batch(batch, |env| env.rollout(policy, steps))
}

/// As `rollout`, written step by step into the arrays given, which are those of the core's
/// `RECORDED` in their order: [steps, num_envs, ...], or none.
#[napi]
#[allow(clippy::too_many_arguments)] // Numbers and arrays are what passes fastest.
pub fn record(
    batch: u32,
    policy: u32,
    steps: u32,
    mut observations: Option<Uint8Array>,
    mut masks: Option<Uint8Array>,
    mut actions: Option<Uint8Array>,
    mut rewards: Option<Uint8Array>,
    mut costs: Option<Uint8Array>,
    mut terminated: Option<Uint8Array>,
    mut truncated: Option<Uint8Array>,
) -> Result<()> {
    let arrays = [
        &mut observations,
        &mut masks,
        &mut actions,
        &mut rewards,
        &mut costs,
        &mut terminated,
        &mut truncated,
    ];
    // SAFETY: JavaScript waits for this call, and its caller has seen that the arrays lie apart.
    let arrays = arrays.map(|array| array.as_mut().map(|array| unsafe { array.as_mut() }));
    with_batch(batch, |env| {
        let Some(recording) = Recording::new(arrays, env.store(), steps as usize) else {
            return Err(refusal(
                batch,
                "is recorded into an array of the wrong length",
            ));
        };
        env.record(policy, &recording);
        Ok(())
    })?
}

/// Takes the parameters of a linear or tabular policy.
#[napi]
pub fn set_parameters(batch: u32, words: Uint32Array) -> Result<()> {
    if with_batch(batch, |env| env.set_parameters(&words))? {
        return Ok(());
    }
    Err(refusal(batch, "is given a policy of another task"))
}

/// Episodes that ended since the batch was made.
#[napi]
pub fn episodes(batch: u32) -> Result<f64> {
    with_batch(batch, |env| env.episodes() as f64)
}

/// Copies the whole state out, slot by slot.
#[napi]
pub fn export_state(batch: u32, mut out: Uint8Array) -> Result<()> {
    // SAFETY: the caller made the array for this call and does not look at it meanwhile.
    let out = unsafe { out.as_mut() };
    with_batch(batch, |env| {
        let slots = 0..env.store().shape.slots();
        check_state(batch, env, out.len())?;
        env.export_slots(slots, out);
        Ok(())
    })?
}

/// Copies the whole state in.
#[napi]
pub fn import_state(batch: u32, state: &[u8]) -> Result<()> {
    with_batch(batch, |env| {
        let slots = 0..env.store().shape.slots();
        check_state(batch, env, state.len())?;
        env.import_slots(slots, state);
        Ok(())
    })?
}

fn check_state(batch: u32, env: &dyn VectorEnv, bytes: usize) -> Result<()> {
    let store = env.store();
    let needed = store.shape.slot_bytes(0..store.shape.slots()) * store.num_envs;
    if bytes == needed {
        return Ok(());
    }
    let reason = format!("has a state of {needed} bytes, not of {bytes}");
    Err(refusal(batch, &reason))
}

/// The kernel that steps the batch.
#[napi]
pub fn kernel(batch: u32) -> Result<&'static str> {
    with_batch(batch, |env| env.kernel())
}

/// Forgets a batch that does not step; its channels live on while JavaScript holds them.
#[napi]
pub fn close(batch: u32) -> Result<()> {
    BATCHES.with_borrow_mut(|batches| match batches.get_mut(batch as usize) {
        Some(Place::Stepping) => Err(refusal(batch, "is stepping on another thread")),
        Some(place) => {
            *place = Place::Empty;
            Ok(())
        }
        None => Ok(()),
    })
}
