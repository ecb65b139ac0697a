//! The packed performance grid: finding a cell, and multilinear interpolation in f32.

use super::Serving;
use super::decode::Configuration;
use crate::generated::serving::{AXIS_NODES_MAX, GRID_METRICS, Scalars, Tables};

/// Positions in a row of the grid.
pub(super) mod grid_metric {
    pub const TTFT_P50: usize = 0;
    pub const TTFT_P99: usize = 1;
    pub const TPOT: usize = 2;
    pub const TPS: usize = 3;
    pub const MEMORY: usize = 4;
    /// Cost of 1,000 tokens (origin) or the KV cache's physical use (measured).
    pub const COST_OR_KV_USAGE: usize = 5;
    pub const PREFILL_MS: usize = 6;
    pub const ACCEPT: usize = 7;
}

/// One row of the grid.
pub(super) type Row = [f32; GRID_METRICS];

/// One axis: nodes padded with the largest f32, reciprocal cell widths padded with 0.
pub(super) struct Axis {
    pub nodes: [f32; AXIS_NODES_MAX],
    pub inv: [f32; AXIS_NODES_MAX - 1],
    pub last: f32,
    /// Fours of nodes after the first that hold all inner ones.
    fours: usize,
}

impl Axis {
    fn new(nodes: &[f32], inv: &[f32], count: f64) -> Self {
        let count = count as usize;
        let mut axis = Self {
            nodes: nodes.try_into().expect("validated length"),
            inv: inv.try_into().expect("validated length"),
            last: nodes[count - 1],
            fours: count.saturating_sub(2).div_ceil(4),
        };
        // A cell never begins at the last node, so the search must not count it.
        if count > 1 {
            axis.nodes[count - 1] = f32::MAX;
        }
        axis
    }

    /// The nodes that a search must count, and padding.
    #[inline(always)]
    pub fn inner(&self) -> &[[f32; 4]] {
        &self.nodes[1..].as_chunks().0[..self.fours]
    }

    /// The cell that holds x, clamped to the axis, and how far into it.
    #[inline(always)]
    pub fn locate(&self, x: f32) -> (usize, f32) {
        let clamped = super::clip32(x, self.nodes[0], self.last);
        let inner = &self.nodes[1..];
        let cell = inner
            .iter()
            .map(|&node| usize::from(node <= clamped))
            .sum::<usize>();
        (cell, (clamped - self.nodes[cell]) * self.inv[cell])
    }
}

/// The grid's axes and strides.
pub(super) struct Grid {
    pub batch: Axis,
    pub kv: Axis,
    pub prompt: Axis,
    /// Elements from a cell to the next: batch, KV, prompt.
    pub stride: [usize; 3],
    /// Elements between a cell's corners: as `stride`, 0 where an axis has one node.
    pub corner: [usize; 3],
    pub plane: usize,
}

impl Grid {
    pub fn new(s: &Scalars, t: &Tables) -> Self {
        let (num_kv, num_prompt) = (s.num_kv as usize, s.num_prompt as usize);
        let stride = [
            num_kv * num_prompt * GRID_METRICS,
            num_prompt * GRID_METRICS,
            GRID_METRICS,
        ];
        let nodes = [s.num_batch, s.num_kv, s.num_prompt];
        let corner: [usize; 3] =
            std::array::from_fn(|i| if nodes[i] > 1.0 { stride[i] } else { 0 });
        Self {
            batch: Axis::new(&t.batch_nodes, &t.batch_inv, s.num_batch),
            kv: Axis::new(&t.kv_nodes, &t.kv_inv, s.num_kv),
            prompt: Axis::new(&t.prompt_nodes, &t.prompt_inv, s.num_prompt),
            stride,
            corner,
            plane: s.num_batch as usize * stride[0],
        }
    }
}

#[inline(always)]
fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

#[inline(always)]
fn lerp_rows(a: &Row, b: &Row, t: f32) -> Row {
    let mut row = [0.0; GRID_METRICS];
    for i in 0..GRID_METRICS {
        row[i] = lerp(a[i], b[i], t);
    }
    row
}

impl Serving {
    /// The grid's row of a configuration at a prompt length, quantisation applied.
    pub(super) fn grid_metrics(&self, config: &Configuration, prompt_len: f32) -> Row {
        let (s, t, g) = (&self.s, &self.t, &self.grid);
        let quant = config.quant_tier as usize;
        let spec = t.spec_plane[config.spec_index as usize] as usize;
        let plane = t.quant_plane[quant] as usize * s.num_spec as usize + spec;
        let (batch, along_batch) = g.batch.locate(config.batch_size);
        let (kv, along_kv) = g.kv.locate(config.kv_budget);
        let (prompt, along_prompt) = g.prompt.locate(prompt_len);
        let base = plane * g.plane + batch * g.stride[0] + kv * g.stride[1] + prompt * g.stride[2];
        self.interpolate(base, [along_batch, along_kv, along_prompt], quant)
    }

    /// Between the eight corners of the cell at `base`; prompt innermost, then KV, then batch.
    #[inline(always)]
    fn interpolate(&self, base: usize, along: [f32; 3], quant: usize) -> Row {
        let [b, k, p] = self.grid.corner;
        let at = |offset: usize| self.row(base + offset);
        let [along_batch, along_kv, along_prompt] = along;
        let c00 = lerp_rows(at(0), at(p), along_prompt);
        let c01 = lerp_rows(at(k), at(k + p), along_prompt);
        let c10 = lerp_rows(at(b), at(b + p), along_prompt);
        let c11 = lerp_rows(at(b + k), at(b + k + p), along_prompt);
        let low = lerp_rows(&c00, &c01, along_kv);
        let high = lerp_rows(&c10, &c11, along_kv);
        let mut row = lerp_rows(&low, &high, along_batch);
        for (value, factor) in row.iter_mut().zip(self.quant_factors(quant)) {
            *value *= factor;
        }
        row
    }

    #[inline(always)]
    fn row(&self, at: usize) -> &Row {
        self.t.grid[at..].first_chunk().expect("validated length")
    }

    #[inline(always)]
    fn quant_factors(&self, quant: usize) -> &Row {
        &self.t.quant_factors.as_chunks().0[quant]
    }
}
