//! The blocked kernel: the oracle's step for 64 lanes at a time, stage by stage, each stage a
//! plain loop over lanes. Operation for operation it is `serving.rs`; the order within a lane is
//! the oracle's, so the bits are.

use super::Serving;
use super::grid::Axis;
use std::cell::UnsafeCell;

use crate::generated::common::stream;
use crate::generated::serving::{
    GRID_METRICS, NUM_BUCKETS, action, action_mode, dynamics, metric, observation, prompt_kind,
    real, word,
};
use crate::lanes::{F32s, F64s, GROUP, Isa, U32s, philox, quantile, store_rows};
use crate::sampling;
use crate::store::{Block, LANES};

/// What flows between the stages of a step, one number per lane.
pub(super) struct Lanes {
    /// The configuration asked for, then the one in force.
    pub kv_budget: F32s,
    pub batch_size: F32s,
    pub spec_index: U32s,
    pub prefill_disagg: U32s,
    pub quant_tier: U32s,
    pub arrivals: F64s,
    pub prompt_len: F32s,
    pub noise: [F32s; 3],
    pub bucket: U32s,
    pub grid: [F32s; GRID_METRICS],
    pub metrics: [F32s; metric::COUNT],
    pub observation: [F32s; observation::COUNT],
    pub capacity_rps: F64s,
    pub violation_rate: F64s,
    /// Batch size and KV budget that were in force before.
    pub before: [F64s; 2],
}

thread_local! {
    /// Scratch of the thread. Every stage overwrites what it uses, so it is never cleared: zeroing
    /// it for each block cost as much as a tenth of the step.
    static LANES_OF_THREAD: UnsafeCell<Box<Lanes>> = UnsafeCell::new(Box::new(Lanes {
        kv_budget: [0.0; LANES],
        batch_size: [0.0; LANES],
        spec_index: [0; LANES],
        prefill_disagg: [0; LANES],
        quant_tier: [0; LANES],
        arrivals: [0.0; LANES],
        prompt_len: [0.0; LANES],
        noise: [[0.0; LANES]; 3],
        bucket: [0; LANES],
        grid: [[0.0; LANES]; GRID_METRICS],
        metrics: [[0.0; LANES]; metric::COUNT],
        observation: [[0.0; LANES]; observation::COUNT],
        capacity_rps: [0.0; LANES],
        violation_rate: [0.0; LANES],
        before: [[0.0; LANES]; 2],
    }));
}

/// The thread's scratch. A pointer rather than a closure's argument: a closure would be compiled
/// without the instruction set of the kernel around it.
#[inline(always)]
pub(super) fn scratch_of_thread() -> *mut Lanes {
    // SAFETY: only the address is taken.
    LANES_OF_THREAD.with(|lanes| unsafe { &raw mut **lanes.get() })
}

impl Serving {
    /// One step of every lane.
    #[inline(always)]
    pub(super) fn step_lanes<I: Isa>(&self, block: &mut Block, x: &mut Lanes) {
        x.before = [block.reals[real::BATCH_SIZE], block.reals[real::KV_BUDGET]];
        self.decode_lanes(block, x);
        self.admit_arrivals_lanes::<I>(block, x);
        if self.s.dynamics as u32 == dynamics::ORIGIN {
            self.apply_wanted(block, x);
            self.serve_origin_lanes(block, x);
            self.grid_lanes::<I>(x);
            self.measure_origin_lanes(x);
            self.judge_origin_lanes(block, x);
        } else {
            self.advance_measured_lanes::<I>(block, x);
        }
        self.finish_lanes::<I>(block, x);
    }

    fn apply_wanted(&self, block: &mut Block, x: &Lanes) {
        for lane in 0..LANES {
            block.reals[real::BATCH_SIZE][lane] = f64::from(x.batch_size[lane]);
            block.reals[real::KV_BUDGET][lane] = f64::from(x.kv_budget[lane]);
        }
        block.words[word::SPEC_INDEX] = x.spec_index;
        block.words[word::PREFILL_DISAGG] = x.prefill_disagg;
        block.words[word::QUANT_TIER] = x.quant_tier;
    }

    #[inline(always)]
    fn decode_lanes(&self, block: &Block, x: &mut Lanes) {
        if self.s.action_mode as u32 == action_mode::STRUCTURED {
            self.decode_structured_lanes(block, x);
            return;
        }
        for lane in 0..LANES {
            let config = self.decode_action(block.actions, lane);
            x.kv_budget[lane] = config.kv_budget;
            x.batch_size[lane] = config.batch_size;
            x.spec_index[lane] = config.spec_index;
            x.prefill_disagg[lane] = config.prefill_disagg;
            x.quant_tier[lane] = config.quant_tier;
        }
    }

