//! A batch of one family: stepping in blocks, autoreset, policies, recording, state transfer,
//! threads.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::env::{Env, step_lanes};
use crate::family::FamilyTask;
use crate::generated::common::{autoreset, policy, word};
use crate::kernel::Kernel;
use crate::policy::Parameters;
use crate::pool::Pool;
use crate::record::Recording;
use crate::rounding::FloatEnv;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use crate::simd::{Base, Isa};
use crate::store::{Block, LANES, Store};

/// How a batch is made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub num_envs: usize,
    /// See `generated::common::autoreset`.
    pub autoreset: u32,
    pub threads: usize,
    pub metrics: bool,
    pub kernel: Kernel,
}

/// A batch as its bindings see it.
pub trait VectorEnv: Send {
    fn kernel(&self) -> &'static str;
    fn store(&self) -> &Store;
    /// Begins an episode everywhere, or where the reset mask is 1. With a seed, environment i
    /// takes seed + i and episode 0; without one, its next episode.
    fn reset(&mut self, seed: Option<u64>, masked: bool);
    fn step(&mut self);
    /// `steps` steps under a policy of the core.
    fn rollout(&mut self, policy: u32, steps: u32);
    /// As `rollout`, for the recording's steps, which is written on the way.
    fn record(&mut self, policy: u32, recording: &Recording);
    /// Takes the parameters by which `policy::LINEAR` and `policy::TABULAR` play; false, and
    /// nothing is taken, where they are none.
    fn set_parameters(&mut self, words: &[u32]) -> bool;
    /// Makes the batch's threads anew, as a process must that was forked: it has none of them.
    fn renew_threads(&mut self);
    /// Episodes that ended since the batch was made.
    fn episodes(&self) -> u64;
    /// Copies slots of the state out; see `Store::export_slots`.
    fn export_slots(&self, slots: Range<usize>, out: &mut [u8]);
    /// Takes what `export_slots` gave.
    fn import_slots(&mut self, slots: Range<usize>, data: &[u8]);
}

/// A batch of one family.
pub struct Batch<E> {
    task: Arc<FamilyTask<E>>,
    store: Store,
    autoreset: u32,
    kernel: Kernel,
    parameters: Parameters,
    pool: Pool,
    episodes: AtomicU64,
}

impl<E: Env> Batch<E> {
    pub fn new(task: Arc<FamilyTask<E>>, options: &Options) -> Self {
        let store = Store::new(task.env.shape(), options.num_envs, options.metrics);
        Self {
            store,
            autoreset: options.autoreset,
            kernel: if E::IS_BLOCKED {
                options.kernel
            } else {
                Kernel::Scalar
            },
            parameters: Parameters::new(task.sampler.choices()),
            task,
            pool: Pool::new(options.threads),
            episodes: AtomicU64::new(0),
        }
    }

    /// Runs `work` on every block, on the batch's threads, with the floating-point control
    /// register at its default.
    fn for_each_block(&self, work: impl Fn(usize, &mut Block) + Sync) {
        self.pool.for_each(self.store.num_blocks, |index| {
            let _guard = FloatEnv::default_rounding();
            // SAFETY: every index is visited once, and the caller waits.
            let mut block = unsafe { self.store.block(index) };
            work(index, &mut block);
        });
    }

    /// The lanes of a block that are played: the oracle leaves the padding alone.
    fn lanes(&self, index: usize) -> Range<usize> {
        match self.kernel {
            Kernel::Scalar => 0..self.store.live_lanes(index),
            _ => 0..LANES,
        }
    }

    fn step_block(&self, index: usize, block: &mut Block) {
        match self.kernel {
            Kernel::Scalar => self.step_scalars(index, block),
            Kernel::Portable => self.step_vectors::<Base>(index, block),
            // SAFETY: `Kernel::choose` gives these only where the processor has them.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { step_avx2(self, index, block) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => unsafe { step_avx512(self, index, block) },
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => self.step_vectors::<Base>(index, block),
        }
    }

    fn step_scalars(&self, index: usize, block: &mut Block) {
        if let Some(finished) = self.finished(index, block) {
            step_lanes(&self.task.env, block, self.lanes(index), finished);
            self.turn_over(index, block, finished);
        }
    }

