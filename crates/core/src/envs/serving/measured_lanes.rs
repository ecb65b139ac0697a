//! The kernel's measured dynamics; `measured.rs` for a group, in the same order.

use super::Serving;
use super::fold_lanes::put_into_force;
use super::grid::grid_metric;
use super::group::{Configurations, Group, Metrics, Outcome, Traffic};
use super::lanes::kv_occupancy;
use crate::generated::serving::{GRID_METRICS, metric, real, word};
use crate::simd::{Float, Isa, Word};

type Grid<I> = [<I as Isa>::F32; GRID_METRICS];

impl Serving {
    #[inline(always)]
    pub(super) fn advance_measured_group<I: Isa>(
        &self,
        group: &mut Group,
        wanted: &Configurations<I>,
        traffic: &Traffic<I>,
        grid: &Grid<I>,
        m: &mut Metrics<I>,
    ) -> Outcome<I> {
        let (config, grid) = self.configure_group::<I>(group, wanted, traffic, *grid, m);
        let capacity_rps = self.capacity_group::<I>(group, &config, &grid, traffic, m);
        self.serve_measured_group::<I>(group, capacity_rps, &grid, traffic, m);
        let outcome = self.reward_measured_group::<I>(group, &config, capacity_rps, &grid, m);
        let left = group.word::<I>(word::ROLLOUT_LEFT);
        let zero = I::U32::splat(0);
        let fewer = zero.if_below(left, left - I::U32::splat(1), zero);
        group.set_word::<I>(word::ROLLOUT_LEFT, fewer);
        outcome
    }

    /// Keeps the configuration in force where the wanted one does not fit.
    #[inline(always)]
    fn configure_group<I: Isa>(
        &self,
        group: &mut Group,
        wanted: &Configurations<I>,
        traffic: &Traffic<I>,
        mut grid: Grid<I>,
        m: &mut Metrics<I>,
    ) -> (Configurations<I>, Grid<I>) {
        let in_force = Configurations::<I> {
            kv_budget: I::narrow(group.real::<I>(real::KV_BUDGET)),
            batch_size: I::narrow(group.real::<I>(real::BATCH_SIZE)),
            spec_index: group.word::<I>(word::SPEC_INDEX),
            prefill_disagg: group.word::<I>(word::PREFILL_DISAGG),
            quant_tier: group.word::<I>(word::QUANT_TIER),
        };
        let (no, yes) = (I::F32::splat(0.0), I::F32::splat(1.0));
        let most = I::F32::splat(self.r.memory_max_gb);
        let misfits = grid[grid_metric::MEMORY].if_above(most, yes, no);
        m[metric::OOM] = misfits;
        let mut config = *wanted;
        if misfits.any_above(no) {
            let place = self.locate_group::<I>(&in_force, traffic.prompt_len);
            let kept = self.grid_group::<I>(&place);
            for (wanted, kept) in grid.iter_mut().zip(kept) {
                *wanted = misfits.if_above(no, kept, *wanted);
            }
            keep_where::<I>(misfits, &mut config, &in_force);
        }
        self.apply_slow_knobs::<I>(group, &config, &in_force);
        (config, grid)
    }

    /// Puts a configuration into force; what changes of the slow knobs begins a rollout.
    #[inline(always)]
    fn apply_slow_knobs<I: Isa>(
        &self,
        group: &mut Group,
        config: &Configurations<I>,
        in_force: &Configurations<I>,
    ) {
        let s = &self.s;
        let knobs = [
            (config.spec_index, in_force.spec_index, s.rollout_spec),
            (
                config.prefill_disagg,
                in_force.prefill_disagg,
                s.rollout_disagg,
            ),
            (config.quant_tier, in_force.quant_tier, s.rollout_quant),
        ];
        let mut longest = group.word::<I>(word::ROLLOUT_LEFT);
        for (wanted, in_force, steps) in knobs {
            let steps = I::U32::splat(steps as u32);
            let rising = in_force.if_below(wanted, steps, longest);
            let begun = wanted.if_below(in_force, steps, rising);
            longest = longest.if_below(begun, begun, longest);
        }
        group.set_word::<I>(word::ROLLOUT_LEFT, longest);
        put_into_force::<I>(group, config);
    }

