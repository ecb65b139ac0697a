//! Serving: an LLM inference server's knobs under changing traffic.
//!
//! `src/reference/serving/serving.ts` is the specification; this is the oracle of the core, one
//! lane at a time. The table part (samplers, cell fractions, interpolation, factors) is f32, the
//! rest f64.

mod decode;
mod decode_lanes;
mod fold_lanes;
mod grid;
mod grid_lanes;
mod group;
mod lanes;
mod measured;
mod measured_lanes;
mod origin;
mod origin_lanes;
mod traffic_lanes;

use crate::env::Env;
use crate::generated::common::stream;
use crate::generated::serving::{
    AXIS_NODES_MAX, GRID_METRICS, LAYOUT, NUM_BUCKETS, QUANTILE_CELLS, SPEC_LENGTH_CHOICES,
    Scalars, Tables, dynamics, metric, observation, prompt_kind, real, statistic, word,
};
use crate::program::Program;
use crate::rng::{philox, word_below};
use crate::sampling;
use crate::simd::Isa;
use crate::statistics::{fold_common, fold_welford};
use crate::store::{Block, Shape};
use decode::Configuration;
use grid::Grid;
use grid_lanes::Corners;

/// Scalars of the table part, rounded to f32 once.
struct Rounded {
    prompt_min: f32,
    prompt_max: f32,
    memory_max_gb: f32,
    disagg_prompt_from: f32,
    disagg_prompt_gain: f32,
    disagg_ttft: f32,
    disagg_tpot: f32,
    disagg_cost: f32,
    disagg_memory: f32,
    share_interactive: f32,
    share_batch: f32,
    share_best_effort: f32,
}

/// Scalars that count or choose, converted once.
struct Whole {
    dynamics: u32,
    horizon: u32,
    action_mode: u32,
    lock_mask: u32,
    arrival_bits: u32,
    prompt_kind: u32,
    prompt_bits: u32,
    prompt_cells: u32,
}

/// Statistics that are sums of a metric over the steps.
const SUMS: [(usize, usize); 9] = [
    (statistic::TOKENS_PER_SEC_SUM, metric::TOKENS_PER_SEC),
    (statistic::TTFT_P50_MS_SUM, metric::TTFT_P50_MS),
    (statistic::SLO_VIOLATIONS_SUM, metric::SLO_VIOLATIONS),
    (statistic::COST_PER_1K_SUM, metric::COST_PER_1K),
    (statistic::ARRIVALS_SUM, metric::ARRIVALS),
    (statistic::SERVED_SUM, metric::SERVED),
    (statistic::DROPPED_SUM, metric::DROPPED),
    (statistic::GOOD_SUM, metric::GOOD),
    (statistic::OOM_SUM, metric::OOM),
];

/// The family over one program.
pub struct Serving {
    s: Scalars,
    t: Tables,
    r: Rounded,
    whole: Whole,
    /// The configuration that an episode begins with.
    default: Configuration,
    grid: Grid,
    corners: Corners,
    shape: Shape,
    /// The quantile tables as pairs (a, b).
    noise_pairs: Box<[[f32; 2]; QUANTILE_CELLS]>,
    prompt_pairs: Box<[[f32; 2]; QUANTILE_CELLS]>,
    /// Whether any observation is scaled: a factor of 1 changes no bit.
    scaled: bool,
}

/// One step's draws and what the dynamics make of them, for one lane.
struct Step {
    wanted: Configuration,
    arrivals: f64,
    prompt_len: f32,
    noise_ttft_p50: f32,
    noise_ttft_p99: f32,
    noise_tpot: f32,
    capacity_rps: f64,
    violation_rate: f64,
    metrics: [f32; metric::COUNT],
}

