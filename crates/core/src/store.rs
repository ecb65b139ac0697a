//! State and channels of a batch, cut into blocks of `LANES` environments.
//!
//! State is kept block by block, [block][slot][lane], so that a block is contiguous and a thread
//! owns whole blocks; the tail is padded with environments nobody sees. Arrays (state whose size a
//! task decides) are walked by one environment at a time and so kept environment by environment.
//! Channels are row-major.

use std::sync::Arc;

use crate::buffer::Buffer;
use crate::generated::common::channel;

/// Environments in a block.
pub const LANES: usize = 64;

/// Sizes that are fixed once the program is read.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub action_dim: usize,
    pub observation_dim: usize,
    pub mask_dim: usize,
    pub metric_dim: usize,
    pub words: usize,
    /// Elements of the arrays of u32 and f32 of one environment; 0 for most families.
    pub arrays: usize,
    /// Elements of its arrays of f64.
    pub real_arrays: usize,
    pub reals: usize,
    pub statistics: usize,
}

impl Shape {
    /// Bytes that a store of so many environments takes at most, metrics included where the shape
    /// has them; `None` where there is no such number.
    pub fn store_bytes(&self, num_envs: usize) -> Option<usize> {
        let rows = self.action_dim + 2 * self.observation_dim + self.metric_dim + 2;
        let channels = 4 * rows + 8 * self.statistics + self.mask_dim + 3;
        let lane = self.slot_bytes(0..self.slots()).checked_add(channels)?;
        num_envs
            .div_ceil(LANES)
            .checked_mul(LANES)?
            .checked_mul(lane)
    }
}

/// The arrays shared with the caller; alive as long as anyone holds them.
pub struct Channels {
    pub actions: Buffer<u32>,
    pub observations: Buffer<f32>,
    pub rewards: Buffer<f32>,
    pub costs: Buffer<f32>,
    pub terminated: Buffer<u8>,
    pub truncated: Buffer<u8>,
    pub metrics: Buffer<f32>,
    pub final_observations: Buffer<f32>,
    pub final_statistics: Buffer<f64>,
    pub masks: Buffer<u8>,
    pub reset_mask: Buffer<u8>,
}

impl Channels {
    fn new(shape: &Shape, padded: usize, metrics: bool) -> Self {
        Self {
            actions: Buffer::zeroed(padded * shape.action_dim),
            observations: Buffer::zeroed(padded * shape.observation_dim),
            rewards: Buffer::zeroed(padded),
            costs: Buffer::zeroed(padded),
            terminated: Buffer::zeroed(padded),
            truncated: Buffer::zeroed(padded),
            metrics: Buffer::zeroed(if metrics {
                padded * shape.metric_dim
            } else {
                0
            }),
            final_observations: Buffer::zeroed(padded * shape.observation_dim),
            final_statistics: Buffer::zeroed(padded * shape.statistics),
            masks: Buffer::zeroed(padded * shape.mask_dim),
            reset_mask: Buffer::zeroed(padded),
        }
    }

    /// Address of a channel, by its index.
    pub fn address(&self, index: usize) -> *mut u8 {
        match index {
            channel::ACTIONS => self.actions.as_ptr().cast(),
            channel::OBSERVATIONS => self.observations.as_ptr().cast(),
            channel::REWARDS => self.rewards.as_ptr().cast(),
            channel::COSTS => self.costs.as_ptr().cast(),
            channel::TERMINATED => self.terminated.as_ptr(),
            channel::TRUNCATED => self.truncated.as_ptr(),
            channel::METRICS => self.metrics.as_ptr().cast(),
            channel::FINAL_OBSERVATIONS => self.final_observations.as_ptr().cast(),
            channel::FINAL_STATISTICS => self.final_statistics.as_ptr().cast(),
            channel::MASKS => self.masks.as_ptr(),
            channel::RESET_MASK => self.reset_mask.as_ptr(),
            _ => std::ptr::null_mut(),
        }
    }
}

/// One block of environments: its state, and its rows of the channels.
pub struct Block<'a> {
    pub words: &'a mut [[u32; LANES]],
    /// [lane][element], of u32 and of f32 by its bits. Padding lanes have none: a family with
    /// arrays is not `Env::IS_BLOCKED`.
    pub arrays: &'a mut [u32],
    /// [lane][element]
    pub real_arrays: &'a mut [f64],
    pub reals: &'a mut [[f64; LANES]],
    pub statistics: &'a mut [[f64; LANES]],
    pub actions: &'a mut [u32],
    pub observations: &'a mut [f32],
    pub rewards: &'a mut [f32; LANES],
    pub costs: &'a mut [f32; LANES],
    pub terminated: &'a mut [u8; LANES],
    pub truncated: &'a mut [u8; LANES],
    /// Empty unless metrics were asked for.
    pub metrics: &'a mut [f32],
    pub final_observations: &'a mut [f32],
    pub final_statistics: &'a mut [f64],
    pub masks: &'a mut [u8],
    pub reset_mask: &'a mut [u8; LANES],
}

/// A part of a block as an array of the length that the caller knows it to have, so that its
/// indices need no checks.
#[inline(always)]
pub fn fixed<T, const N: usize>(part: &mut [T]) -> &mut [T; N] {
    part.try_into().expect("the shape's length")
}

/// All memory of a batch.
pub struct Store {
    pub shape: Shape,
    pub num_envs: usize,
    pub num_blocks: usize,
    words: Buffer<[u32; LANES]>,
    arrays: Buffer<u32>,
    real_arrays: Buffer<f64>,
    reals: Buffer<[f64; LANES]>,
    statistics: Buffer<[f64; LANES]>,
    pub channels: Arc<Channels>,
}

