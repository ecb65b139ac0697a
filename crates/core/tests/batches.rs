//! The core as its bindings use it, on small compiled programs: every kernel, thread count, batch
//! size and autoreset mode gives the oracle's bytes, and a damaged program is refused.

use infragym_core::generated::LAYOUTS;
use infragym_core::generated::common::{autoreset, channel, policy};
use infragym_core::program::{Program, ProgramError};
use infragym_core::{Kernel, LANES, Options, VectorEnv, create, shared_task};

const PROGRAMS: [(&str, &[u8]); 3] = [
    ("origin", include_bytes!("fixtures/serving-origin.bin")),
    (
        "normalised",
        include_bytes!("fixtures/serving-normalised.bin"),
    ),
    ("measured", include_bytes!("fixtures/serving-measured.bin")),
];
const HORIZON_STEPS: u32 = 5;

/// Miri interprets every instruction: one program says as much about memory as all.
fn programs() -> &'static [(&'static str, &'static [u8])] {
    if cfg!(miri) {
        &PROGRAMS[..1]
    } else {
        &PROGRAMS
    }
}

fn fastest() -> Kernel {
    Kernel::choose(0, LANES).expect("there is always a kernel")
}

fn options(num_envs: usize, kernel: Kernel) -> Options {
    Options {
        num_envs,
        autoreset: autoreset::NEXT_STEP,
        threads: 1,
        metrics: true,
        kernel,
    }
}

fn batch(program: &[u8], options: &Options) -> Box<dyn VectorEnv> {
    create(program, options).expect("a valid program")
}

/// The bytes of every output channel and of every state slot.
fn bytes_of(env: &dyn VectorEnv) -> Vec<u8> {
    let store = env.store();
    let (n, shape) = (store.num_envs, store.shape);
    let widths = [
        (channel::OBSERVATIONS, 4 * shape.observation_dim),
        (channel::REWARDS, 4),
        (channel::COSTS, 4),
        (channel::TERMINATED, 1),
        (channel::TRUNCATED, 1),
        (channel::METRICS, 4 * shape.metric_dim),
        (channel::FINAL_OBSERVATIONS, 4 * shape.observation_dim),
        (channel::FINAL_STATISTICS, 8 * shape.statistics),
    ];
    let mut bytes = Vec::new();
    for (index, width) in widths {
        let address = store.channels.address(index);
        // SAFETY: a channel holds `width` bytes per environment, and nothing steps meanwhile.
        bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(address, width * n) });
    }
    let slots = 0..shape.slots();
    let mut state = vec![0; shape.slot_bytes(slots.clone()) * n];
    env.export_slots(slots, &mut state);
    bytes.extend_from_slice(&state);
    bytes
}

/// Steps two kernels side by side for two episodes and a little more.
fn assert_same(name: &str, program: &[u8], mode: u32, kernel: Kernel) {
    let with = |kernel| Options {
        autoreset: mode,
        ..options(LANES + 3, kernel)
    };
    let mut oracle = batch(program, &with(Kernel::Scalar));
    let mut fast = batch(program, &with(kernel));
    oracle.reset(Some(u64::MAX - 5), false);
    fast.reset(Some(u64::MAX - 5), false);
    for step in 0..2 * HORIZON_STEPS + 2 {
        oracle.rollout(policy::RANDOM, 1);
        fast.rollout(policy::RANDOM, 1);
        assert!(
            bytes_of(&*oracle) == bytes_of(&*fast),
            "{name} on {}: autoreset {mode}, step {step}",
            kernel.name()
        );
    }
    assert_eq!(oracle.episodes(), fast.episodes());
}

#[test]
fn every_kernel_gives_the_oracles_bytes() {
    for (name, program) in programs() {
        for mode in [
            autoreset::NEXT_STEP,
            autoreset::SAME_STEP,
            autoreset::DISABLED,
        ] {
            for kernel in Kernel::available() {
                if !cfg!(miri) || mode == autoreset::SAME_STEP {
                    assert_same(name, program, mode, kernel);
                }
            }
        }
    }
}