    #[inline(always)]
    fn capacity_group<I: Isa>(
        &self,
        group: &Group,
        config: &Configurations<I>,
        grid: &Grid<I>,
        traffic: &Traffic<I>,
        m: &mut Metrics<I>,
    ) -> I::F64 {
        let s = &self.s;
        let f64s = I::F64::splat;
        let (zero, one) = (f64s(0.0), f64s(1.0));
        let measured_prefill = I::widen(grid[grid_metric::PREFILL_MS]) * f64s(0.001);
        let prefill = measured_prefill.above(f64s(s.prefill_s_min));
        let tps = I::widen(grid[grid_metric::TPS]).above(f64s(s.tps_min));
        let tokens = f64s(s.table_output_tokens);
        let decode = ((tokens / tps - prefill) / tokens).above(f64s(s.decode_s_min));
        let answer = f64s(s.output_tokens) * decode;
        let table_answer = decode * tokens;
        let disaggregated = I::real(config.prefill_disagg);
        let seconds = disaggregated.if_above(zero, prefill.above(answer), prefill + answer);
        let full = one / seconds;
        let share = disaggregated.if_above(zero, table_answer / (table_answer + prefill), one);
        let grid_tpot = I::widen(grid[grid_metric::TPOT]);
        let tpot = I::narrow(grid_tpot * share * I::widen(traffic.noise[2]));
        m[metric::TPOT_MS] = tpot.above(I::F32::splat(1.0));
        let rolling = I::real(group.word::<I>(word::ROLLOUT_LEFT));
        rolling.if_above(zero, full * f64s(s.rollout_capacity), full)
    }

    #[inline(always)]
    fn serve_measured_group<I: Isa>(
        &self,
        group: &mut Group,
        capacity: I::F64,
        grid: &Grid<I>,
        traffic: &Traffic<I>,
        m: &mut Metrics<I>,
    ) {
        let f64s = I::F64::splat;
        let queue = group.real::<I>(real::QUEUE);
        let wait_ms = (f64s(1000.0) * queue) / capacity;
        let [noise_p50, noise_p99, _] = traffic.noise;
        let p50 = (wait_ms + I::widen(grid[grid_metric::TTFT_P50])) * I::widen(noise_p50);
        let p99 = (wait_ms + I::widen(grid[grid_metric::TTFT_P99])) * I::widen(noise_p99);
        m[metric::TTFT_P50_MS] = I::narrow(p50).above(I::F32::splat(1.0));
        let least = m[metric::TTFT_P50_MS] * I::F32::splat(1.05);
        m[metric::TTFT_P99_MS] = I::narrow(p99).above(least);
        let waiting = queue + I::real(traffic.arrivals);
        let credit = group.real::<I>(real::CREDIT) + capacity;
        let served = I::floor(credit).below(waiting);
        let left = waiting - served;
        let kept = left.below(f64s(self.s.queue_max));
        let unused = credit - served;
        group.set_real::<I>(real::CREDIT, unused.below(capacity.above(f64s(1.0))));
        group.set_real::<I>(real::QUEUE, kept);
        m[metric::SERVED] = I::narrow(served);
        m[metric::DROPPED] = I::narrow(left - kept);
    }

