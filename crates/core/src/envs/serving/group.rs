//! What the blocked kernel's stages work on: a group of eight lanes at a time, in registers.

use std::mem::MaybeUninit;

use crate::generated::serving::{metric, real, statistic, word};
use crate::simd::{Float, GROUPS, Isa, Word, part, part_mut};
use crate::store::{Block, LANES, fixed};

/// A block, the sizes of its state known, and which of its groups is stepped.
pub(super) struct Group<'a> {
    words: &'a mut [[u32; LANES]; word::COUNT],
    reals: &'a mut [[f64; LANES]; real::COUNT],
    statistics: &'a mut [[f64; LANES]; statistic::COUNT],
    rewards: &'a mut [f32; LANES],
    costs: &'a mut [f32; LANES],
    actions: &'a [u32],
    observations: &'a mut [f32],
    metrics: &'a mut [f32],
    index: usize,
}

impl<'a> Group<'a> {
    #[inline(always)]
    pub fn of(block: &'a mut Block) -> Self {
        Self {
            words: fixed(block.words),
            reals: fixed(block.reals),
            statistics: fixed(block.statistics),
            rewards: block.rewards,
            costs: block.costs,
            actions: block.actions,
            observations: block.observations,
            metrics: block.metrics,
            index: 0,
        }
    }

    #[inline(always)]
    pub fn at(&mut self, index: usize) -> &mut Self {
        self.index = index;
        self
    }

    #[inline(always)]
    pub fn word<I: Isa>(&self, slot: usize) -> I::U32 {
        I::U32::load(part(&self.words[slot], self.index))
    }

    #[inline(always)]
    pub fn set_word<I: Isa>(&mut self, slot: usize, words: I::U32) {
        words.store(part_mut(&mut self.words[slot], self.index));
    }

    #[inline(always)]
    pub fn real<I: Isa>(&self, slot: usize) -> I::F64 {
        I::F64::load(part(&self.reals[slot], self.index))
    }

    #[inline(always)]
    pub fn set_real<I: Isa>(&mut self, slot: usize, reals: I::F64) {
        reals.store(part_mut(&mut self.reals[slot], self.index));
    }

    #[inline(always)]
    pub fn statistic<I: Isa>(&self, slot: usize) -> I::F64 {
        I::F64::load(part(&self.statistics[slot], self.index))
    }

    #[inline(always)]
    pub fn set_statistic<I: Isa>(&mut self, slot: usize, numbers: I::F64) {
        numbers.store(part_mut(&mut self.statistics[slot], self.index));
    }

    #[inline(always)]
    pub fn set_outcome<I: Isa>(&mut self, outcome: &Outcome<I>) {
        outcome.reward.store(part_mut(self.rewards, self.index));
        outcome.cost.store(part_mut(self.costs, self.index));
    }

    /// The group's action rows.
    #[inline(always)]
    pub fn actions(&self) -> &[u32] {
        let length = self.actions.len() / GROUPS;
        &self.actions[self.index * length..][..length]
    }

    /// The group's observation rows.
    #[inline(always)]
    pub fn observations(&mut self) -> &mut [f32] {
        let length = self.observations.len() / GROUPS;
        &mut self.observations[self.index * length..][..length]
    }

    /// The group's rows of metrics, empty unless they were asked for.
    #[inline(always)]
    pub fn metrics(&mut self) -> &mut [f32] {
        let length = self.metrics.len() / GROUPS;
        &mut self.metrics[self.index * length..][..length]
    }
}

/// A configuration of each lane's server.
#[derive(Clone, Copy)]
pub(super) struct Configurations<I: Isa> {
    pub kv_budget: I::F32,
    pub batch_size: I::F32,
    pub spec_index: I::U32,
    pub prefill_disagg: I::U32,
    pub quant_tier: I::U32,
}

/// A step's draws.
pub(super) struct Traffic<I: Isa> {
    pub arrivals: I::U32,
    pub prompt_len: I::F32,
    pub bucket: I::U32,
    pub noise: [I::F32; 3],
}

/// What the dynamics make of a step.
pub(super) struct Outcome<I: Isa> {
    pub capacity_rps: I::F64,
    pub violation_rate: I::F64,
    pub kv_occupancy: I::F32,
    pub reward: I::F32,
    pub cost: I::F32,
}

/// Metrics of a step, by their index; one that the dynamics lack is 0.
pub(super) type Metrics<I> = [<I as Isa>::F32; metric::COUNT];

/// A value for every group, set by one stage and read by those after it.
pub(super) struct Stage<T>([MaybeUninit<T>; GROUPS]);

impl<T> Stage<T> {
    #[inline(always)]
    pub fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; GROUPS])
    }

    #[inline(always)]
    pub fn set(&mut self, group: usize, value: T) {
        self.0[group].write(value);
    }

    /// # Safety
    /// The group's value has been set.
    #[inline(always)]
    pub unsafe fn get(&self, group: usize) -> &T {
        // SAFETY: the caller's promise.
        unsafe { self.0[group].assume_init_ref() }
    }
}
