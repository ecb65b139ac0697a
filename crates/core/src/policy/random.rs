//! The random policy of the core: uniform on the action space, the same draws in every language.

use std::ops::Range;

use crate::generated::common::{action_kind, stream, word};
use crate::rng::{philox, unit, word_below};
use crate::store::Block;

const MAX_CHOICES: usize = 8;

/// One number of an action row.
#[derive(Clone, Copy)]
struct Field {
    kind: u32,
    low: f32,
    width: f32,
    num_choices: u32,
    choices: [f32; MAX_CHOICES],
}

/// The values of a field of kind index: `count` integers from `lowest` on.
#[derive(Clone, Copy)]
pub struct Choices {
    pub lowest: i32,
    pub count: usize,
}

/// Draws action rows from the tables every program has.
pub struct ActionSampler {
    fields: Vec<Field>,
}

impl ActionSampler {
    pub fn new(kinds: &[u32], num_choices: &[u32], ranges: &[f32], choices: &[f32]) -> Self {
        let fields = kinds.iter().enumerate().map(|(j, &kind)| Field {
            kind,
            low: ranges[2 * j],
            width: ranges[2 * j + 1] - ranges[2 * j],
            num_choices: num_choices[j],
            choices: std::array::from_fn(|i| choices[MAX_CHOICES * j + i]),
        });
        Self {
            fields: fields.collect(),
        }
    }

    /// Of each field of kind index its lowest value and how many there are; empty where an action
    /// is no index.
    pub fn choices(&self) -> Vec<Choices> {
        let fields = self.fields.iter();
        let index = fields.filter(|field| field.kind == action_kind::INDEX);
        index
            .map(|field| Choices {
                lowest: field.low.trunc() as i32,
                count: field.width.trunc() as usize + 1,
            })
            .collect()
    }

    /// Writes an action for each of some lanes; numbers 4 k .. 4 k + 3 take the words of block k.
    pub fn sample(&self, block: &mut Block, lanes: Range<usize>) {
        let width = self.fields.len();
        for lane in lanes {
            let words = &block.words;
            let key = [words[word::SEED_LO][lane], words[word::SEED_HI][lane]];
            let (step, episode) = (words[word::STEP][lane], words[word::EPISODE][lane]);
            let row = &mut block.actions[lane * width..(lane + 1) * width];
            for (k, group) in self.fields.chunks(4).enumerate() {
                let drawn = philox([step, episode, stream::POLICY, k as u32], key);
                for (i, field) in group.iter().enumerate() {
                    row[4 * k + i] = field.draw(drawn[i]);
                }
            }
        }
    }
}

impl Field {
    /// The bits of a value of this field.
    fn draw(&self, drawn: u32) -> u32 {
        match self.kind {
            action_kind::REAL => (self.low + self.width * unit(drawn)).to_bits(),
            action_kind::CHOICE => {
                self.choices[word_below(drawn, self.num_choices) as usize].to_bits()
            }
            kind => {
                let offset = word_below(drawn, self.width.trunc() as u32 + 1);
                let value = self.low.trunc() as i32 + offset as i32;
                if kind == action_kind::INDEX {
                    value as u32
                } else {
                    (value as f32).to_bits()
                }
            }
        }
    }
}