    /// `decode_action` for rows of five numbers, a field at a time.
    #[inline(always)]
    fn decode_structured_lanes(&self, block: &Block, x: &mut Lanes) {
        let rows: &[[u32; action::COUNT]] = block.actions.as_chunks().0;
        let rows: &[[u32; action::COUNT]; LANES] = rows.try_into().expect("a row per lane");
        let field = |i: usize| -> F32s { rows.map(|row| f32::from_bits(row[i])) };
        let locked = |i: usize| (self.s.lock_mask as u32) & (1 << i) != 0;
        let s = &self.s;
        x.kv_budget = if locked(action::KV_BUDGET) {
            [self.r.default_kv_budget; LANES]
        } else {
            field(action::KV_BUDGET).map(|kv| super::clip32(kv, 0.1, 1.0))
        };
        x.batch_size = if locked(action::BATCH_SIZE) {
            [s.default_batch_size as f32; LANES]
        } else {
            field(action::BATCH_SIZE).map(|batch| super::clip32(batch, 1.0, 512.0) as i32 as f32)
        };
        let at_least = |value: f32, least: f32| u32::from(value >= least);
        x.spec_index = if locked(action::SPEC_LENGTH) {
            [s.default_spec_index as u32; LANES]
        } else {
            field(action::SPEC_LENGTH).map(|spec| {
                at_least(spec, 1.0)
                    + at_least(spec, 2.0)
                    + at_least(spec, 4.0)
                    + at_least(spec, 8.0)
            })
        };
        x.prefill_disagg = if locked(action::PREFILL_DISAGG) {
            [s.default_prefill_disagg as u32; LANES]
        } else {
            field(action::PREFILL_DISAGG).map(|apart| at_least(apart, 1.0))
        };
        x.quant_tier = if locked(action::QUANT_TIER) {
            [s.default_quant_tier as u32; LANES]
        } else {
            field(action::QUANT_TIER).map(|tier| at_least(tier, 1.0) + at_least(tier, 2.0))
        };
    }

    #[inline(always)]
    fn admit_arrivals_lanes<I: Isa>(&self, block: &mut Block, x: &mut Lanes) {
        let (s, t) = (&self.s, &self.t);
        let words = &block.words;
        let seeds = [&words[word::SEED_LO], &words[word::SEED_HI]];
        let steps = &words[word::STEP];
        let w = philox::<I>(steps, &words[word::EPISODE], [stream::STEP, 0], seeds);
        // Lanes that are about to be reset have taken their last step already.
        let last = s.horizon as u32 - 1;
        let now: U32s =
            std::array::from_fn(|lane| words[word::WINDOW_START][lane] + steps[lane].min(last));
        for (out, drawn) in x.noise.iter_mut().zip(&w[1..]) {
            *out = quantile::<I>(&self.noise_pairs, drawn);
        }
        self.sample_arrivals_lanes(&now, &w[0], x);
        let low: U32s = std::array::from_fn(|lane| {
            (w[1][lane] << 24) | ((w[2][lane] & 255) << 16) | ((w[3][lane] & 255) << 8)
        });
        let drawn = self.sample_prompt_lanes::<I>(&low, &now);
        let from_profile = s.prompt_kind as u32 == prompt_kind::PROFILE;
        let gain = if from_profile { 1.0 } else { s.prompt_gain };
        for lane in 0..LANES {
            let ema = &mut block.reals[real::ARRIVAL_EMA][lane];
            *ema += (x.arrivals[lane] - *ema) * s.arrival_gain;
            let mean = &mut block.reals[real::PROMPT_MEAN][lane];
            let wide = f64::from(drawn[lane]);
            let moved = *mean + (wide - *mean) * gain;
            *mean = if from_profile { wide } else { moved };
            x.prompt_len[lane] = *mean as f32;
        }
        x.bucket = [0; LANES];
        for &edge in &t.prompt_edges[..NUM_BUCKETS - 1] {
            for lane in 0..LANES {
                x.bucket[lane] += u32::from(x.prompt_len[lane] >= edge);
            }
        }
        for lane in 0..LANES {
            x.metrics[metric::ARRIVALS][lane] = x.arrivals[lane] as f32;
            x.metrics[metric::PROMPT_LEN_BUCKET][lane] = x.bucket[lane] as i32 as f32;
        }
        if !block.metrics.is_empty() {
            for lane in 0..LANES {
                x.metrics[metric::PHASE][lane] = t.profile_phase[now[lane] as usize] as f32;
            }
        }
    }

