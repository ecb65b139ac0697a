//! The policies of autoscaling that run in the core; `src/reference/autoscaling/policies.ts` is
//! their specification.

use super::{Autoscaling, instances};
use crate::generated::autoscaling::{heuristic, real, word};
use crate::generated::common::FIRST_HEURISTIC;
use crate::store::Block;

impl Autoscaling {
    /// Writes the action of policy number `FIRST_HEURISTIC` + index; other numbers do nothing.
    pub(super) fn act_heuristic(&self, policy: u32, block: &mut Block, lane: usize) {
        let change = match policy.wrapping_sub(FIRST_HEURISTIC) {
            heuristic::THRESHOLD => {
                let cpu = self.cpu_of(block, lane, self.units(block, lane, true));
                let up = if cpu > self.s.threshold_up { 1.0 } else { 0.0 };
                let down = if cpu < self.s.threshold_down {
                    1.0
                } else {
                    0.0
                };
                up - down
            }
            heuristic::HPA => self.scale(block, lane),
            heuristic::KEEP => 0.0,
            heuristic::BEST_CONSTANT => self.s.best_constant - f64::from(instances(block, lane)),
            _ => return,
        };
        let most = self.s.max_delta;
        let width = self.shape.action_dim;
        let row = &mut block.actions[lane * width..(lane + 1) * width];
        row[0] = 0;
        row[width - 1] = (clip(change, -most, most) + most) as u32;
    }

    /// CPU utilisation in percent, as observed.
    fn cpu_of(&self, block: &Block, lane: usize, serving: f64) -> f64 {
        let rate = block.reals[real::REQUEST_RATE][lane];
        f64::from(((rate / serving) * self.s.cpu_factor) as f32)
    }

    /// The HPA's change of replicas: Kubernetes' rule, then its stabilisation window.
    fn scale(&self, block: &mut Block, lane: usize) -> f64 {
        let s = &self.s;
        let replicas = self.units(block, lane, false);
        let serving = self.units(block, lane, true);
        let usage = self.cpu_of(block, lane, serving) / s.hpa_target;
        let counts_idle = usage > 1.0 && serving < replicas;
        let counted = if counts_idle { replicas } else { serving };
        let ratio = if counts_idle {
            (usage * serving) / replicas
        } else {
            usage
        };
        let distance = if ratio > 1.0 {
            ratio - 1.0
        } else {
            1.0 - ratio
        };
        let keeps = distance <= s.hpa_tolerance || (counts_idle && ratio < 1.0);
        let desired = if keeps {
            replicas
        } else {
            (ratio * counted).ceil()
        };
        let desired = clip(desired, s.hpa_min_replicas, s.hpa_max_replicas);
        let highest = self.recommend(block, lane, desired as u32);
        if replicas < desired {
            desired - replicas
        } else if replicas > highest {
            highest - replicas
        } else {
            0.0
        }
    }

    /// Remembers a recommendation; the highest one of the stabilisation window.
    fn recommend(&self, block: &mut Block, lane: usize, desired: u32) -> f64 {
        let lo = &mut block.words[word::RECOMMENDED_LO][lane];
        let oldest = *lo >> 24;
        *lo = (*lo << 8) | desired;
        let lo = *lo;
        let hi = &mut block.words[word::RECOMMENDED_HI][lane];
        *hi = (*hi << 8) | oldest;
        let past = lo.to_le_bytes().into_iter().chain(hi.to_le_bytes());
        let window = past.take(self.s.hpa_window_steps as usize);
        f64::from(window.max().unwrap_or(0))
    }
}

/// x clipped to low..=high; what is not above low reads low.
fn clip(x: f64, low: f64, high: f64) -> f64 {
    let above = if x > low { x } else { low };
    if above < high { above } else { high }
}
