//! The kernel: the oracle's step for a group of lanes at a time, in stages. Operation for
//! operation it is `serving.rs`; the order within a lane is the oracle's, so the bits are.

use super::Serving;
use super::fold_lanes::fold;
use super::group::{Configurations, Group, Metrics, Outcome, Stage, Traffic};
use super::traffic_lanes::draw;
use crate::generated::serving::{
    GRID_METRICS, SPEC_LENGTH_CHOICES, metric, observation, real, word,
};
use crate::simd::{Float, Isa, Word};
use crate::store::{Block, LANES};

impl Serving {
    /// One step of every lane. `MEASURED` says by which dynamics, so that neither pays for what
    /// only the other has. The stages are loops of their own because each is a long chain of
    /// dependent operations: so the processor overlaps the chains of neighbouring groups.
    #[inline(always)]
    pub(super) fn step_groups<I: Isa, const MEASURED: bool>(&self, block: &mut Block) {
        let group = &mut Group::of(block);
        let (mut words, mut traffic) = (Stage::new(), Stage::new());
        let (mut configs, mut places, mut grids) = (Stage::new(), Stage::new(), Stage::new());
        for i in 0..I::GROUPS {
            words.set(i, draw::<I>(group.at(i)));
        }
        for i in 0..I::GROUPS {
            // SAFETY: every group has been set by the stage before, here and below.
            let words = unsafe { *words.get(i) };
            traffic.set(i, self.admit_group::<I>(group.at(i), words));
        }
        for i in 0..I::GROUPS {
            let config = self.decode_group::<I, MEASURED>(group.at(i));
            // SAFETY: see above.
            let Traffic { prompt_len, .. } = unsafe { traffic.get(i) };
            places.set(i, self.locate_group::<I>(&config, *prompt_len));
            configs.set(i, config);
        }
        for i in 0..I::GROUPS {
            // SAFETY: see above.
            grids.set(i, self.grid_group::<I>(unsafe { places.get(i) }));
        }
        for i in 0..I::GROUPS {
            // SAFETY: see above.
            let (config, traffic, grid) = unsafe { (configs.get(i), traffic.get(i), grids.get(i)) };
            self.advance_group::<I, MEASURED>(group.at(i), config, traffic, grid);
        }
        self.flag_ends(block);
    }

    /// The step's effect on the server, and its report.
    #[inline(always)]
    fn advance_group<I: Isa, const MEASURED: bool>(
        &self,
        group: &mut Group,
        config: &Configurations<I>,
        traffic: &Traffic<I>,
        grid: &[I::F32; GRID_METRICS],
    ) {
        let mut m: Metrics<I> = [I::F32::splat(0.0); metric::COUNT];
        m[metric::ARRIVALS] = I::float(traffic.arrivals);
        m[metric::PROMPT_LEN_BUCKET] = I::float(traffic.bucket);
        let outcome = if MEASURED {
            self.advance_measured_group::<I>(group, config, traffic, grid, &mut m)
        } else {
            self.advance_origin_group::<I>(group, config, traffic, grid, &mut m)
        };
        group.set_outcome::<I>(&outcome);
        report_configuration::<I>(group, &mut m);
        if !group.metrics::<I>().is_empty() {
            m[metric::PHASE] =
                I::float(I::gather(&self.t.profile_phase, self.now_group::<I>(group)));
            // A copy: what others read stays in registers.
            I::store_rows(&{ m }, group.metrics::<I>());
        }
        let step = group.word::<I>(word::STEP) + I::U32::splat(1);
        group.set_word::<I>(word::STEP, step);
        fold::<I, MEASURED>(group, &outcome, &m);
        self.observe_group::<I, MEASURED>(group, &outcome, &m);
    }