impl crate::buffer::Number for [u32; LANES] {}
impl crate::buffer::Number for [f64; LANES] {}

impl Store {
    pub fn new(shape: Shape, num_envs: usize, metrics: bool) -> Self {
        let num_blocks = num_envs.div_ceil(LANES);
        Self {
            shape,
            num_envs,
            num_blocks,
            words: Buffer::zeroed(num_blocks * shape.words),
            arrays: Buffer::zeroed(num_envs * shape.arrays),
            real_arrays: Buffer::zeroed(num_envs * shape.real_arrays),
            reals: Buffer::zeroed(num_blocks * shape.reals),
            statistics: Buffer::zeroed(num_blocks * shape.statistics),
            channels: Arc::new(Channels::new(&shape, num_blocks * LANES, metrics)),
        }
    }

    /// The lanes of a block that are environments, not padding.
    pub fn live_lanes(&self, block: usize) -> usize {
        (self.num_envs - block * LANES).min(LANES)
    }

    /// One block.
    ///
    /// # Safety
    /// No other `Block` of the same index may be alive, and the caller on the other side of the
    /// channels must not be writing to them.
    pub unsafe fn block(&self, index: usize) -> Block<'_> {
        assert!(index < self.num_blocks);
        let shape = &self.shape;
        let channels = &*self.channels;
        // SAFETY: part `index` of each buffer, whose length is `num_blocks` parts; the caller
        // vouches that nobody else holds this part.
        unsafe {
            Block {
                words: part(&self.words, index, shape.words),
                arrays: self.live_part(&self.arrays, index, shape.arrays),
                real_arrays: self.live_part(&self.real_arrays, index, shape.real_arrays),
                reals: part(&self.reals, index, shape.reals),
                statistics: part(&self.statistics, index, shape.statistics),
                actions: part(&channels.actions, index, LANES * shape.action_dim),
                observations: part(&channels.observations, index, LANES * shape.observation_dim),
                rewards: lanes(&channels.rewards, index),
                costs: lanes(&channels.costs, index),
                terminated: lanes(&channels.terminated, index),
                truncated: lanes(&channels.truncated, index),
                metrics: optional(&channels.metrics, index, LANES * shape.metric_dim),
                final_observations: part(
                    &channels.final_observations,
                    index,
                    LANES * shape.observation_dim,
                ),
                final_statistics: part(&channels.final_statistics, index, LANES * shape.statistics),
                masks: part(&channels.masks, index, LANES * shape.mask_dim),
                reset_mask: lanes(&channels.reset_mask, index),
            }
        }
    }
}

impl Store {
    /// The rows of a block's environments in a buffer without padding.
    ///
    /// # Safety
    /// As for `Store::block`.
    #[allow(clippy::mut_from_ref)] // Disjoint parts, see the safety note.
    unsafe fn live_part<T>(&self, buffer: &Buffer<T>, index: usize, width: usize) -> &mut [T] {
        let (from, length) = (index * LANES * width, self.live_lanes(index) * width);
        debug_assert!(from + length <= buffer.len());
        // SAFETY: inside the buffer; uniqueness is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(buffer.as_ptr().add(from), length) }
    }
}

/// Part `index` of a buffer in parts of `length`.
///
/// # Safety
/// As for `Store::block`; the buffer holds more than `index` parts.
#[allow(clippy::mut_from_ref)] // Disjoint parts, see the safety note.
unsafe fn part<T>(buffer: &Buffer<T>, index: usize, length: usize) -> &mut [T] {
    debug_assert!((index + 1) * length <= buffer.len());
    // SAFETY: inside the buffer; uniqueness is the caller's promise.
    unsafe { std::slice::from_raw_parts_mut(buffer.as_ptr().add(index * length), length) }
}

/// As `part`, empty where the buffer is.
///
/// # Safety
/// As for `part`.
#[allow(clippy::mut_from_ref)] // Disjoint parts, see the safety note.
unsafe fn optional<T>(buffer: &Buffer<T>, index: usize, length: usize) -> &mut [T] {
    if buffer.is_empty() {
        return &mut [];
    }
    // SAFETY: the caller's promise.
    unsafe { part(buffer, index, length) }
}

/// The part of a channel with one element per environment.
///
/// # Safety
/// As for `part`.
#[allow(clippy::mut_from_ref)] // Disjoint parts, see the safety note.
unsafe fn lanes<T>(buffer: &Buffer<T>, index: usize) -> &mut [T; LANES] {
    // SAFETY: the caller's promise; the slice has LANES elements.
    unsafe { &mut *part(buffer, index, LANES).as_mut_ptr().cast::<[T; LANES]>() }
}

#[cfg(test)]
impl Store {
    /// Bytes of all its buffers.
    pub fn bytes(&self) -> usize {
        let c = &self.channels;
        let words = self.words.len() * LANES + self.arrays.len() + c.actions.len();
        let reals = (self.reals.len() + self.statistics.len()) * LANES;
        let singles = c.observations.len() + c.rewards.len() + c.costs.len();
        let finals = c.final_observations.len() + c.metrics.len();
        let flags = c.terminated.len() + c.truncated.len() + c.masks.len() + c.reset_mask.len();
        4 * (words + singles + finals)
            + 8 * (reals + self.real_arrays.len() + c.final_statistics.len())
            + flags
    }
}
