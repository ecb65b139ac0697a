//! The least power of a fleet by the CPU in use; as `src/envs/scheduling/fleet-power.ts`, every sum
//! in its order.

use super::fleet::Fleet;

/// Past the fleet's CPU the price rises by its steepest rise for every so many parts of it.
const OVERLOAD_PARTS: f64 = 50.0;

/// The fleet as one server: the convex pieces below the servers' power curves, cheapest first.
pub struct FleetPower {
    /// mW with nothing in use.
    base: f64,
    /// By rising slope, mW a unit.
    slopes: Vec<f64>,
    /// Units, and mW, of the pieces before.
    units: Vec<f64>,
    costs: Vec<f64>,
}

struct Piece {
    slope: f64,
    width: f64,
}

impl FleetPower {
    pub fn new(fleet: &Fleet) -> Self {
        let mut counts = vec![0_u32; fleet.tiers.len()];
        for &tier in &fleet.server_tier {
            counts[tier as usize] += 1;
        }
        let mut base = 0.0;
        let mut pieces = Vec::new();
        for (tier, &count) in fleet.tiers.iter().zip(&counts) {
            let mut power: Vec<f64> = (0..=tier.cpu).map(|x| fleet.tier_power(tier, x)).collect();
            if fleet.sleep_aware {
                let asleep = f64::from(tier.sleep_mw);
                if asleep < power[0] {
                    power[0] = asleep;
                }
            }
            let count = f64::from(count);
            base += count * power[0];
            pieces.extend(convex_pieces(&power).into_iter().map(|piece| Piece {
                slope: piece.slope,
                width: piece.width * count,
            }));
        }
        pieces.sort_by(|a, b| a.slope.total_cmp(&b.slope));
        let (mut units, mut costs) = (vec![0.0], vec![0.0]);
        for (i, Piece { slope, width }) in pieces.iter().enumerate() {
            units.push(units[i] + width);
            costs.push(costs[i] + slope * width);
        }
        Self {
            base,
            slopes: pieces.into_iter().map(|piece| piece.slope).collect(),
            units,
            costs,
        }
    }

    /// The least of P(x) - price x, in mW.
    pub fn floor(&self, price: f64) -> f64 {
        let i = count_below(&self.slopes, price);
        self.base + self.costs[i] - price * self.units[i]
    }

    /// The mW that a unit more would draw at a load; past the fleet's CPU ever more.
    pub fn price_at(&self, load: f64) -> f64 {
        let total = self.units[self.units.len() - 1];
        let steepest = self.slopes[self.slopes.len() - 1];
        if load >= total {
            return steepest * (1.0 + (OVERLOAD_PARTS * (load - total)) / total);
        }
        self.slopes[count_below(&self.units, load).saturating_sub(1)]
    }
}

/// The pieces of the greatest convex curve below the points (x, power[x]).
fn convex_pieces(power: &[f64]) -> Vec<Piece> {
    let slope = |a: usize, b: usize| (power[b] - power[a]) / (b as f64 - a as f64);
    let mut corners: Vec<usize> = Vec::new();
    for x in 0..power.len() {
        while let [.., a, b] = corners[..] {
            if slope(a, b) < slope(b, x) {
                break;
            }
            corners.pop();
        }
        corners.push(x);
    }
    let pieces = corners.windows(2).map(|ends| Piece {
        slope: slope(ends[0], ends[1]),
        width: (ends[1] - ends[0]) as f64,
    });
    pieces.collect()
}

/// How many of the rising values are below a value.
fn count_below(values: &[f64], value: f64) -> usize {
    values.partition_point(|&other| other < value)
}
