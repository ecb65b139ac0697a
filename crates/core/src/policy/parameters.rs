//! Policies that come with parameters, linear and tabular, played by the core in a rollout.
//!
//! The parameters are words: the policy's number, then
//!
//! - linear: the number of rows R; a bias for each row; the weights, eight rows at a time,
//!   [R / 8][observation][8], all f32. R is padded with zeros to a multiple of eight.
//! - tabular: the number of features F; F pairs (observation, number of edges); the edges of all
//!   features, f32, rising within each; the table, an action row for each cell.
//!
//! A linear row is its bias and then its products, added in the order of the observations in f64,
//! where a product of two f32 is exact, and rounded to f32 once. Rows are the action's numbers, or,
//! where those are indices, one logit for each choice, field after field: the highest of a field
//! wins, the lowest choice of equals. Where the mask has a flag for every logit, only choices that
//! it allows can win; where it allows none of a field, its lowest choice does.
//!
//! A cell's number has a digit for each feature, the first the most significant: how many of its
//! edges the observation has reached.

use std::ops::Range;

use super::random::Choices;
use crate::generated::common::{POLICY_WORDS_MAX, policy};
use crate::kernel::Kernel;
use crate::store::{Block, Shape};

/// Rows that are summed side by side.
const ROWS: usize = 8;

/// The meaning of the words.
#[derive(Clone, Copy)]
enum Plan {
    None,
    /// Rows with their padding.
    Linear {
        rows: usize,
    },
    Tabular {
        features: usize,
    },
}

/// The parameters of a batch's policy.
pub struct Parameters {
    words: Vec<u32>,
    plan: Plan,
    /// Of every action number, where all are indices; empty where none is.
    choices: Vec<Choices>,
}

impl Parameters {
    /// No policy yet. In WebAssembly the room is taken at once, since memory may not grow later.
    pub fn new(choices: Vec<Choices>) -> Self {
        let room = if cfg!(target_family = "wasm") {
            POLICY_WORDS_MAX
        } else {
            0
        };
        Self {
            words: Vec::with_capacity(room),
            plan: Plan::None,
            choices,
        }
    }

    /// Takes a policy's words; false, and nothing is taken, where they do not fit the task.
    pub fn set(&mut self, words: &[u32], shape: &Shape) -> bool {
        let plan = match words.first() {
            _ if words.len() > POLICY_WORDS_MAX => None,
            Some(&policy::LINEAR) => self.plan_linear(words, shape),
            Some(&policy::TABULAR) => plan_tabular(words, shape),
            _ => None,
        };
        let Some(plan) = plan else { return false };
        self.plan = plan;
        self.words.clear();
        self.words.extend_from_slice(words);
        true
    }

    fn plan_linear(&self, words: &[u32], shape: &Shape) -> Option<Plan> {
        let logits = self.choices.iter().map(|field| field.count).sum();
        let wanted = match self.choices.len() {
            0 => shape.action_dim,
            fields if fields == shape.action_dim => logits,
            _ => return None,
        };
        let rows = wanted.next_multiple_of(ROWS);
        let is_whole = words.len() == 2 + rows * (1 + shape.observation_dim);
        (is_whole && words[1] as usize == wanted).then_some(Plan::Linear { rows })
    }

