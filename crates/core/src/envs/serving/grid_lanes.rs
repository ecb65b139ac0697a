//! The kernel's way through the grid: `Serving::grid_metrics` for a group, in the same
//! order, with the metrics of a row side by side in a register and then transposed.

use std::ops::{Add, Mul, Sub};

use super::Serving;
use super::grid::{Axis, Grid};
use super::group::Configurations;
use crate::generated::serving::{GRID_METRICS, Scalars, Tables};
use crate::simd::{Float, GROUP_MAX, Isa, Pair, Word};

/// Where in the grid the configurations of a group lie: the row where the cell begins, the tier,
/// and how far into the cell along batch, KV and prompt.
pub(super) struct Place {
    base: [u32; GROUP_MAX],
    quant: [u32; GROUP_MAX],
    along: [[f32; GROUP_MAX]; 3],
}

/// Room for three tiers, and a power of two.
const FACTORS: usize = 4;

/// The kernel's data for a row of the grid: the row and the one at the next batch size side by
/// side, and what leads from both to the next prompt.
#[repr(align(64))]
struct Corner {
    rows: [f32; 2 * GRID_METRICS],
    rises: [f32; 2 * GRID_METRICS],
}

/// The grid as this kernel reads it. All distances count rows.
pub(super) struct Corners {
    /// To the planes of a speculation and of a tier, by their index; bits of words.
    spec: [f32; 16],
    quant: [f32; 16],
    /// Nodes of the KV and of the prompt axis.
    counts: [u32; 2],
    /// From a cell's corner to the next along KV.
    next: usize,
    /// The last row.
    last: u32,
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
            spec: bits_of(&t.spec_plane, plane),
            quant: bits_of(&t.quant_plane, tier),
            counts: [s.num_kv as u32, s.num_prompt as u32],
            next: kv,
            last: rows(t.grid.len()) - 1,
            corners: corners(&t.grid, batch, kv, prompt),
            factors: std::array::from_fn(|tier| {
                let (factors, _) = t.quant_factors.as_chunks();
                factors.get(tier).copied().unwrap_or_default()
            }),
        }
    }

    /// `Serving::interpolate` for two lanes, the metrics of both side by side in a pair.
    #[inline(always)]
    fn interpolate<I: Isa>(&self, place: &Place, lanes: [usize; 2]) -> I::Pair {
        let [first, second] = lanes;
        let along_batch = &place.along[0];
        let along_batch = I::Pair::splat_each([along_batch[first], along_batch[second]]);
        let factors = [
            self.factors_of(place, first),
            self.factors_of(place, second),
        ];
        let (first, second) = (self.ends::<I>(place, first), self.ends::<I>(place, second));
        let [low, high] = first.regroup(second);
        lerp_lanes(low, high, along_batch) * I::Pair::load_each(factors)
    }

    /// The metrics at both batch sizes between which a lane's lies.
    #[inline(always)]
    fn ends<I: Isa>(&self, place: &Place, lane: usize) -> I::Pair {
        let base = place.base[lane] as usize;
        // SAFETY: a place is within the rows, and there are `next` more corners.
        let near = unsafe { self.corners.get_unchecked(base) };
        // SAFETY: as above. In this order one offset serves both.
        let far = unsafe { self.corners.get_unchecked(self.next..).get_unchecked(base) };
        let [_, along_kv, along_prompt] = &place.along;
        let along_prompt = I::Pair::splat(along_prompt[lane]);
        let near = near.at::<I>(along_prompt);
        let far = far.at::<I>(along_prompt);
        lerp_lanes(near, far, I::Pair::splat(along_kv[lane]))
    }

    #[inline(always)]
    fn factors_of(&self, place: &Place, lane: usize) -> &[f32; GRID_METRICS] {
        &self.factors[place.quant[lane] as usize % FACTORS]
    }
}

impl Corner {
    /// Both rows at a prompt within the cell.
    #[inline(always)]
    fn at<I: Isa>(&self, along_prompt: I::Pair) -> I::Pair {
        I::Pair::load(&self.rows) + I::Pair::load(&self.rises) * along_prompt
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
        let spec = I::bits(I::lookup(&c.spec, config.spec_index));
        let plane = spec + I::bits(I::lookup(&c.quant, config.quant_tier));
        let cell = (batch.0.times(count(0)) + kv.0).times(count(1)) + prompt.0;
        let base = (plane + cell).least(I::U32::splat(c.last));
        let mut place = Place {
            base: [0; GROUP_MAX],
            quant: [0; GROUP_MAX],
            along: [[0.0; GROUP_MAX]; 3],
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
        I::columns_of_pairs(
            #[inline(always)]
            |lanes| self.corners.interpolate::<I>(place, lanes),
        )
    }
}

/// The cells of an axis that hold x, and how far into them.
#[inline(always)]
fn locate<I: Isa>(axis: &Axis, x: I::F32) -> (I::U32, I::F32) {
    let clamped = x.clip(I::F32::splat(axis.nodes[0]), I::F32::splat(axis.last));
    let cell = I::rank(clamped, axis.inner().as_flattened());
    let nodes = axis.nodes.first_chunk().expect("seventeen nodes");
    let along = (clamped - I::lookup(nodes, cell)) * I::lookup(&axis.inv, cell);
    (cell, along)
}

/// Numbers times a unit, by their bits.
fn bits_of(numbers: &[u32], unit: u32) -> [f32; 16] {
    std::array::from_fn(|i| f32::from_bits(numbers.get(i).map_or(0, |number| number * unit)))
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