    /// Inlined whole, so that all of it is compiled for the instruction set of its caller.
    #[inline(always)]
    fn step_vectors<I: Isa>(&self, index: usize, block: &mut Block) {
        if let Some(finished) = self.finished(index, block) {
            self.task.env.step_block::<I>(block, finished);
            self.turn_over(index, block, finished);
        }
    }

    /// The lanes that begin an episode instead of a step; `None` where the step is done already,
    /// since without autoreset they stand still.
    #[inline(always)]
    fn finished(&self, index: usize, block: &mut Block) -> Option<u64> {
        let finished = finished_lanes(&block.words[word::FINISHED]);
        if finished != 0 && self.autoreset == autoreset::DISABLED {
            self.step_unfinished(index, block, finished);
            return None;
        }
        Some(finished)
    }

    /// Begins the episodes of the finished lanes and ends those that the step ended.
    #[inline(always)]
    fn turn_over(&self, index: usize, block: &mut Block, finished: u64) {
        for lane in bits(finished) {
            let episode = &mut block.words[word::EPISODE][lane];
            *episode = episode.wrapping_add(1);
            self.begin_episode(block, lane);
        }
        let ended = ended_lanes(block.terminated, block.truncated);
        if ended != 0 {
            self.end_episodes(index, block, ended);
        }
    }

    /// Without autoreset a finished environment stands still: its last flags remain.
    fn step_unfinished(&self, index: usize, block: &mut Block, finished: u64) {
        let flags = (*block.terminated, *block.truncated);
        step_lanes(&self.task.env, block, self.lanes(index), finished);
        for lane in bits(finished) {
            block.rewards[lane] = 0.0;
            block.costs[lane] = 0.0;
            block.terminated[lane] = 0;
            block.truncated[lane] = 0;
        }
        let ended = ended_lanes(block.terminated, block.truncated);
        self.end_episodes(index, block, ended);
        for lane in bits(finished) {
            block.terminated[lane] = flags.0[lane];
            block.truncated[lane] = flags.1[lane];
        }
    }

    fn begin_episode(&self, block: &mut Block, lane: usize) {
        block.rewards[lane] = 0.0;
        block.costs[lane] = 0.0;
        block.terminated[lane] = 0;
        block.truncated[lane] = 0;
        self.reset_lane(block, lane);
    }

    fn reset_lane(&self, block: &mut Block, lane: usize) {
        for slot in block.statistics.iter_mut() {
            slot[lane] = 0.0;
        }
        block.words[word::FINISHED][lane] = 0;
        block.words[word::STEP][lane] = 0;
        self.task.env.reset(block, lane);
    }

    /// Publishes the statistics of the episodes that ended in this step.
    fn end_episodes(&self, index: usize, block: &mut Block, ended: u64) {
        let shape = &self.store.shape;
        for lane in bits(ended) {
            let row = &mut block.final_statistics[lane * shape.statistics..][..shape.statistics];
            for (out, slot) in row.iter_mut().zip(block.statistics.iter()) {
                *out = slot[lane];
            }
            let at = lane * shape.observation_dim..(lane + 1) * shape.observation_dim;
            block.final_observations[at.clone()].copy_from_slice(&block.observations[at]);
            block.words[word::FINISHED][lane] = 1;
            if self.autoreset == autoreset::SAME_STEP {
                // Reward and flags stay the ended episode's, the observation is the next one's.
                let episode = &mut block.words[word::EPISODE][lane];
                *episode = episode.wrapping_add(1);
                self.reset_lane(block, lane);
            }
        }
        let live = self.store.live_lanes(index);
        let counted = if live == LANES {
            ended
        } else {
            ended & ((1 << live) - 1)
        };
        let number = u64::from(counted.count_ones());
        self.episodes.fetch_add(number, Ordering::Relaxed);
    }

    fn act(&self, kind: u32, block: &mut Block, lanes: Range<usize>) {
        match kind {
            policy::CONSTANT => {}
            policy::RANDOM => self.task.sampler.sample(block, lanes),
            policy::LINEAR | policy::TABULAR => {
                self.parameters.act(kind, self.kernel, block, lanes);
            }
            _ => {
                for lane in lanes {
                    self.task.env.act(kind, block, lane);
                }
            }
        }
    }
}

