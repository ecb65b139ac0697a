//! The WebAssembly module: plain exports over the core, so that every batch can have an instance
//! of its own (docs/adr/0005-one-wasm-instance-per-batch.md). One instance holds one batch.

use std::cell::RefCell;

use infragym_core::generated::common::POLICY_WORDS_MAX;
use infragym_core::{Kernel, Options, VectorEnv};

/// Room for state slots: few calls move the state of a batch, and little memory is taken for it.
const SLOTS_BYTES: usize = 1 << 18;

#[derive(Default)]
struct Instance {
    program: Vec<u8>,
    batch: Option<Box<dyn VectorEnv>>,
    /// State slots on their way in or out.
    slots: Vec<u8>,
    /// A policy's parameters on their way in: room that is taken once, and touched by need.
    parameters: Vec<u32>,
}

thread_local! {
    static INSTANCE: RefCell<Instance> = RefCell::new(Instance::default());
}

fn with_batch<T: Default>(work: impl FnOnce(&mut dyn VectorEnv) -> T) -> T {
    INSTANCE.with_borrow_mut(|instance| match &mut instance.batch {
        Some(batch) => work(batch.as_mut()),
        None => T::default(),
    })
}

/// Makes room for a program; the caller writes its bytes there.
#[unsafe(no_mangle)]
pub extern "C" fn program_buffer(bytes: usize) -> *mut u8 {
    INSTANCE.with_borrow_mut(|instance| {
        instance.program = vec![0; bytes];
        instance.program.as_mut_ptr()
    })
}

/// Makes the batch: 0, or the fault code of a program that is refused.
#[unsafe(no_mangle)]
pub extern "C" fn create(num_envs: u32, autoreset: u32, metrics: u32, wanted: u32) -> u32 {
    let options = Options {
        num_envs: num_envs as usize,
        autoreset,
        threads: 1,
        metrics: metrics != 0,
        kernel: Kernel::choose(wanted, num_envs as usize).unwrap_or(Kernel::Portable),
    };
    INSTANCE.with_borrow_mut(|instance| {
        let program = std::mem::take(&mut instance.program);
        match infragym_core::create(&program, &options) {
            Ok(batch) => {
                instance.batch = Some(batch);
                instance.slots = vec![0; SLOTS_BYTES.max(8 * options.num_envs)];
                instance.parameters = Vec::with_capacity(POLICY_WORDS_MAX);
                0
            }
            Err(error) => error.code(),
        }
    })
}

/// Address of a channel.
#[unsafe(no_mangle)]
pub extern "C" fn channel_ptr(index: usize) -> usize {
    with_batch(|batch| batch.store().channels.address(index) as usize)
}

/// Begins an episode everywhere or where the reset mask is 1; see the core's `VectorEnv::reset`.
#[unsafe(no_mangle)]
pub extern "C" fn reset(seed_lo: u32, seed_hi: u32, seeded: u32, masked: u32) {
    let seed = u64::from(seed_lo) | (u64::from(seed_hi) << 32);
    with_batch(|batch| batch.reset((seeded != 0).then_some(seed), masked != 0));
}

/// One step of every environment.
#[unsafe(no_mangle)]
pub extern "C" fn step() {
    with_batch(|batch| batch.step());
}

/// `steps` steps under a policy of the core.
#[unsafe(no_mangle)]
pub extern "C" fn rollout(policy: u32, steps: u32) {
    with_batch(|batch| batch.rollout(policy, steps));
}

/// Address of the room for a policy's parameters, `POLICY_WORDS_MAX` words.
#[unsafe(no_mangle)]
pub extern "C" fn parameter_ptr() -> *mut u32 {
    INSTANCE.with_borrow_mut(|instance| instance.parameters.as_mut_ptr())
}

/// Takes the words that the caller has written there: 1, or 0 for a policy of another task.
#[unsafe(no_mangle)]
pub extern "C" fn set_parameters(words: usize) -> u32 {
    INSTANCE.with_borrow_mut(|instance| {
        let (Some(batch), true) = (&mut instance.batch, words <= POLICY_WORDS_MAX) else {
            return 0;
        };
        // SAFETY: there is room for so many, and the caller has written them.
        unsafe { instance.parameters.set_len(words) };
        u32::from(batch.set_parameters(&instance.parameters))
    })
}

/// Episodes that ended since the batch was made.
#[unsafe(no_mangle)]
pub extern "C" fn episodes() -> f64 {
    with_batch(|batch| batch.episodes() as f64)
}

/// Address of the buffer through which state slots pass.
#[unsafe(no_mangle)]
pub extern "C" fn slot_ptr() -> *mut u8 {
    INSTANCE.with_borrow_mut(|instance| instance.slots.as_mut_ptr())
}

/// Bytes of that buffer: one slot of all environments at least.
#[unsafe(no_mangle)]
pub extern "C" fn slot_bytes() -> usize {
    INSTANCE.with_borrow(|instance| instance.slots.len())
}

/// Copies `count` state slots from `first` on to the buffer.
#[unsafe(no_mangle)]
pub extern "C" fn export_slots(first: usize, count: usize) {
    INSTANCE.with_borrow_mut(|instance| {
        if let Some(batch) = &instance.batch {
            batch.export_slots(first..first + count, &mut instance.slots);
        }
    });
}

/// Copies `count` state slots from `first` on from the buffer.
#[unsafe(no_mangle)]
pub extern "C" fn import_slots(first: usize, count: usize) {
    INSTANCE.with_borrow_mut(|instance| {
        if let Some(batch) = &mut instance.batch {
            batch.import_slots(first..first + count, &instance.slots);
        }
    });
}

/// The kernel that steps the batch: 0 scalar, 1 SIMD128.
#[unsafe(no_mangle)]
pub extern "C" fn kernel_id() -> u32 {
    with_batch(|batch| u32::from(batch.kernel() != "scalar"))
}