impl Serving {
    pub fn new(program: &Program, metrics: bool) -> Self {
        let s = Scalars::new(program.scalars());
        let t = Tables::new(program);
        let shape = Shape {
            action_dim: s.action_dim as usize,
            observation_dim: s.observation_dim as usize,
            mask_dim: s.mask_dim as usize,
            metric_dim: if metrics { metric::COUNT } else { 0 },
            words: word::COUNT,
            arrays: 0,
            real_arrays: 0,
            reals: real::COUNT,
            statistics: statistic::COUNT,
        };
        let r = Rounded {
            prompt_min: s.prompt_min as f32,
            prompt_max: s.prompt_max as f32,
            memory_max_gb: s.memory_max_gb as f32,
            disagg_prompt_from: s.disagg_prompt_from as f32,
            disagg_prompt_gain: s.disagg_prompt_gain as f32,
            disagg_ttft: s.disagg_ttft as f32,
            disagg_tpot: s.disagg_tpot as f32,
            disagg_cost: s.disagg_cost as f32,
            disagg_memory: s.disagg_memory as f32,
            share_interactive: s.share_interactive as f32,
            share_batch: s.share_batch as f32,
            share_best_effort: s.share_best_effort as f32,
        };
        let default = Configuration {
            kv_budget: s.default_kv_budget as f32,
            batch_size: s.default_batch_size as f32,
            spec_index: s.default_spec_index as u32,
            prefill_disagg: s.default_prefill_disagg as u32,
            quant_tier: s.default_quant_tier as u32,
        };
        let whole = Whole {
            dynamics: s.dynamics as u32,
            horizon: s.horizon as u32,
            action_mode: s.action_mode as u32,
            lock_mask: s.lock_mask as u32,
            arrival_bits: s.arrival_bits as u32,
            prompt_kind: s.prompt_kind as u32,
            prompt_bits: s.prompt_bits as u32,
            prompt_cells: s.prompt_cells as u32,
        };
        let scaled = t.observation_scale.iter().any(|&scale| scale != 1.0);
        let grid = Grid::new(&s, &t);
        let corners = Corners::new(&s, &t, &grid);
        let noise_pairs = pairs(&t.noise);
        let prompt_pairs = pairs(&t.prompt_quantile);
        Self {
            s,
            t,
            r,
            whole,
            default,
            grid,
            corners,
            shape,
            noise_pairs,
            prompt_pairs,
            scaled,
        }
    }

    /// Draws the step's traffic: one Philox block, a word for the arrivals, the top 24 bits of the
    /// other three for the noises, their low bytes together for the prompt.
    fn admit_arrivals(&self, block: &mut Block, lane: usize, step: &mut Step) {
        let (s, t) = (&self.s, &self.t);
        let words = &block.words;
        let counter = [
            words[word::STEP][lane],
            words[word::EPISODE][lane],
            stream::STEP,
            0,
        ];
        let key = [words[word::SEED_LO][lane], words[word::SEED_HI][lane]];
        let w = philox(counter, key);
        let now = (words[word::WINDOW_START][lane] + words[word::STEP][lane]) as usize;
        step.arrivals = f64::from(self.sample_arrivals(t.profile_level[now], w[0]));
        step.noise_ttft_p50 = sampling::quantile(&t.noise, w[1]);
        step.noise_ttft_p99 = sampling::quantile(&t.noise, w[2]);
        step.noise_tpot = sampling::quantile(&t.noise, w[3]);
        let low = (w[1] << 24) | ((w[2] & 255) << 16) | ((w[3] & 255) << 8);
        let drawn = self.sample_prompt(low, now);
        let ema = &mut block.reals[real::ARRIVAL_EMA][lane];
        *ema += (step.arrivals - *ema) * s.arrival_gain;
        let mean = &mut block.reals[real::PROMPT_MEAN][lane];
        if self.whole.prompt_kind == prompt_kind::PROFILE {
            *mean = f64::from(drawn);
        } else {
            *mean += (f64::from(drawn) - *mean) * s.prompt_gain;
        }
        step.prompt_len = *mean as f32;
        step.metrics[metric::ARRIVALS] = step.arrivals as f32;
        step.metrics[metric::PHASE] = t.profile_phase[now] as f32;
        step.metrics[metric::PROMPT_LEN_BUCKET] = self.prompt_bucket(step.prompt_len) as f32;
    }

    #[inline(always)]
    fn sample_arrivals(&self, level: u32, drawn: u32) -> u32 {
        let bits = self.whole.arrival_bits;
        let columns = &self.t.arrival_alias[(level << bits) as usize..][..1 << bits];
        self.t.arrival_offset[level as usize] + sampling::alias(columns, bits, drawn)
    }

    #[inline(always)]
    fn sample_prompt(&self, drawn: u32, now: usize) -> f32 {
        let t = &self.t;
        let x = match self.whole.prompt_kind {
            prompt_kind::QUANTILE => sampling::quantile(&t.prompt_quantile, drawn),
            prompt_kind::PIECES => {
                let bits = self.whole.prompt_bits;
                sampling::pieces(&t.prompt_alias, &t.prompt_pieces, bits, drawn)
            }
            prompt_kind::EQUAL_CELLS => {
                sampling::equal_cells(&t.prompt_cell, self.whole.prompt_cells, drawn)
            }
            _ => t.profile_prompt[now],
        };
        clip32(x, self.r.prompt_min, self.r.prompt_max)
    }

    /// Index of a prompt's length class.
    #[inline(always)]
    fn prompt_bucket(&self, prompt_len: f32) -> usize {
        let edges = &self.t.prompt_edges[..NUM_BUCKETS - 1];
        edges
            .iter()
            .map(|&edge| usize::from(prompt_len >= edge))
            .sum()
    }

