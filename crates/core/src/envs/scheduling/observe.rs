//! The view of an environment: its observation row and its mask.

use super::cluster::Cluster;
use super::fleet::minus;
use crate::generated::scheduling::{
    ARRIVALS_SCALE, BACKLOG_MAX, fleet_field, server_field, server_mode, slot_field,
};

/// Most servers of a fleet, and of one whose room fits a few registers.
const SERVERS_MAX: usize = 256;
const SERVERS_FEW: usize = 16;

/// The observation row, servers then slots then fleet. Quotients of numbers that f32 holds
/// exactly are divided in f32: rounding the f64 quotient would give the same.
#[inline(always)]
pub fn observe(cluster: &Cluster, row: &mut [f32]) {
    let (c, a, fleet) = (&cluster.c, &cluster.a, cluster.fleet);
    let (servers, rest) = row.split_at_mut(fleet.num_servers * server_field::COUNT);
    for (n, out) in servers.chunks_exact_mut(server_field::COUNT).enumerate() {
        let server = &fleet.servers[n];
        let mode = a.server_mode[n];
        let flag = |wanted: u32| if mode == wanted { 1.0 } else { 0.0 };
        out[server_field::CPU_USED] = a.server_cpu[n] as f32 / server.cpu as f32;
        out[server_field::MEM_USED] = a.server_mem[n] as f32 / server.mem as f32;
        out[server_field::CAPACITY] = server.share;
        out[server_field::ACTIVE] = flag(server_mode::ACTIVE);
        out[server_field::WAKING] = flag(server_mode::WAKING);
        out[server_field::ASLEEP] = flag(server_mode::ASLEEP);
        let left = minus(a.server_event[n], c.step);
        out[server_field::NEXT_EVENT] = (f64::from(left) / 100.0) as f32;
    }
    let (slots, globals) = rest.split_at_mut(fleet.num_slots * slot_field::COUNT);
    for (k, out) in slots.chunks_exact_mut(slot_field::COUNT).enumerate() {
        if k as u32 >= c.num_visible {
            out.fill(0.0);
            continue;
        }
        out[slot_field::PRESENT] = 1.0;
        out[slot_field::CPU] = a.slot_cpu[k] as f32 / 100.0;
        out[slot_field::MEM] = a.slot_mem[k] as f32 / 100.0;
        out[slot_field::DURATION] = a.slot_duration[k] as f32 / 100.0;
        out[slot_field::WAIT] = cluster.waited(k) as f32 / fleet.deadline as f32;
    }
    let ratio = |x: u32, y: f64| (f64::from(x) / y) as f32;
    globals[fleet_field::BACKLOG] = ratio(c.num_backlog, BACKLOG_MAX as f64);
    globals[fleet_field::POWER] = ratio(c.power_mw, fleet.fleet_power_mw);
    globals[fleet_field::ARRIVALS] = ratio(c.last_arrivals, ARRIVALS_SCALE as f64);
    globals[fleet_field::ELAPSED] = ratio(c.step, f64::from(fleet.horizon));
}

/// The mask of what is feasible now.
#[inline(always)]
pub fn write_mask(cluster: &Cluster, mask: &mut [u8]) {
    if cluster.fleet.num_servers <= SERVERS_FEW {
        write_mask_within::<SERVERS_FEW>(cluster, mask);
    } else {
        write_mask_within::<SERVERS_MAX>(cluster, mask);
    }
}

/// As `write_mask` for at most `MAX` servers. One that takes no job has less than no room.
#[inline(always)]
fn write_mask_within<const MAX: usize>(cluster: &Cluster, mask: &mut [u8]) {
    let fleet = cluster.fleet;
    let num_servers = fleet.num_servers;
    let mut free_cpu = [-1_i32; MAX];
    let mut free_mem = [-1_i32; MAX];
    for n in 0..num_servers {
        if cluster.a.server_mode[n] == server_mode::ACTIVE {
            free_cpu[n] = cluster.free_cpu(n) as i32;
            free_mem[n] = cluster.free_mem(n) as i32;
        }
    }
    let (placements, rest) = mask.split_at_mut(fleet.wait);
    for (k, row) in placements.chunks_exact_mut(num_servers).enumerate() {
        if k as u32 >= cluster.c.num_visible {
            row.fill(0);
            continue;
        }
        let (cpu, mem) = (cluster.a.slot_cpu[k] as i32, cluster.a.slot_mem[k] as i32);
        for (out, (&c, &m)) in row.iter_mut().zip(free_cpu.iter().zip(&free_mem)) {
            *out = u8::from(cpu <= c) & u8::from(mem <= m);
        }
    }
    rest[0] = 1;
    for (n, out) in rest[1..].iter_mut().enumerate() {
        *out = u8::from(cluster.can_toggle(n));
    }
}