impl<E: Env> VectorEnv for Batch<E> {
    fn kernel(&self) -> &'static str {
        self.kernel.name()
    }

    fn store(&self) -> &Store {
        &self.store
    }

    fn reset(&mut self, seed: Option<u64>, masked: bool) {
        self.for_each_block(|index, block| {
            for lane in self.lanes(index) {
                if masked && block.reset_mask[lane] != 1 {
                    continue;
                }
                if let Some(first) = seed {
                    let own = first.wrapping_add((index * LANES + lane) as u64);
                    block.words[word::SEED_LO][lane] = own as u32;
                    block.words[word::SEED_HI][lane] = (own >> 32) as u32;
                    block.words[word::EPISODE][lane] = 0;
                } else {
                    let episode = &mut block.words[word::EPISODE][lane];
                    *episode = episode.wrapping_add(1);
                }
                self.begin_episode(block, lane);
            }
        });
    }

    fn step(&mut self) {
        self.for_each_block(|index, block| self.step_block(index, block));
    }

    /// Environments do not depend on each other, so a block takes all its steps while its state
    /// is in the cache.
    fn rollout(&mut self, policy: u32, steps: u32) {
        self.for_each_block(|index, block| {
            for _ in 0..steps {
                self.act(policy, block, self.lanes(index));
                self.step_block(index, block);
            }
        });
    }

    fn record(&mut self, policy: u32, recording: &Recording) {
        self.for_each_block(|index, block| {
            for step in 0..recording.steps() {
                recording.write_seen(step, index, block);
                self.act(policy, block, self.lanes(index));
                self.step_block(index, block);
                recording.write_outcome(step, index, block);
            }
        });
    }

    fn set_parameters(&mut self, words: &[u32]) -> bool {
        self.parameters.set(words, &self.store.shape)
    }

    fn renew_threads(&mut self) {
        self.pool.renew();
    }

    fn episodes(&self) -> u64 {
        self.episodes.load(Ordering::Relaxed)
    }

    fn export_slots(&self, slots: Range<usize>, out: &mut [u8]) {
        self.store.export_slots(slots, out);
    }

    fn import_slots(&mut self, slots: Range<usize>, data: &[u8]) {
        self.store.import_slots(slots, data);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn step_avx2<E: Env>(batch: &Batch<E>, index: usize, block: &mut Block) {
    batch.step_vectors::<Avx2>(index, block);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512cd")]
fn step_avx512<E: Env>(batch: &Batch<E>, index: usize, block: &mut Block) {
    batch.step_vectors::<Avx512>(index, block);
}

/// The lanes whose word is not zero, as bits.
#[inline(always)]
fn finished_lanes(words: &[u32; LANES]) -> u64 {
    if words.iter().fold(0, |any, word| any | word) == 0 {
        return 0;
    }
    words.iter().enumerate().fold(0, |bits, (lane, &word)| {
        bits | (u64::from(word != 0) << lane)
    })
}

/// The lanes with a flag set, as bits. Flags are 0 or 1.
#[inline(always)]
fn ended_lanes(terminated: &[u8; LANES], truncated: &[u8; LANES]) -> u64 {
    let flags: [u64; LANES / 8] = std::array::from_fn(|i| {
        let eight = |flags: &[u8; LANES]| *flags[8 * i..].first_chunk().expect("eight flags");
        u64::from_le_bytes(eight(terminated)) | u64::from_le_bytes(eight(truncated))
    });
    if flags.iter().fold(0, |any, eight| any | eight) == 0 {
        return 0;
    }
    // The product moves flag k of eight from bit 8 k to bit 56 + k, and nothing else there.
    flags.iter().enumerate().fold(0, |bits, (i, eight)| {
        bits | (eight.wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * i))
    })
}

/// The positions of the bits that are set, rising.
fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (set != 0).then(|| {
            let lane = set.trailing_zeros() as usize;
            set &= set - 1;
            lane
        })
    })
}