    #[inline(always)]
    fn sample_arrivals_lanes(&self, now: &U32s, words: &U32s, x: &mut Lanes) {
        let t = &self.t;
        let bits = self.s.arrival_bits as u32;
        let levels: U32s = std::array::from_fn(|lane| t.profile_level[now[lane] as usize]);
        let at: U32s =
            std::array::from_fn(|lane| (levels[lane] << bits) + (words[lane] >> (32 - bits)));
        let entries: U32s = std::array::from_fn(|lane| t.arrival_alias[at[lane] as usize]);
        let offsets: U32s = std::array::from_fn(|lane| t.arrival_offset[levels[lane] as usize]);
        let mask = (1 << bits) - 1;
        for lane in 0..LANES {
            let rest = (words[lane] << bits) >> bits;
            let own = at[lane] & mask;
            let entry = entries[lane];
            let outcome = if rest < entry >> bits {
                own
            } else {
                entry & mask
            };
            x.arrivals[lane] = f64::from((offsets[lane] + outcome) as i32);
        }
    }

    #[inline(always)]
    fn sample_prompt_lanes<I: Isa>(&self, words: &U32s, now: &U32s) -> F32s {
        let (s, t) = (&self.s, &self.t);
        let drawn: F32s = match s.prompt_kind as u32 {
            prompt_kind::QUANTILE => quantile::<I>(&self.prompt_pairs, words),
            prompt_kind::PIECES => {
                let bits = s.prompt_bits as u32;
                words.map(|word| sampling::pieces(&t.prompt_alias, &t.prompt_pieces, bits, word))
            }
            prompt_kind::EQUAL_CELLS => {
                let cells = s.prompt_cells as u32;
                words.map(|word| sampling::equal_cells(&t.prompt_cell, cells, word))
            }
            _ => now.map(|at| t.profile_prompt[at as usize]),
        };
        drawn.map(|x| super::clip32(x, self.r.prompt_min, self.r.prompt_max))
    }

    /// The grid's rows of the configurations in `x`, one metric per array, quantisation applied.
    #[inline(always)]
    pub(super) fn grid_lanes<I: Isa>(&self, x: &mut Lanes) {
        let (s, t, g) = (&self.s, &self.t, &self.grid);
        let num_spec = s.num_spec as usize;
        let batch = locate_lanes::<I>(&g.batch, &x.batch_size);
        let kv = locate_lanes::<I>(&g.kv, &x.kv_budget);
        let prompt = locate_lanes::<I>(&g.prompt, &x.prompt_len);
        for first in (0..LANES).step_by(GRID_METRICS) {
            let mut rows = [[0.0f32; GRID_METRICS]; GRID_METRICS];
            for i in 0..GRID_METRICS {
                let lane = first + i;
                let quant = x.quant_tier[lane] as usize;
                let spec = t.spec_plane[x.spec_index[lane] as usize] as usize;
                let plane = t.quant_plane[quant] as usize * num_spec + spec;
                let base = plane * g.plane
                    + batch.0[lane] as usize * g.stride[0]
                    + kv.0[lane] as usize * g.stride[1]
                    + prompt.0[lane] as usize * g.stride[2];
                let along = [batch.1[lane], kv.1[lane], prompt.1[lane]];
                rows[i] = self.interpolate(base, along, quant);
            }
            for (metric, row) in I::transpose(rows).iter().enumerate() {
                x.grid[metric][first..first + GRID_METRICS].copy_from_slice(row);
            }
        }
    }

    /// Flags, statistics, observation and metrics.
    #[inline(always)]
    fn finish_lanes<I: Isa>(&self, block: &mut Block, x: &mut Lanes) {
        let horizon = self.s.horizon as u32;
        for lane in 0..LANES {
            let step = block.words[word::STEP][lane] + 1;
            block.words[word::STEP][lane] = step;
            block.truncated[lane] = u8::from(step >= horizon);
        }
        *block.terminated = [0; LANES];
        for lane in 0..LANES {
            x.metrics[metric::APPLIED_BATCH_SIZE][lane] =
                block.reals[real::BATCH_SIZE][lane] as f32;
            x.metrics[metric::APPLIED_KV_BUDGET][lane] = block.reals[real::KV_BUDGET][lane] as f32;
            // 0, 1, 2, 4, 8 from the index, without a table: 1 << index, halved.
            let spec = block.words[word::SPEC_INDEX][lane];
            x.metrics[metric::APPLIED_SPEC_LENGTH][lane] = ((1u32 << spec) >> 1) as i32 as f32;
            x.metrics[metric::APPLIED_PREFILL_DISAGG][lane] =
                block.words[word::PREFILL_DISAGG][lane] as i32 as f32;
            x.metrics[metric::APPLIED_QUANT_TIER][lane] =
                block.words[word::QUANT_TIER][lane] as i32 as f32;
        }
        self.fold_lanes(block, x);
        self.observe_lanes::<I>(block, x);
        if !block.metrics.is_empty() {
            store_rows::<I>(&x.metrics, block.metrics);
        }
    }