    fn report_configuration(&self, block: &Block, lane: usize, m: &mut [f32; metric::COUNT]) {
        m[metric::APPLIED_BATCH_SIZE] = block.reals[real::BATCH_SIZE][lane] as f32;
        m[metric::APPLIED_KV_BUDGET] = block.reals[real::KV_BUDGET][lane] as f32;
        m[metric::APPLIED_SPEC_LENGTH] =
            SPEC_LENGTH_CHOICES[block.words[word::SPEC_INDEX][lane] as usize];
        m[metric::APPLIED_PREFILL_DISAGG] = block.words[word::PREFILL_DISAGG][lane] as f32;
        m[metric::APPLIED_QUANT_TIER] = block.words[word::QUANT_TIER][lane] as f32;
    }

    /// The observation row: rounded to f32, then scaled by the program's fixed scalings.
    fn observe(&self, block: &mut Block, lane: usize, step: &Step) {
        let s = &self.s;
        let m = &step.metrics;
        let words = &block.words;
        let reals = &block.reals;
        let evictions = f64::from(m[metric::EVICTION_EVENTS]);
        let now = words[word::WINDOW_START][lane] + words[word::STEP][lane];
        let mut row = [0.0f32; observation::COUNT];
        row[observation::QUEUE_DEPTH] = reals[real::QUEUE][lane] as f32;
        row[observation::MEAN_PROMPT_LEN] = reals[real::PROMPT_MEAN][lane] as f32;
        row[observation::ARRIVAL_RATE] = reals[real::ARRIVAL_EMA][lane] as f32;
        row[observation::KV_CACHE_OCCUPANCY] =
            kv_occupancy(reals[real::QUEUE][lane], evictions) as f32;
        row[observation::TTFT_P50] = m[metric::TTFT_P50_MS];
        row[observation::TPOT_P50] = m[metric::TPOT_MS];
        row[observation::SLO_VIOLATION_RATE] = step.violation_rate as f32;
        row[observation::GPU_MEMORY_USED_GB] = m[metric::GPU_MEMORY_GB];
        row[observation::SPEC_ACCEPT_RATE] = m[metric::SPEC_ACCEPT_RATE];
        row[observation::PRIORITY_INTERACTIVE] = self.r.share_interactive;
        row[observation::PRIORITY_BATCH] = self.r.share_batch;
        row[observation::PRIORITY_BEST_EFFORT] = self.r.share_best_effort;
        row[observation::TIMESTEP] = words[word::STEP][lane] as f32;
        row[observation::COST_SO_FAR] = reals[real::COST_SO_FAR][lane] as f32;
        row[observation::CAPACITY_RPS] = step.capacity_rps as f32;
        row[observation::ACTIVE_SPEC_LENGTH] =
            SPEC_LENGTH_CHOICES[words[word::SPEC_INDEX][lane] as usize];
        row[observation::ACTIVE_PREFILL_DISAGG] = words[word::PREFILL_DISAGG][lane] as f32;
        row[observation::ACTIVE_QUANT_TIER] = words[word::QUANT_TIER][lane] as f32;
        row[observation::ROLLOUT_STEPS_LEFT] = words[word::ROLLOUT_LEFT][lane] as f32;
        row[observation::WINDOW_POSITION] = (f64::from(now) * s.profile_inv) as f32;
        let width = self.shape.observation_dim;
        let out = &mut block.observations[lane * width..(lane + 1) * width];
        for (i, value) in out.iter_mut().enumerate() {
            *value = row[i] * self.t.observation_scale[i];
        }
        if !block.metrics.is_empty() {
            block.metrics[lane * metric::COUNT..][..metric::COUNT].copy_from_slice(m);
        }
    }

    /// Folds the episode statistics from the f32 outputs; `before` is the configuration that was
    /// in force, batch size and KV budget.
    fn fold(&self, block: &mut Block, lane: usize, m: &[f32; metric::COUNT], before: [f64; 2]) {
        fold_common(block, lane);
        for (slot, index) in SUMS {
            block.statistics[slot][lane] += f64::from(m[index]);
        }
        let steps = block.words[word::STEP][lane];
        let memory = f64::from(m[metric::GPU_MEMORY_GB]);
        let most = &mut block.statistics[statistic::GPU_MEMORY_GB_MAX][lane];
        if steps == 1 || memory > *most {
            *most = memory;
        }
        if steps > 1 {
            let count = f64::from(steps - 1);
            let batch = f64::from(m[metric::APPLIED_BATCH_SIZE]) - before[0];
            let kv = f64::from(m[metric::APPLIED_KV_BUDGET]) - before[1];
            fold_welford(block, lane, statistic::BATCH_SIZE_DELTA_MEAN, batch, count);
            fold_welford(block, lane, statistic::KV_BUDGET_DELTA_MEAN, kv, count);
        }
    }
}

