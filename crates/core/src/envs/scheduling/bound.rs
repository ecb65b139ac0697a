//! An upper bound of what any policy can return in an episode; `src/envs/scheduling/bound.ts` has
//! the argument, and every sum here is in its order.

use crate::generated::scheduling::BACKLOG_MAX;

use super::fleet::{Fleet, Job};
use super::fleet_power::FleetPower;
use super::{Draws, Scheduling};

/// Rounds in which prices are adjusted to loads and loads to prices.
const NUM_ROUNDS: u32 = 30;
/// Every reward is rounded to f32, which takes at most half an ulp from what it costs.
const ROUNDING: f64 = 1.0 - 1.0 / 8_388_608.0;

struct Arrived {
    job: Job,
    step: u32,
}

/// A job that holds its CPU from the first step on.
struct Running {
    cpu: u32,
    duration: u32,
}

impl Scheduling {
    /// At least the return of any policy.
    pub fn return_bound(&self, seed: u64, episode: u32) -> f64 {
        let key = [seed as u32, (seed >> 32) as u32];
        let start = self.window_start(episode, key);
        let mut bound = DualBound::new(&self.fleet);
        bound.arrived = self.jobs_of_episode(start, episode, key);
        bound.running = self.running_at(start);
        0.0 - bound.least_cost() * ROUNDING
    }

    fn jobs_of_episode(&self, start: u32, episode: u32, key: [u32; 2]) -> Vec<Arrived> {
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

    /// The jobs that run when a window begins.
    fn running_at(&self, window_start: u32) -> Vec<Running> {
        let mut elements = vec![0; self.shape.arrays];
        let cluster = self.begin(&mut elements, window_start);
        let first = self.fleet.start_slots as usize;
        let places = first..first + cluster.c.num_running as usize;
        let jobs = places.map(|place| Running {
            cpu: cluster.a.run_cpu[place],
            duration: cluster.a.run_end[place],
        });
        jobs.collect()
    }
}

struct DualBound<'a> {
    fleet: &'a Fleet,
    power: FleetPower,
    arrived: Vec<Arrived>,
    running: Vec<Running>,
    /// By step mW a unit, and their sums before each step.
    prices: Vec<f64>,
    sums: Vec<f64>,
    /// By step units in use: the mean of the rounds, and of this round.
    load: Vec<f64>,
    chosen: Vec<f64>,
    /// The least cost of each job at the prices.
    job_costs: Vec<f64>,
}

impl<'a> DualBound<'a> {
    fn new(fleet: &'a Fleet) -> Self {
        let steps = fleet.horizon as usize;
        Self {
            fleet,
            power: FleetPower::new(fleet),
            arrived: Vec::new(),
            running: Vec::new(),
            prices: vec![0.0; steps],
            sums: vec![0.0; steps + 1],
            load: vec![0.0; steps],
            chosen: vec![0.0; steps],
            job_costs: Vec::new(),
        }
    }

    /// The least that any policy loses.
    fn least_cost(&mut self) -> f64 {
        let mut most = f64::NEG_INFINITY;
        let mut job_costs = Vec::new();
        for round in 0..NUM_ROUNDS {
            let cost = self.cost_at_prices();
            if cost > most {
                most = cost;
                job_costs.clone_from(&self.job_costs);
            }
            let share = 2.0 / (f64::from(round) + 2.0);
            for t in 0..self.prices.len() {
                self.load[t] += share * (self.chosen[t] - self.load[t]);
                self.prices[t] = self.power.price_at(self.load[t]);
            }
        }
        most - self.saved_by_drops(&job_costs)
    }

    /// The bound by the prices as they are; notes the loads of the starts that jobs choose.
    fn cost_at_prices(&mut self) -> f64 {
        let mut power = 0.0;
        for t in 0..self.prices.len() {
            power += self.power.floor(self.prices[t]);
            self.sums[t + 1] = self.sums[t] + self.prices[t];
        }
        self.chosen.fill(0.0);
        for &Running { cpu, duration } in &self.running {
            let end = occupy(&mut self.chosen, 0, cpu, duration);
            power += f64::from(cpu) * self.sums[end];
        }
        let mut cost = power * self.fleet.reward_power;
        self.job_costs.clear();
        for arrived in &self.arrived {
            let (least, start) = cheapest_start(self.fleet, &self.sums, arrived);
            occupy(
                &mut self.chosen,
                start,
                arrived.job.cpu,
                arrived.job.duration,
            );
            self.job_costs.push(least);
            cost += least;
        }
        for t in 1..self.chosen.len() {
            self.chosen[t] += self.chosen[t - 1];
        }
        cost
    }

    /// The most that dropping jobs could save.
    fn saved_by_drops(&self, job_costs: &[f64]) -> f64 {
        let violation = self.fleet.reward_violation;
        let full = BACKLOG_MAX + self.fleet.num_slots;
        let droppable = job_costs.get(full..).unwrap_or(&[]);
        let savings = droppable.iter().map(|cost| positive(cost - violation));
        let saved = savings.fold(0.0, |sum, saving| sum + saving);
        if saved == 0.0 {
            return 0.0;
        }
        let mut sorted = job_costs.to_vec();
        sorted.sort_by(f64::total_cmp);
        let dearest = &sorted[sorted.len() - full..];
        let counted = dearest.iter().fold(0.0, |sum, cost| sum + cost);
        let mut least = f64::INFINITY;
        for i in full..self.arrived.len() {
            let now = self.arrived[i].step;
            let waiting = self.arrived[i - full..i].iter();
            let passed = waiting.map(|job| (now - job.step) / self.fleet.deadline);
            let paid = f64::from(passed.sum::<u32>()) * violation - counted;
            let paid = positive(paid);
            if paid < least {
                least = paid;
            }
        }
        positive(saved - least)
    }
}

/// Notes that a job runs from a step on, as a change of load; returns the step it is gone at.
fn occupy(chosen: &mut [f64], start: usize, cpu: u32, duration: u32) -> usize {
    let horizon = chosen.len();
    // A job releases what it used before the power of its last step is read.
    let end = (start + duration as usize - 1).min(horizon);
    if start < horizon {
        chosen[start] += f64::from(cpu);
        if end < horizon {
            chosen[end] -= f64::from(cpu);
        }
    }
    end
}

/// The cheapest start of a job, its violations included: what it costs, and when it is.
fn cheapest_start(fleet: &Fleet, sums: &[f64], Arrived { job, step }: &Arrived) -> (f64, usize) {
    let horizon = fleet.horizon as usize;
    let unit = f64::from(job.cpu) * fleet.reward_power;
    let mut least = f64::INFINITY;
    let mut best = horizon;
    // To start at the end is not to start at all.
    let mut c = *step as usize + 1;
    let mut m = 0.0;
    while c <= horizon {
        let penalty = m * fleet.reward_violation;
        if penalty >= least {
            break;
        }
        let next = (c + fleet.deadline as usize).min(horizon + 1);
        for start in c..next {
            let end = (start + job.duration as usize - 1).min(horizon);
            let cost = penalty + unit * (sums[end] - sums[start]);
            if cost < least {
                least = cost;
                best = start;
            }
        }
        c = next;
        m += 1.0;
    }
    (least, best)
}

/// The value where it is above 0, else 0.
fn positive(value: f64) -> f64 {
    if value > 0.0 { value } else { 0.0 }
}
