//! The data of the kernel's stages: a group of lanes at a time, in registers.

use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

use crate::generated::serving::{metric, real, statistic, word};
use crate::simd::{self, Float, GROUPS_MAX, Isa, part_mut};
use crate::store::{Block, LANES};

type State<'a> = simd::State<'a, { word::COUNT }, { real::COUNT }, { statistic::COUNT }>;

/// A block and which of its groups is stepped; the state's own operations are `State`'s.
pub(super) struct Group<'a> {
    state: State<'a>,
    rewards: &'a mut [f32; LANES],
    costs: &'a mut [f32; LANES],
    actions: &'a [u32],
    observations: &'a mut [f32],
    metrics: &'a mut [f32],
}

impl<'a> Deref for Group<'a> {
    type Target = State<'a>;

    #[inline(always)]
    fn deref(&self) -> &State<'a> {
        &self.state
    }
}

impl DerefMut for Group<'_> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.state
    }
}

impl<'a> Group<'a> {
    #[inline(always)]
    pub fn of(block: &'a mut Block) -> Self {
        Self {
            state: State::of(block.words, block.reals, block.statistics),
            rewards: block.rewards,
            costs: block.costs,
            actions: block.actions,
            observations: block.observations,
            metrics: block.metrics,
        }
    }

    #[inline(always)]
    pub fn at(&mut self, group: usize) -> &mut Self {
        self.state.group = group;
        self
    }

    #[inline(always)]
    pub fn set_outcome<I: Isa>(&mut self, outcome: &Outcome<I>) {
        outcome
            .reward
            .store(part_mut::<I, _>(self.rewards, self.state.group));
        outcome
            .cost
            .store(part_mut::<I, _>(self.costs, self.state.group));
    }

    /// The group's action rows.
    #[inline(always)]
    pub fn actions<I: Isa>(&self) -> &[u32] {
        let length = self.actions.len() / I::GROUPS;
        &self.actions[self.state.group * length..][..length]
    }

    /// The group's observation rows.
    #[inline(always)]
    pub fn observations<I: Isa>(&mut self) -> &mut [f32] {
        let length = self.observations.len() / I::GROUPS;
        &mut self.observations[self.state.group * length..][..length]
    }

    /// The group's rows of metrics, empty unless they were asked for.
    #[inline(always)]
    pub fn metrics<I: Isa>(&mut self) -> &mut [f32] {
        let length = self.metrics.len() / I::GROUPS;
        &mut self.metrics[self.state.group * length..][..length]
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

/// The dynamics' results for a step.
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
pub(super) struct Stage<T>([MaybeUninit<T>; GROUPS_MAX]);

impl<T> Stage<T> {
    #[inline(always)]
    pub fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; GROUPS_MAX])
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