impl Env for Serving {
    fn shape(&self) -> Shape {
        self.shape
    }

    #[inline(always)]
    fn step_block<I: Isa>(&self, block: &mut Block, _skip: u64) {
        if self.whole.dynamics == dynamics::MEASURED {
            self.step_groups::<I, true>(block);
        } else {
            self.step_groups::<I, false>(block);
        }
    }

    fn reset(&self, block: &mut Block, lane: usize) {
        let (s, t) = (&self.s, &self.t);
        let words = &mut block.words;
        let counter = [0, words[word::EPISODE][lane], stream::RESET, 0];
        let key = [words[word::SEED_LO][lane], words[word::SEED_HI][lane]];
        let start = word_below(philox(counter, key)[0], s.window_start_max as u32 + 1);
        words[word::WINDOW_START][lane] = start;
        words[word::SPEC_INDEX][lane] = self.default.spec_index;
        words[word::PREFILL_DISAGG][lane] = self.default.prefill_disagg;
        words[word::QUANT_TIER][lane] = self.default.quant_tier;
        words[word::ROLLOUT_LEFT][lane] = 0;
        let level = t.profile_level[start as usize];
        let from_profile = self.whole.prompt_kind == prompt_kind::PROFILE;
        let reals = &mut block.reals;
        reals[real::QUEUE][lane] = 0.0;
        reals[real::ARRIVAL_EMA][lane] = f64::from(t.level_rate[level as usize]);
        reals[real::PROMPT_MEAN][lane] = if from_profile {
            f64::from(t.profile_prompt[start as usize])
        } else {
            s.prompt_start
        };
        reals[real::COST_SO_FAR][lane] = 0.0;
        reals[real::CREDIT][lane] = 0.0;
        reals[real::BATCH_SIZE][lane] = s.default_batch_size;
        reals[real::KV_BUDGET][lane] = f64::from(self.default.kv_budget);
        let mut step = Step::new();
        step.metrics.copy_from_slice(&t.reset_metrics);
        step.capacity_rps = s.reset_capacity_rps;
        self.observe(block, lane, &step);
    }

    fn step(&self, block: &mut Block, lane: usize) {
        let mut step = Step::new();
        let before = [
            block.reals[real::BATCH_SIZE][lane],
            block.reals[real::KV_BUDGET][lane],
        ];
        step.wanted = self.decode_action(block.actions, lane);
        self.admit_arrivals(block, lane, &mut step);
        if self.whole.dynamics == dynamics::ORIGIN {
            self.advance_origin(block, lane, &mut step);
        } else {
            self.advance_measured(block, lane, &mut step);
        }
        block.words[word::STEP][lane] += 1;
        self.report_configuration(block, lane, &mut step.metrics);
        self.observe(block, lane, &step);
        block.terminated[lane] = 0;
        let over = f64::from(block.words[word::STEP][lane]) >= self.s.horizon;
        block.truncated[lane] = u8::from(over);
        self.fold(block, lane, &step.metrics, before);
    }
}

impl Step {
    fn new() -> Self {
        Self {
            wanted: Configuration::default(),
            arrivals: 0.0,
            prompt_len: 0.0,
            noise_ttft_p50: 0.0,
            noise_ttft_p99: 0.0,
            noise_tpot: 0.0,
            capacity_rps: 0.0,
            violation_rate: 0.0,
            metrics: [0.0; metric::COUNT],
        }
    }
}

/// A quantile table as pairs (a, b).
fn pairs(table: &[f32]) -> Box<[[f32; 2]; QUANTILE_CELLS]> {
    Box::new(std::array::from_fn(|cell| {
        [table[2 * cell], table[2 * cell + 1]]
    }))
}

/// 1 - evictions / max(queue, 1).
#[inline(always)]
fn kv_occupancy(queue: f64, evictions: f64) -> f64 {
    1.0 - evictions / if queue > 1.0 { queue } else { 1.0 }
}

/// x clipped to low..=high; what is not above low, NaN included, reads low.
#[inline(always)]
fn clip32(x: f32, low: f32, high: f32) -> f32 {
    let above = if x > low { x } else { low };
    if above < high { above } else { high }
}

/// As `clip32`.
#[inline(always)]
fn clip64(x: f64, low: f64, high: f64) -> f64 {
    let above = if x > low { x } else { low };
    if above < high { above } else { high }
}

const _: () = assert!(AXIS_NODES_MAX == 17 && GRID_METRICS == 8 && LAYOUT.family == 1);
