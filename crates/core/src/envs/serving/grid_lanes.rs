//! The blocked kernel's way through the grid: `Serving::grid_metrics` for a group, in the same
//! order, with the metrics of a row side by side in a register and then transposed.

use std::ops::{Add, Mul, Sub};

use super::Serving;
use super::grid::{Axis, Grid};
use super::group::Configurations;
use crate::generated::serving::{GRID_METRICS, Scalars, Tables};
use crate::simd::{Float, GROUP, Isa, Wide, Word};

/// Where in the grid the configurations of a group lie: the row where the cell begins, the tier,
/// and how far into the cell along batch, KV and prompt.
pub(super) struct Place {
    base: [u32; GROUP],
    quant: [u32; GROUP],
    along: [[f32; GROUP]; 3],
}

/// Room for three tiers, and a power of two.
const FACTORS: usize = 4;

/// What the kernel reads at a row of the grid: the row and the one at the next batch size side by
/// side, and what leads from both to the next prompt.
#[repr(align(64))]
struct Corner {
    rows: [f32; 2 * GRID_METRICS],
    rises: [f32; 2 * GRID_METRICS],
}

/// The grid as this kernel reads it. All distances count rows.
pub(super) struct Corners {
    /// To the planes of a speculation and of a tier, by their index.
    spec: Vec<u32>,
    quant: Vec<u32>,
    /// Nodes of the KV and of the prompt axis.
    counts: [u32; 2],
    /// From a cell's corner to the next along KV.
    next: usize,
    rows: usize,
    /// A corner for every row, and `next` more.
    corners: Vec<Corner>,
    /// By tier.
    factors: [[f32; GRID_METRICS]; FACTORS],
}

impl Corners {
    pub fn new(s: &Scalars, t: &Tables, grid: &Grid) -> Self {
        let rows = |elements: usize| (elements / GRID_METRICS) as u32;
        let plane = rows(grid.plane);
        let tier = s.num_spec as u32 * plane;
        let [batch, kv, prompt] = grid.corner.map(|elements| rows(elements) as usize);
        Self {
            spec: t.spec_plane.iter().map(|&spec| spec * plane).collect(),
            quant: t.quant_plane.iter().map(|&quant| quant * tier).collect(),
            counts: [s.num_kv as u32, s.num_prompt as u32],
            next: kv,
            rows: t.grid.len() / GRID_METRICS,
            corners: corners(&t.grid, batch, kv, prompt),
            factors: std::array::from_fn(|tier| {
                let (factors, _) = t.quant_factors.as_chunks();
                factors.get(tier).copied().unwrap_or_default()
            }),
        }
    }

    /// `Serving::interpolate` for a lane, the metrics of a row side by side in a register.
    #[inline(always)]
    fn interpolate<I: Isa>(&self, place: &Place, lane: usize) -> I::F32 {
        let base = place.base[lane] as usize;
        assert!(base < self.rows);
        // SAFETY: there are `next` more corners than rows.
        let near = unsafe { self.corners.get_unchecked(base) };
        // SAFETY: as above.
        let far = unsafe { self.corners.get_unchecked(base + self.next) };
        let factors = &self.factors[place.quant[lane] as usize % FACTORS];
        // After the check, for the compiler joins a load and its broadcast only within a block.
        let [along_batch, along_kv, along_prompt] = &place.along;
        let along_prompt = I::F32x16::splat(along_prompt[lane]);
        let along_kv = I::F32x16::splat(along_kv[lane]);
        let near = near.at::<I>(along_prompt);
        let far = far.at::<I>(along_prompt);
        let (low, high) = lerp_lanes(near, far, along_kv).halves();
        let row = lerp_lanes(low, high, I::F32::splat(along_batch[lane]));
        row * I::F32::load(factors)
    }
}

impl Corner {
    /// Both rows at a prompt within the cell.
    #[inline(always)]
    fn at<I: Isa>(&self, along_prompt: I::F32x16) -> I::F32x16 {
        I::F32x16::load(&self.rows) + I::F32x16::load(&self.rises) * along_prompt
    }
}

impl Serving {
    /// Where configurations lie in the grid.
    #[inline(always)]
    pub(super) fn locate_group<I: Isa>(
        &self,
        config: &Configurations<I>,
        prompt_len: I::F32,
    ) -> Place {
        let (g, c) = (&self.grid, &self.corners);
        let batch = locate::<I>(&g.batch, config.batch_size);
        let kv = locate::<I>(&g.kv, config.kv_budget);
        let prompt = locate::<I>(&g.prompt, prompt_len);
        let count = |axis: usize| I::U32::splat(c.counts[axis]);
        let plane = I::gather(&c.spec, config.spec_index) + I::gather(&c.quant, config.quant_tier);
        let cell = (batch.0.times(count(0)) + kv.0).times(count(1)) + prompt.0;
        let base = plane + cell;
        let mut place = Place {
            base: [0; GROUP],
            quant: [0; GROUP],
            along: [[0.0; GROUP]; 3],
        };
        base.store(&mut place.base);
        config.quant_tier.store(&mut place.quant);
        for (to, from) in place.along.iter_mut().zip([batch.1, kv.1, prompt.1]) {
            from.store(to);
        }
        place
    }

    /// The grid's rows at places, one metric per element, quantisation applied.
    #[inline(always)]
    pub(super) fn grid_group<I: Isa>(&self, place: &Place) -> [I::F32; GRID_METRICS] {
        let mut rows = [I::F32::splat(0.0); GROUP];
        for lane in 0..GROUP {
            rows[lane] = self.corners.interpolate::<I>(place, lane);
        }
        I::transpose(rows)
    }
}

/// The cells of an axis that hold x, and how far into them.
#[inline(always)]
fn locate<I: Isa>(axis: &Axis, x: I::F32) -> (I::U32, I::F32) {
    let clamped = x.clip(I::F32::splat(axis.nodes[0]), I::F32::splat(axis.last));
    let mut cell = I::U32::splat(0);
    for nodes in axis.inner() {
        for &node in nodes {
            cell = I::count_at_least(cell, clamped, I::F32::splat(node));
        }
    }
    let nodes = axis.nodes.first_chunk().expect("seventeen nodes");
    let along = (clamped - I::lookup(nodes, cell)) * I::lookup(&axis.inv, cell);
    (cell, along)
}

/// The corner at every row, and `kv` more of zeros; `batch`, `kv` and `prompt` lead to the next row
/// along them. Beyond the grid, where no cell reaches, all is 0.
fn corners(grid: &[f32], batch: usize, kv: usize, prompt: usize) -> Vec<Corner> {
    let (rows, _) = grid.as_chunks::<GRID_METRICS>();
    let row = |at: usize| rows.get(at).copied().unwrap_or([0.0; GRID_METRICS]);
    let corner = |at: usize| {
        let ends = [row(at), row(at + batch)].concat();
        let far = [row(at + prompt), row(at + batch + prompt)].concat();
        Corner {
            rows: std::array::from_fn(|i| ends[i]),
            rises: std::array::from_fn(|i| far[i] - ends[i]),
        }
    };
    (0..rows.len() + kv).map(corner).collect()
}

#[inline(always)]
fn lerp_lanes<T>(a: T, b: T, t: T) -> T
where
    T: Copy + Add<Output = T> + Sub<Output = T> + Mul<Output = T>,
{
    a + (b - a) * t
}