#[test]
fn threads_and_long_rollouts_change_nothing() {
    for (name, program) in programs() {
        let mut one = batch(program, &options(2 * LANES + 1, fastest()));
        let mut two = batch(
            program,
            &Options {
                threads: 2,
                ..options(2 * LANES + 1, fastest())
            },
        );
        one.reset(Some(7), false);
        two.reset(Some(7), false);
        for _ in 0..HORIZON_STEPS {
            one.rollout(policy::RANDOM, 1);
        }
        two.rollout(policy::RANDOM, HORIZON_STEPS);
        assert!(bytes_of(&*one) == bytes_of(&*two), "{name}");
    }
}

#[test]
fn state_moves_between_batches() {
    for (name, program) in programs() {
        let mut from = batch(program, &options(3, fastest()));
        let mut to = batch(program, &options(3, Kernel::Scalar));
        from.reset(Some(1), false);
        to.reset(Some(99), false);
        from.rollout(policy::RANDOM, 2);
        let shape = from.store().shape;
        let slots = 0..shape.slots();
        let mut state = vec![0; shape.slot_bytes(slots.clone()) * 3];
        from.export_slots(slots.clone(), &mut state);
        to.import_slots(slots, &state);
        from.rollout(policy::RANDOM, 2 * HORIZON_STEPS);
        to.rollout(policy::RANDOM, 2 * HORIZON_STEPS);
        assert!(bytes_of(&*from) == bytes_of(&*to), "{name}");
    }
}

#[test]
fn a_masked_reset_leaves_the_others_alone() {
    let (_, program) = PROGRAMS[0];
    let mut env = batch(program, &options(3, fastest()));
    env.reset(Some(1), false);
    env.rollout(policy::RANDOM, 2);
    let mask = env.store().channels.address(channel::RESET_MASK);
    // SAFETY: the channel holds one byte per environment.
    unsafe { mask.add(1).write(1) };
    env.reset(None, true);
    let step = infragym_core::generated::common::word::STEP;
    let mut steps = vec![0; 12];
    env.export_slots(step..step + 1, &mut steps);
    assert_eq!(steps, [2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
}

#[test]
fn damaged_programs_are_refused_by_field() {
    let (_, program) = PROGRAMS[0];
    let layout = LAYOUTS[0];
    let refused = |bytes: &[u8]| Program::new(layout, bytes).err();
    let header = 32;
    for length in [0, 4, 31, header, program.len() - 4] {
        assert!(matches!(
            refused(&program[..length]),
            Some(ProgramError::Header(4))
        ));
    }
    for index in 0..8 {
        let mut bytes = program.to_vec();
        bytes[4 * index] ^= 1;
        assert_eq!(refused(&bytes), Some(ProgramError::Header(index)));
    }
    let mut bytes = program.to_vec();
    bytes[header..header + 8].copy_from_slice(&f64::NAN.to_le_bytes());
    let error = refused(&bytes).expect("refused");
    assert_eq!(error, ProgramError::ScalarNotFinite(0));
    assert!(error.describe(layout).contains("horizon"));
    bytes[header..header + 8].copy_from_slice(&0.0f64.to_le_bytes());
    assert_eq!(refused(&bytes), Some(ProgramError::ScalarOutOfRange(0)));
    assert!(create(&[0; 64], &options(1, Kernel::Scalar)).is_err());
}

#[test]
fn batches_of_one_program_share_its_task_as_long_as_one_is_there() {
    let (_, program) = PROGRAMS[0];
    let first = shared_task(program, false).expect("a valid program");
    let again = shared_task(program, false).expect("a valid program");
    assert!(std::sync::Arc::ptr_eq(&first, &again));
    let with_metrics = shared_task(program, true).expect("a valid program");
    assert!(!std::sync::Arc::ptr_eq(&first, &with_metrics));
    assert!(shared_task(&program[1..], false).is_err());
}
