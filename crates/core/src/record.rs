//! Recorded rollouts: what a learner wants of every step, written straight into the caller's
//! arrays, [step][environment][...].

use std::marker::PhantomData;

use crate::generated::common::channel;
use crate::store::{Block, LANES, Shape, Store};

/// The channels that can be recorded, in the order of a recording's arrays. Observations and masks
/// are those the policy acted on, the others what the step then took and gave.
pub const RECORDED: [usize; 7] = [
    channel::OBSERVATIONS,
    channel::MASKS,
    channel::ACTIONS,
    channel::REWARDS,
    channel::COSTS,
    channel::TERMINATED,
    channel::TRUNCATED,
];
const SEEN: [usize; 2] = [channel::OBSERVATIONS, channel::MASKS];

/// The caller's array for one channel.
struct Track {
    channel: usize,
    data: *mut u8,
    /// Bytes of one environment's row.
    row: usize,
}

/// Where a recorded rollout writes.
pub struct Recording<'a> {
    tracks: Vec<Track>,
    num_envs: usize,
    steps: usize,
    arrays: PhantomData<&'a mut [u8]>,
}

// SAFETY: the arrays are borrowed for the recording's life, and `write` gives every block rows of
// its own, so that threads with different blocks never meet.
unsafe impl Sync for Recording<'_> {}

impl<'a> Recording<'a> {
    /// Takes an array, or none, for each channel of `RECORDED`; `None` where one has not exactly
    /// the bytes of `steps` steps of the store's environments.
    pub fn new(
        arrays: [Option<&'a mut [u8]>; RECORDED.len()],
        store: &Store,
        steps: usize,
    ) -> Option<Self> {
        let num_envs = store.num_envs;
        let mut tracks = Vec::new();
        for (channel, array) in RECORDED.into_iter().zip(arrays) {
            let Some(array) = array else { continue };
            let row = row_bytes(&store.shape, channel);
            if steps.checked_mul(num_envs * row) != Some(array.len()) {
                return None;
            }
            let data = array.as_mut_ptr();
            tracks.push(Track { channel, data, row });
        }
        Some(Self {
            tracks,
            num_envs,
            steps,
            arrays: PhantomData,
        })
    }

    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Writes what the policy is about to act on.
    pub fn write_seen(&self, step: usize, index: usize, block: &Block) {
        self.write(step, index, block, |channel| SEEN.contains(&channel));
    }

    /// Writes the action and what the step gave.
    pub fn write_outcome(&self, step: usize, index: usize, block: &Block) {
        self.write(step, index, block, |channel| !SEEN.contains(&channel));
    }

    fn write(&self, step: usize, index: usize, block: &Block, wanted: impl Fn(usize) -> bool) {
        let first = index * LANES;
        assert!(step < self.steps && first < self.num_envs);
        let live = (self.num_envs - first).min(LANES);
        for track in self.tracks.iter().filter(|track| wanted(track.channel)) {
            let rows = &channel_bytes(block, track.channel)[..live * track.row];
            let at = (step * self.num_envs + first) * track.row;
            // SAFETY: `new` has seen `steps * num_envs * row` bytes, and the rows of step and
            // block lie within; a caller's array that is a channel of the batch may overlap them.
            unsafe { std::ptr::copy(rows.as_ptr(), track.data.add(at), rows.len()) };
        }
    }
}

/// Bytes of one environment's row of a recorded channel.
fn row_bytes(shape: &Shape, channel: usize) -> usize {
    match channel {
        channel::OBSERVATIONS => 4 * shape.observation_dim,
        channel::MASKS => shape.mask_dim,
        channel::ACTIONS => 4 * shape.action_dim,
        channel::REWARDS | channel::COSTS => 4,
        _ => 1,
    }
}

fn channel_bytes<'a>(block: &'a Block, channel: usize) -> &'a [u8] {
    match channel {
        channel::OBSERVATIONS => bytes_of(block.observations),
        channel::MASKS => block.masks,
        channel::ACTIONS => bytes_of(block.actions),
        channel::REWARDS => bytes_of(block.rewards),
        channel::COSTS => bytes_of(block.costs),
        channel::TERMINATED => block.terminated,
        _ => block.truncated,
    }
}

fn bytes_of<T: crate::buffer::Number>(values: &[T]) -> &[u8] {
    // SAFETY: plain numbers have no padding, and every byte is a u8.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}
