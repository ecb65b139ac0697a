//! An upper bound of what any policy can return in an episode; `src/envs/scheduling/bound.ts` has
//! the argument, and every sum here is in its order.

use crate::generated::scheduling::BACKLOG_MAX;

use super::fleet::{Fleet, Job, Tier};
use super::{Draws, Scheduling};

/// Halvings of the interval in which the price of work is sought.
const NUM_HALVINGS: u32 = 40;
/// Every reward is rounded to f32, which takes at most half an ulp from what it costs.
const ROUNDING: f64 = 1.0 - 1.0 / 8_388_608.0;

struct Arrived {
    job: Job,
    step: u32,
}

impl Scheduling {
    /// At least the return of any policy.
    pub fn return_bound(&self, seed: u64, episode: u32) -> f64 {
        let jobs = self.jobs_of_episode(seed, episode);
        let fleet = &self.fleet;
        let (mut low, mut high) = (0.0, steepest_rise(fleet));
        for _ in 0..NUM_HALVINGS {
            let third = (high - low) / 3.0;
            if least_cost(fleet, &jobs, low + third) < least_cost(fleet, &jobs, high - third) {
                low += third;
            } else {
                high -= third;
            }
        }
        0.0 - least_cost(fleet, &jobs, (low + high) / 2.0) * ROUNDING
    }

    fn jobs_of_episode(&self, seed: u64, episode: u32) -> Vec<Arrived> {
        let key = [seed as u32, (seed >> 32) as u32];
        let start = self.window_start(episode, key);
        let mut jobs = Vec::new();
        for step in 0..self.fleet.horizon {
            let draws = Draws {
                counter: [step, episode],
                key,
            };
            let tick = (start + step) as usize;
            self.arrive(&draws, tick, |job| jobs.push(Arrived { job, step }));
        }
        jobs
    }
}

/// The steepest rise of any server's power, mW a unit: no price above it makes sense.
fn steepest_rise(fleet: &Fleet) -> f64 {
    let mut steepest = 0.0;
    for tier in &fleet.tiers {
        for x in 0..tier.cpu {
            let power = fleet.tier_power(tier, x);
            let rise = fleet.tier_power(tier, x + 1) - power;
            steepest = greater(steepest, greater(rise, power));
        }
    }
    steepest
}

/// The least loss of any policy, by a price of mW a unit.
fn least_cost(fleet: &Fleet, jobs: &[Arrived], price: f64) -> f64 {
    let floors: Vec<f64> = fleet
        .tiers
        .iter()
        .map(|tier| power_floor(fleet, tier, price))
        .collect();
    let servers = fleet.server_tier.iter();
    let sum = servers.fold(0.0, |sum, &tier| sum + floors[tier as usize]);
    let mut cost = sum * f64::from(fleet.horizon) * fleet.reward_power;
    // A job can be dropped only where more have come than can wait.
    let may_drop = jobs.len() > BACKLOG_MAX + fleet.num_slots;
    for arrived in jobs {
        let job = least_job_cost(fleet, arrived, price);
        cost += if may_drop {
            lesser(job, fleet.reward_violation)
        } else {
            job
        };
    }
    cost
}

/// The least of P(x) - price x over what a server of this tier can be in.
fn power_floor(fleet: &Fleet, tier: &Tier, price: f64) -> f64 {
    let mut least = if fleet.sleep_aware {
        f64::from(tier.sleep_mw)
    } else {
        f64::INFINITY
    };
    for x in 0..=tier.cpu {
        least = lesser(least, fleet.tier_power(tier, x) - price * f64::from(x));
    }
    least
}

/// The cheapest number of violations, with the work that is then left within the episode.
fn least_job_cost(fleet: &Fleet, Arrived { job, step }: &Arrived, price: f64) -> f64 {
    let mut least = f64::INFINITY;
    let mut m = 0.0;
    loop {
        let latest = f64::from(*step) + f64::from(fleet.deadline) * (m + 1.0);
        let left = greater(0.0, f64::from(fleet.horizon) - latest);
        // A job releases what it used before the power of its last step is read.
        let steps = lesser(f64::from(job.duration) - 1.0, left);
        let work = price * f64::from(job.cpu) * steps * fleet.reward_power;
        least = lesser(least, work + m * fleet.reward_violation);
        if steps == 0.0 || (m + 1.0) * fleet.reward_violation >= least {
            return least;
        }
        m += 1.0;
    }
}

fn greater(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

fn lesser(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}