    #[inline(always)]
    fn reward_measured_group<I: Isa>(
        &self,
        group: &mut Group,
        config: &Configurations<I>,
        capacity_rps: I::F64,
        grid: &Grid<I>,
        m: &mut Metrics<I>,
    ) -> Outcome<I> {
        let s = &self.s;
        let f64s = I::F64::splat;
        let (zero, one) = (f64s(0.0), f64s(1.0));
        let served = I::widen(m[metric::SERVED]);
        let p50 = I::widen(m[metric::TTFT_P50_MS]);
        let p99 = I::widen(m[metric::TTFT_P99_MS]);
        let in_time = ttft_share::<I>(p50, p99, f64s(s.slo_ttft_ms));
        let tpot = I::widen(m[metric::TPOT_MS]);
        let good = served * in_time * tpot_share::<I>(tpot, s.slo_tpot_ms);
        let gpus = one + I::real(config.prefill_disagg);
        let tier = I::real(config.quant_tier);
        let loss = tier.if_above(one, f64s(s.quality_loss_2), f64s(s.quality_loss_1));
        let loss = tier.if_above(zero, loss, f64s(s.quality_loss_0));
        let queue = group.real::<I>(real::QUEUE);
        let evictions = I::floor((one - I::widen(config.kv_budget)) * queue);
        let tps = I::widen(grid[grid_metric::TPS]).above(f64s(s.tps_min));
        let price = f64s(s.price_usd_per_step) * gpus;
        let spent = group.real::<I>(real::COST_SO_FAR) + price;
        group.set_real::<I>(real::COST_SO_FAR, spent);
        let occupied = kv_occupancy::<I>(queue, evictions);
        m[metric::GOOD] = I::narrow(good);
        m[metric::SLO_VIOLATIONS] = I::narrow(served - good);
        m[metric::TOKENS_PER_SEC] = I::narrow(tps);
        m[metric::GPU_MEMORY_GB] = grid[grid_metric::MEMORY];
        m[metric::COST_PER_1K] = I::narrow((price * f64s(1000.0)) / tps);
        m[metric::SPEC_ACCEPT_RATE] = grid[grid_metric::ACCEPT];
        m[metric::EVICTION_EVENTS] = I::narrow(evictions);
        m[metric::KV_CACHE_USAGE_RATIO] = if s.has_kv_usage == 1.0 {
            grid[grid_metric::COST_OR_KV_USAGE]
        } else {
            occupied
        };
        let value = (good - loss * served) * f64s(s.reward_good);
        Outcome {
            capacity_rps,
            violation_rate: served.if_above(zero, one - good / served, zero),
            kv_occupancy: occupied,
            reward: I::narrow(value - f64s(s.reward_gpu) * (gpus - one)),
            cost: m[metric::SLO_VIOLATIONS],
        }
    }
}

/// The configuration in force where a lane's wanted one does not fit.
#[inline(always)]
fn keep_where<I: Isa>(
    misfits: I::F32,
    config: &mut Configurations<I>,
    in_force: &Configurations<I>,
) {
    let none = I::F32::splat(0.0);
    config.kv_budget = misfits.if_above(none, in_force.kv_budget, config.kv_budget);
    config.batch_size = misfits.if_above(none, in_force.batch_size, config.batch_size);
    let zero = I::U32::splat(0);
    let kept = I::whole(misfits);
    let choose = |kept_one, wanted| zero.if_below(kept, kept_one, wanted);
    config.spec_index = choose(in_force.spec_index, config.spec_index);
    config.prefill_disagg = choose(in_force.prefill_disagg, config.prefill_disagg);
    config.quant_tier = choose(in_force.quant_tier, config.quant_tier);
}

/// `measured::ttft_share`: each piece is a quotient and a number added to it, so one division
/// serves all of them.
#[inline(always)]
fn ttft_share<I: Isa>(p50: I::F64, p99: I::F64, limit: I::F64) -> I::F64 {
    let f64s = I::F64::splat;
    let beyond_p99 = |yes, no| limit.if_above(p99, yes, no);
    let above = beyond_p99(f64s(0.01) * (limit - p99), f64s(0.49) * (limit - p50));
    let below = beyond_p99(f64s(0.25) * p99, p99 - p50);
    let shift = beyond_p99(f64s(0.99), f64s(0.5));
    let beyond_p50 = |yes, no| limit.if_above(p50, yes, no);
    let share = beyond_p50(above, limit) / beyond_p50(below, p50);
    let share = beyond_p50(shift, f64s(-0.5)) + share;
    let most = limit.if_above(f64s(1.25) * p99, f64s(1.0), share);
    limit.if_above(f64s(0.5) * p50, most, f64s(0.0))
}

/// `measured::tpot_share`
#[inline(always)]
fn tpot_share<I: Isa>(tpot: I::F64, limit: f64) -> I::F64 {
    let f64s = I::F64::splat;
    let share = (f64s(1.2 * limit) - tpot) / f64s(0.4 * limit);
    share.clip(f64s(0.0), f64s(1.0))
}