    /// Writes the actions of some lanes; leaves them alone where the parameters are of another
    /// policy.
    pub fn act(&self, kind: u32, kernel: Kernel, block: &mut Block, lanes: Range<usize>) {
        match (self.plan, kind) {
            (Plan::Linear { rows }, policy::LINEAR) => match kernel {
                // SAFETY: `Kernel::choose` gives these only where the processor has them.
                #[cfg(target_arch = "x86_64")]
                Kernel::Avx2 | Kernel::Avx512 => unsafe { self.act_avx2(rows, block, lanes) },
                _ => self.act_linear(rows, block, lanes),
            },
            (Plan::Tabular { features }, policy::TABULAR) => {
                self.act_tabular(features, block, lanes);
            }
            _ => {}
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn act_avx2(&self, rows: usize, block: &mut Block, lanes: Range<usize>) {
        self.act_linear(rows, block, lanes);
    }

    #[inline(always)]
    fn act_linear(&self, rows: usize, block: &mut Block, lanes: Range<usize>) {
        let [observations, actions, masks] = widths(block);
        let (bias, weights) = self.words[2..].split_at(rows);
        for lane in lanes {
            let seen = &block.observations[lane * observations..][..observations];
            let action = &mut block.actions[lane * actions..][..actions];
            let mask = &block.masks[lane * masks..][..masks];
            let mut winner = Winner::new(&self.choices, action, mask);
            for (group, bias) in bias.as_chunks::<ROWS>().0.iter().enumerate() {
                let weights = &weights[group * observations * ROWS..][..observations * ROWS];
                for (row, sum) in sums(bias, weights, seen).into_iter().enumerate() {
                    winner.take(group * ROWS + row, sum as f32);
                }
            }
        }
    }

    fn act_tabular(&self, features: usize, block: &mut Block, lanes: Range<usize>) {
        let [observations, actions, _] = widths(block);
        let (features, rest) = self.words[2..].split_at(2 * features);
        for lane in lanes {
            let seen = &block.observations[lane * observations..][..observations];
            let (mut cell, mut rest) = (0, rest);
            for pair in features.as_chunks::<2>().0 {
                let (edges, others) = rest.split_at(pair[1] as usize);
                let value = seen[pair[0] as usize];
                let reached = |edge: &&u32| value >= f32::from_bits(**edge);
                cell = cell * (edges.len() + 1) + edges.iter().filter(reached).count();
                rest = others;
            }
            let row = &rest[cell * actions..][..actions];
            block.actions[lane * actions..][..actions].copy_from_slice(row);
        }
    }
}

fn plan_tabular(words: &[u32], shape: &Shape) -> Option<Plan> {
    let features = *words.get(1)? as usize;
    let pairs = words.get(2..2usize.checked_add(features.checked_mul(2)?)?)?;
    let (mut edges, mut cells) = (0usize, 1usize);
    for pair in pairs.as_chunks::<2>().0 {
        if pair[0] as usize >= shape.observation_dim {
            return None;
        }
        edges = edges.checked_add(pair[1] as usize)?;
        cells = cells.checked_mul(pair[1] as usize + 1)?;
    }
    let table = cells.checked_mul(shape.action_dim)?;
    let total = edges.checked_add(table)?.checked_add(2 + pairs.len())?;
    (words.len() == total).then_some(Plan::Tabular { features })
}

/// Numbers in a row of observations, actions and masks.
fn widths(block: &Block) -> [usize; 3] {
    [
        block.observations.len(),
        block.actions.len(),
        block.masks.len(),
    ]
    .map(|numbers| numbers / crate::store::LANES)
}

/// Eight rows at once; each is summed in the order of the observations.
#[inline(always)]
fn sums(bias: &[u32; ROWS], weights: &[u32], seen: &[f32]) -> [f64; ROWS] {
    let mut sums = bias.map(|bits| f64::from(f32::from_bits(bits)));
    for (weights, &value) in weights.as_chunks::<ROWS>().0.iter().zip(seen) {
        for row in 0..ROWS {
            sums[row] += f64::from(f32::from_bits(weights[row])) * f64::from(value);
        }
    }
    sums
}

/// Where the rows of a linear policy go: to the action's numbers, or to the choice that wins.
struct Winner<'a> {
    choices: &'a [Choices],
    action: &'a mut [u32],
    mask: &'a [u8],
    is_masked: bool,
    field: usize,
    /// The first row of the field.
    first: usize,
    best: Option<f32>,
}

impl<'a> Winner<'a> {
    #[inline(always)]
    fn new(choices: &'a [Choices], action: &'a mut [u32], mask: &'a [u8]) -> Self {
        let logits: usize = choices.iter().map(|field| field.count).sum();
        for (number, field) in action.iter_mut().zip(choices) {
            *number = field.lowest as u32;
        }
        Self {
            choices,
            action,
            mask,
            is_masked: logits > 0 && mask.len() == logits,
            field: 0,
            first: 0,
            best: None,
        }
    }

    /// Takes the rows in their order, the padding too.
    #[inline(always)]
    fn take(&mut self, row: usize, value: f32) {
        if self.choices.is_empty() {
            if let Some(number) = self.action.get_mut(row) {
                *number = value.to_bits();
            }
            return;
        }
        let Some(field) = self.choices.get(self.field) else {
            return;
        };
        if !(self.is_masked && self.mask[row] == 0) && self.best.is_none_or(|best| value > best) {
            self.best = Some(value);
            self.action[self.field] = field.lowest.wrapping_add((row - self.first) as i32) as u32;
        }
        if row + 1 == self.first + field.count {
            self.field += 1;
            self.first = row + 1;
            self.best = None;
        }
    }
}