    /// The observation rows: rounded to f32, then scaled by the program's fixed scalings.
    #[inline(always)]
    fn observe_group<I: Isa, const MEASURED: bool>(
        &self,
        group: &mut Group,
        outcome: &Outcome<I>,
        m: &Metrics<I>,
    ) {
        let s = &self.s;
        let mut o = [I::F32::splat(0.0); observation::COUNT];
        o[observation::QUEUE_DEPTH] = I::narrow(group.real::<I>(real::QUEUE));
        o[observation::MEAN_PROMPT_LEN] = I::narrow(group.real::<I>(real::PROMPT_MEAN));
        o[observation::ARRIVAL_RATE] = I::narrow(group.real::<I>(real::ARRIVAL_EMA));
        o[observation::KV_CACHE_OCCUPANCY] = outcome.kv_occupancy;
        o[observation::TTFT_P50] = m[metric::TTFT_P50_MS];
        o[observation::TPOT_P50] = m[metric::TPOT_MS];
        o[observation::SLO_VIOLATION_RATE] = I::narrow(outcome.violation_rate);
        o[observation::GPU_MEMORY_USED_GB] = m[metric::GPU_MEMORY_GB];
        o[observation::SPEC_ACCEPT_RATE] = m[metric::SPEC_ACCEPT_RATE];
        o[observation::PRIORITY_INTERACTIVE] = I::F32::splat(self.r.share_interactive);
        o[observation::PRIORITY_BATCH] = I::F32::splat(self.r.share_batch);
        o[observation::PRIORITY_BEST_EFFORT] = I::F32::splat(self.r.share_best_effort);
        o[observation::TIMESTEP] = I::float(group.word::<I>(word::STEP));
        o[observation::COST_SO_FAR] = I::narrow(group.real::<I>(real::COST_SO_FAR));
        if MEASURED {
            o[observation::CAPACITY_RPS] = I::narrow(outcome.capacity_rps);
            o[observation::ACTIVE_SPEC_LENGTH] = m[metric::APPLIED_SPEC_LENGTH];
            o[observation::ACTIVE_PREFILL_DISAGG] = m[metric::APPLIED_PREFILL_DISAGG];
            o[observation::ACTIVE_QUANT_TIER] = m[metric::APPLIED_QUANT_TIER];
            o[observation::ROLLOUT_STEPS_LEFT] = I::float(group.word::<I>(word::ROLLOUT_LEFT));
            let now = group.word::<I>(word::WINDOW_START) + group.word::<I>(word::STEP);
            let position = I::real(now) * I::F64::splat(s.profile_inv);
            o[observation::WINDOW_POSITION] = I::narrow(position);
        }
        // A width known to the compiler keeps the columns in registers.
        const ORIGIN_WIDTH: usize = observation::CAPACITY_RPS;
        if MEASURED {
            self.show::<I, { observation::COUNT }>(&o, group.observations::<I>());
        } else {
            self.show::<I, ORIGIN_WIDTH>(&o, group.observations::<I>());
        }
    }

    /// Scales the first columns and stores them as rows.
    #[inline(always)]
    fn show<I: Isa, const WIDTH: usize>(&self, columns: &[I::F32], rows: &mut [f32]) {
        let mut columns: [_; WIDTH] = *columns.first_chunk().expect("all of them");
        if self.scaled {
            let scale = self.t.observation_scale.first_chunk();
            let scale: &[_; WIDTH] = scale.expect("a factor each");
            for (column, &scale) in columns.iter_mut().zip(scale) {
                *column = *column * I::F32::splat(scale);
            }
        }
        I::store_rows(&columns, rows);
    }

    #[inline(always)]
    fn flag_ends(&self, block: &mut Block) {
        let horizon = self.whole.horizon;
        for lane in 0..LANES {
            block.truncated[lane] = u8::from(block.words[word::STEP][lane] >= horizon);
        }
        *block.terminated = [0; LANES];
    }
}

#[inline(always)]
fn report_configuration<I: Isa>(group: &Group, m: &mut Metrics<I>) {
    let mut lengths = [0.0; 16];
    lengths[..SPEC_LENGTH_CHOICES.len()].copy_from_slice(&SPEC_LENGTH_CHOICES);
    m[metric::APPLIED_BATCH_SIZE] = I::narrow(group.real::<I>(real::BATCH_SIZE));
    m[metric::APPLIED_KV_BUDGET] = I::narrow(group.real::<I>(real::KV_BUDGET));
    m[metric::APPLIED_SPEC_LENGTH] = I::lookup(&lengths, group.word::<I>(word::SPEC_INDEX));
    m[metric::APPLIED_PREFILL_DISAGG] = I::float(group.word::<I>(word::PREFILL_DISAGG));
    m[metric::APPLIED_QUANT_TIER] = I::float(group.word::<I>(word::QUANT_TIER));
}

/// `kv_occupancy`, rounded.
#[inline(always)]
pub(super) fn kv_occupancy<I: Isa>(queue: I::F64, evictions: I::F64) -> I::F32 {
    let one = I::F64::splat(1.0);
    I::narrow(one - evictions / queue.above(one))
}
