//! Decoding of action rows into configurations.

use super::{Serving, clip32};
use crate::generated::serving::{SPEC_LENGTH_CHOICES, UNIT_STEPS, action, action_mode};

/// A configuration of the server.
#[derive(Clone, Copy, Default)]
pub(super) struct Configuration {
    pub kv_budget: f32,
    pub batch_size: f32,
    pub spec_index: u32,
    pub prefill_disagg: u32,
    pub quant_tier: u32,
}

impl Serving {
    /// Decodes a lane's action row; a locked field reads its default.
    #[inline(always)]
    pub(super) fn decode_action(&self, actions: &[u32], lane: usize) -> Configuration {
        let t = &self.t;
        let width = self.shape.action_dim;
        let row = &actions[lane * width..(lane + 1) * width];
        let number = |i: usize| f32::from_bits(row[i]);
        let mut config = match self.whole.action_mode {
            action_mode::NORMALISED => decode_normalised(number, &t.batch_of_unit),
            action_mode::DISCRETE => {
                let last = self.s.num_actions as i32 - 1;
                let wanted = row[0] as i32;
                let above = if wanted > 0 { wanted } else { 0 };
                let index = if above < last { above } else { last };
                decode_structured(|i| t.configurations[5 * index as usize + i])
            }
            _ => decode_structured(number),
        };
        let locked = |i: usize| self.whole.lock_mask & (1 << i) != 0;
        if locked(action::KV_BUDGET) {
            config.kv_budget = self.default.kv_budget;
        }
        if locked(action::BATCH_SIZE) {
            config.batch_size = self.default.batch_size;
        }
        if locked(action::SPEC_LENGTH) {
            config.spec_index = self.default.spec_index;
        }
        if locked(action::PREFILL_DISAGG) {
            config.prefill_disagg = self.default.prefill_disagg;
        }
        if locked(action::QUANT_TIER) {
            config.quant_tier = self.default.quant_tier;
        }
        config
    }
}

/// The five numbers as they are: clipped, the batch cut to an integer, choices rounded down.
#[inline(always)]
fn decode_structured(number: impl Fn(usize) -> f32) -> Configuration {
    let spec = number(action::SPEC_LENGTH);
    let quant = number(action::QUANT_TIER);
    Configuration {
        kv_budget: clip32(number(action::KV_BUDGET), 0.1, 1.0),
        batch_size: clip32(number(action::BATCH_SIZE), 1.0, 512.0) as i32 as f32,
        spec_index: SPEC_LENGTH_CHOICES[1..]
            .iter()
            .map(|&length| u32::from(spec >= length))
            .sum(),
        prefill_disagg: u32::from(number(action::PREFILL_DISAGG) >= 1.0),
        quant_tier: u32::from(quant >= 1.0) + u32::from(quant >= 2.0),
    }
}

/// Five numbers in [-1, 1]: KV linear, batch in log2 by table, the choices by equal parts.
#[inline(always)]
fn decode_normalised(number: impl Fn(usize) -> f32, batch_of_unit: &[f32]) -> Configuration {
    let unit = |i: usize| clip32(number(i), -1.0, 1.0) + 1.0;
    let part = |i: usize, parts: u32| {
        let index = (unit(i) * (0.5 * parts as f32)) as i32 as u32;
        if index < parts { index } else { parts - 1 }
    };
    let kv = 0.1 + unit(action::KV_BUDGET) * 0.45;
    Configuration {
        kv_budget: if kv < 1.0 { kv } else { 1.0 },
        batch_size: batch_of_unit[part(action::BATCH_SIZE, UNIT_STEPS as u32) as usize],
        spec_index: part(action::SPEC_LENGTH, SPEC_LENGTH_CHOICES.len() as u32),
        prefill_disagg: part(action::PREFILL_DISAGG, 2),
        quant_tier: part(action::QUANT_TIER, 3),
    }
}