    #[inline(always)]
    fn observe_lanes<I: Isa>(&self, block: &mut Block, x: &mut Lanes) {
        let s = &self.s;
        let (m, words, reals) = (&x.metrics, &block.words, &block.reals);
        let narrow = |values: &F64s| -> F32s { values.map(|value| value as f32) };
        let number = |values: &U32s| -> F32s { values.map(|value| value as i32 as f32) };
        let o = &mut x.observation;
        o[observation::QUEUE_DEPTH] = narrow(&reals[real::QUEUE]);
        o[observation::MEAN_PROMPT_LEN] = narrow(&reals[real::PROMPT_MEAN]);
        o[observation::ARRIVAL_RATE] = narrow(&reals[real::ARRIVAL_EMA]);
        o[observation::KV_CACHE_OCCUPANCY] =
            kv_occupancies(&reals[real::QUEUE], &m[metric::EVICTION_EVENTS]);
        o[observation::TTFT_P50] = m[metric::TTFT_P50_MS];
        o[observation::TPOT_P50] = m[metric::TPOT_MS];
        o[observation::SLO_VIOLATION_RATE] = narrow(&x.violation_rate);
        o[observation::GPU_MEMORY_USED_GB] = m[metric::GPU_MEMORY_GB];
        o[observation::SPEC_ACCEPT_RATE] = m[metric::SPEC_ACCEPT_RATE];
        o[observation::PRIORITY_INTERACTIVE] = [s.share_interactive as f32; LANES];
        o[observation::PRIORITY_BATCH] = [s.share_batch as f32; LANES];
        o[observation::PRIORITY_BEST_EFFORT] = [s.share_best_effort as f32; LANES];
        o[observation::TIMESTEP] = number(&words[word::STEP]);
        o[observation::COST_SO_FAR] = narrow(&reals[real::COST_SO_FAR]);
        if s.dynamics as u32 == dynamics::MEASURED {
            o[observation::CAPACITY_RPS] = narrow(&x.capacity_rps);
            o[observation::ACTIVE_SPEC_LENGTH] = m[metric::APPLIED_SPEC_LENGTH];
            o[observation::ACTIVE_PREFILL_DISAGG] = m[metric::APPLIED_PREFILL_DISAGG];
            o[observation::ACTIVE_QUANT_TIER] = m[metric::APPLIED_QUANT_TIER];
            o[observation::ROLLOUT_STEPS_LEFT] = number(&words[word::ROLLOUT_LEFT]);
            for lane in 0..LANES {
                let now = words[word::WINDOW_START][lane] + words[word::STEP][lane];
                let position = f64::from(now as i32) * s.profile_inv;
                o[observation::WINDOW_POSITION][lane] = position as f32;
            }
        }
        let width = self.shape.observation_dim;
        if self.scaled {
            for (column, &scale) in o[..width].iter_mut().zip(&self.t.observation_scale) {
                *column = column.map(|value| value * scale);
            }
        }
        store_rows::<I>(&o[..width], block.observations);
    }
}

/// The cells of an axis that hold x, and how far into them.
#[inline(always)]
fn locate_lanes<I: Isa>(axis: &Axis, x: &F32s) -> (U32s, F32s) {
    let (mut cells, mut along) = ([0; LANES], [0.0; LANES]);
    let nodes: &[f32; 16] = axis.nodes.first_chunk().expect("seventeen nodes");
    for first in (0..LANES).step_by(GROUP) {
        let mut clamped = [0.0; GROUP];
        for i in 0..GROUP {
            clamped[i] = super::clip32(x[first + i], axis.nodes[0], axis.last);
        }
        let mut cell = [0u32; GROUP];
        for &node in &axis.nodes[1..axis.inner] {
            for i in 0..GROUP {
                cell[i] += u32::from(node <= clamped[i]);
            }
        }
        let (low, inv) = (I::lookup(nodes, cell), I::lookup(&axis.inv, cell));
        for i in 0..GROUP {
            cells[first + i] = cell[i];
            along[first + i] = (clamped[i] - low[i]) * inv[i];
        }
    }
    (cells, along)
}

/// 1 - evictions / max(queue, 1), for every lane.
#[inline(always)]
fn kv_occupancies(queue: &F64s, evictions: &F32s) -> F32s {
    std::array::from_fn(|lane| super::kv_occupancy(queue[lane], f64::from(evictions[lane])) as f32)
}
