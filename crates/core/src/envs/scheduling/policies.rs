//! The heuristics: masked policies that read the state of the cluster and nothing else. They never
//! take an infeasible decision, and wait where no visible job fits anywhere. Only `power_aware`
//! toggles servers. Scores are f64 that hold whole numbers exactly.

use super::cluster::Cluster;
use crate::generated::common::FIRST_HEURISTIC;
use crate::generated::scheduling::{heuristic, server_mode};

/// More than the room of any server, CPU and memory together.
const ROOM: f64 = 262_144.0;

/// More than any rise of a server's power, in mW.
const POWER: f64 = 67_108_864.0;

/// The decision of a policy of the core, or `None` where the family has no such policy.
pub fn decide(policy: u32, cluster: &Cluster) -> Option<usize> {
    let a = &cluster.a;
    let size = |k: usize| f64::from(a.slot_cpu[k]) + f64::from(a.slot_mem[k]);
    let room = |n: usize| f64::from(cluster.free_cpu(n)) + f64::from(cluster.free_mem(n));
    Some(match policy.wrapping_sub(FIRST_HEURISTIC) {
        heuristic::RR => round_robin(cluster),
        heuristic::SJF => best(cluster, |k, _| 0.0 - f64::from(a.slot_duration[k])),
        heuristic::FFD => best(cluster, |k, _| size(k)),
        heuristic::BEST_FIT => best(cluster, |k, n| 0.0 - k as f64 * ROOM - room(n)),
        heuristic::TETRIS => best(cluster, |k, n| {
            f64::from(a.slot_cpu[k]) * f64::from(cluster.free_cpu(n))
                + f64::from(a.slot_mem[k]) * f64::from(cluster.free_mem(n))
        }),
        heuristic::POWER_AWARE => power_aware(cluster),
        _ => return None,
    })
}

/// The placement with the greatest score; of equals the oldest job's, then the first server's. A
/// score that does not depend on the server is therefore first fit.
#[inline(always)]
fn best(cluster: &Cluster, score: impl Fn(usize, usize) -> f64) -> usize {
    let num_servers = cluster.fleet.num_servers;
    let mut decision = cluster.fleet.wait;
    let mut most = f64::NEG_INFINITY;
    for k in 0..cluster.c.num_visible as usize {
        for n in 0..num_servers {
            if !cluster.fits(k, n) {
                continue;
            }
            let value = score(k, n);
            if value > most {
                most = value;
                decision = k * num_servers + n;
            }
        }
    }
    decision
}

/// The oldest job alone, on the next server in turn that can take it.
fn round_robin(cluster: &Cluster) -> usize {
    let num_servers = cluster.fleet.num_servers;
    let last = cluster.c.last_server as usize;
    (1..=num_servers)
        .map(|i| (last + i) % num_servers)
        .find(|&n| cluster.fits(0, n))
        .unwrap_or(cluster.fleet.wait)
}

/// The largest job where power rises least. In the sleep-aware variant jobs near their deadline go
/// before it, the oldest first, an idle server counts with what it would save asleep, and where
/// nothing can be placed servers are woken or sent to sleep.
fn power_aware(cluster: &Cluster) -> usize {
    let (fleet, a) = (cluster.fleet, &cluster.a);
    let decision = best(cluster, |k, n| {
        let urgent = fleet.sleep_aware && is_urgent(cluster, k);
        let size = f64::from(a.slot_cpu[k]) + f64::from(a.slot_mem[k]);
        let cpu = a.server_cpu[n];
        let rise = f64::from(fleet.power(n, cpu + a.slot_cpu[k])) - f64::from(fleet.power(n, cpu));
        let is_idle = fleet.sleep_aware && a.server_event[n] == 0;
        let cost = rise + if is_idle { saving(cluster, n) } else { 0.0 };
        (if urgent { ROOM - k as f64 } else { size }) * POWER - cost
    });
    if decision != fleet.wait || !fleet.sleep_aware {
        decision
    } else if cluster.c.num_visible > 0 {
        wake(cluster)
    } else {
        sleep(cluster)
    }
}

/// Whether the job of slot k has waited two thirds of its deadline, and not yet all of it.
#[inline(always)]
fn is_urgent(cluster: &Cluster, k: usize) -> bool {
    let waited = cluster.waited(k);
    let deadline = cluster.fleet.deadline;
    waited <= deadline && 3 * waited >= 2 * deadline
}

/// The power that server n saves asleep, in mW.
#[inline(always)]
fn saving(cluster: &Cluster, n: usize) -> f64 {
    f64::from(cluster.fleet.servers[n].saving_mw as i32)
}

/// Wakes, of the servers that a visible job would fit on, the one of least power; as many as jobs
/// are visible may be waking at once.
fn wake(cluster: &Cluster) -> usize {
    let wait = cluster.fleet.wait;
    let mut num_waking = 0;
    let mut decision = wait;
    let mut least = f64::INFINITY;
    for n in 0..cluster.fleet.num_servers {
        let mode = cluster.a.server_mode[n];
        num_waking += u32::from(mode == server_mode::WAKING);
        if mode == server_mode::ASLEEP && could_take(cluster, n) && saving(cluster, n) < least {
            least = saving(cluster, n);
            decision = wait + 1 + n;
        }
    }
    if num_waking < cluster.c.num_visible {
        decision
    } else {
        wait
    }
}

/// Whether a visible job would fit on server n if it were awake and idle.
fn could_take(cluster: &Cluster, n: usize) -> bool {
    let (cpu, mem) = (cluster.free_cpu(n), cluster.free_mem(n));
    (0..cluster.c.num_visible as usize)
        .any(|k| cluster.a.slot_cpu[k] <= cpu && cluster.a.slot_mem[k] <= mem)
}

/// Sends the idle server that saves most to sleep; nothing waits.
fn sleep(cluster: &Cluster) -> usize {
    let wait = cluster.fleet.wait;
    let mut decision = wait;
    let mut most = 0.0;
    for n in 0..cluster.fleet.num_servers {
        let a = &cluster.a;
        let is_idle = a.server_mode[n] == server_mode::ACTIVE && a.server_event[n] == 0;
        if is_idle && saving(cluster, n) > most {
            most = saving(cluster, n);
            decision = wait + 1 + n;
        }
    }
    decision
}
