//! The kernel's decoding of action rows, a group at a time.

use super::Serving;
use super::decode::Configuration;
use super::group::{Configurations, Group};
use crate::generated::serving::{SPEC_LENGTH_CHOICES, action, action_mode, word};
use crate::simd::{Float, GROUP_MAX, Isa, Word};

impl Serving {
    /// The configurations wanted; where a rollout is under way, the slow knobs stay as they are.
    #[inline(always)]
    pub(super) fn decode_group<I: Isa, const MEASURED: bool>(
        &self,
        group: &Group,
    ) -> Configurations<I> {
        let wanted = if self.whole.action_mode == action_mode::STRUCTURED {
            self.decode_structured_group::<I>(group.actions::<I>())
        } else {
            self.decode_each::<I>(group.actions::<I>())
        };
        if !MEASURED {
            return wanted;
        }
        let left = group.word::<I>(word::ROLLOUT_LEFT);
        let none = I::U32::splat(0);
        let in_force = |slot: usize| group.word::<I>(slot);
        Configurations {
            spec_index: none.if_below(left, in_force(word::SPEC_INDEX), wanted.spec_index),
            prefill_disagg: none.if_below(
                left,
                in_force(word::PREFILL_DISAGG),
                wanted.prefill_disagg,
            ),
            quant_tier: none.if_below(left, in_force(word::QUANT_TIER), wanted.quant_tier),
            ..wanted
        }
    }

    /// `decode_action`, lane by lane.
    #[inline(always)]
    fn decode_each<I: Isa>(&self, actions: &[u32]) -> Configurations<I> {
        let mut config = [Configuration::default(); GROUP_MAX];
        for (lane, config) in config.iter_mut().enumerate().take(I::GROUP) {
            *config = self.decode_action(actions, lane);
        }
        Configurations {
            kv_budget: I::F32::load(&config.map(|c| c.kv_budget)),
            batch_size: I::F32::load(&config.map(|c| c.batch_size)),
            spec_index: I::U32::load(&config.map(|c| c.spec_index)),
            prefill_disagg: I::U32::load(&config.map(|c| c.prefill_disagg)),
            quant_tier: I::U32::load(&config.map(|c| c.quant_tier)),
        }
    }

    /// `decode_action` for rows of five numbers.
    #[inline(always)]
    fn decode_structured_group<I: Isa>(&self, actions: &[u32]) -> Configurations<I> {
        let (rows, _) = actions.as_chunks::<{ action::COUNT }>();
        let field = I::columns(rows);
        let f32s = I::F32::splat;
        let locked = |i: usize| self.whole.lock_mask & (1 << i) != 0;
        let word = |i: usize, default: u32, decoded: I::U32| {
            if locked(i) {
                I::U32::splat(default)
            } else {
                decoded
            }
        };
        let number = |i: usize, default: f32, decoded: I::F32| {
            if locked(i) { f32s(default) } else { decoded }
        };
        let default = &self.default;
        let kv_budget = field[action::KV_BUDGET].clip(f32s(0.1), f32s(1.0));
        let batch_size = field[action::BATCH_SIZE].clip(f32s(1.0), f32s(512.0));
        let spec_index = I::rank(field[action::SPEC_LENGTH], &SPEC_LENGTH_CHOICES[1..]);
        let prefill_disagg = I::rank(field[action::PREFILL_DISAGG], &[1.0]);
        let quant_tier = I::rank(field[action::QUANT_TIER], &[1.0, 2.0]);
        let whole = I::float(I::whole(batch_size));
        Configurations {
            kv_budget: number(action::KV_BUDGET, default.kv_budget, kv_budget),
            batch_size: number(action::BATCH_SIZE, default.batch_size, whole),
            spec_index: word(action::SPEC_LENGTH, default.spec_index, spec_index),
            prefill_disagg: word(
                action::PREFILL_DISAGG,
                default.prefill_disagg,
                prefill_disagg,
            ),
            quant_tier: word(action::QUANT_TIER, default.quant_tier, quant_tier),
        }
    }
}
