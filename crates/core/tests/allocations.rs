//! Memory is taken when a batch is made and at no other time: after the first step, a step and a
//! rollout allocate nothing, whatever the family, the kernel and the autoreset mode. One thread:
//! what a pool of threads does to hand out work is its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use infragym_core::generated::common::{FIRST_HEURISTIC, autoreset, policy};
use infragym_core::{Kernel, Options, Recording, VectorEnv, create};

thread_local! {
    /// Allocations of this thread; tests run on threads of their own.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: the system's allocator does the work; counting touches one cell of the thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, data: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(data, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, data: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(data, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const POLICIES: [u32; 4] = [
    policy::CONSTANT,
    policy::RANDOM,
    policy::TABULAR,
    FIRST_HEURISTIC,
];
const NUM_ENVS: usize = 70;
const STEPS: u32 = 45;

/// A program of each family, its horizon 20 steps or less.
const PROGRAMS: [(&str, &[u8]); 5] = [
    ("serving", include_bytes!("fixtures/serving-origin.bin")),
    ("measured", include_bytes!("fixtures/serving-measured.bin")),
    (
        "autoscaling",
        include_bytes!("fixtures/autoscaling-fleet.bin"),
    ),
    (
        "provisioning",
        include_bytes!("fixtures/provisioning-hard.bin"),
    ),
    (
        "scheduling",
        include_bytes!("fixtures/scheduling-sleep-aware.bin"),
    ),
];

fn allocations_of(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[test]
fn the_counter_counts() {
    assert!(allocations_of(|| drop(std::hint::black_box(vec![1u8]))) > 0);
}

/// A tabular policy of one cell, whose row is zeros.
fn parameters_of(env: &dyn VectorEnv) -> Vec<u32> {
    let mut words = vec![policy::TABULAR, 0];
    words.resize(2 + env.store().shape.action_dim, 0);
    words
}

#[test]
fn steps_rollouts_and_recordings_allocate_nothing() {
    for (name, program) in PROGRAMS {
        for kernel in Kernel::available() {
            for mode in [
                autoreset::NEXT_STEP,
                autoreset::SAME_STEP,
                autoreset::DISABLED,
            ] {
                let options = Options {
                    num_envs: NUM_ENVS,
                    autoreset: mode,
                    threads: 1,
                    metrics: true,
                    kernel,
                };
                let mut env = create(program, &options).expect("a valid program");
                env.reset(Some(1), false);
                env.step();
                assert!(env.set_parameters(&parameters_of(&*env)), "{name}");
                let mut rewards = vec![0; 4 * NUM_ENVS * STEPS as usize];
                let arrays = [None, None, None, Some(&mut rewards[..]), None, None, None];
                let recording = Recording::new(arrays, env.store(), STEPS as usize);
                let recording = recording.expect("the right length");
                let allocations = allocations_of(|| {
                    (0..STEPS).for_each(|_| env.step());
                    for policy in POLICIES {
                        env.rollout(policy, STEPS);
                    }
                    env.record(policy::RANDOM, &recording);
                });
                assert!(env.episodes() > 0, "{name}: no episode ended");
                assert_eq!(allocations, 0, "{name} on {}, mode {mode}", kernel.name());
            }
        }
    }
}
