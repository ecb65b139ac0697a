//! The cluster: which job runs on which server, what that uses, and what power it draws.
//!
//! One job at most starts in a step, so the running table is indexed by start step: no job is
//! still there when its place comes round again. Behind those places are the places of the jobs
//! that ran already when the episode began. Each server chains its jobs by their ends; a
//! place in a chain is counted from 1, and 0 is none.

use super::fleet::{Fleet, Job, minus};
use crate::generated::scheduling::{Arrays, BACKLOG_MAX, server_mode, word};
use crate::store::Block;

/// The numbers of one environment's state, copied out of their rows for a step.
#[derive(Clone, Copy)]
pub struct Counts {
    pub step: u32,
    pub num_visible: u32,
    pub backlog_head: u32,
    pub num_backlog: u32,
    pub num_running: u32,
    pub last_server: u32,
    pub power_mw: u32,
    pub cpu_in_use: u32,
    pub last_arrivals: u32,
}

/// The word slots of `Counts`, in its order.
const SLOTS: [usize; 9] = [
    word::STEP,
    word::NUM_VISIBLE,
    word::BACKLOG_HEAD,
    word::NUM_BACKLOG,
    word::NUM_RUNNING,
    word::LAST_SERVER,
    word::POWER_MW,
    word::CPU_IN_USE,
    word::LAST_ARRIVALS,
];

impl Counts {
    #[inline(always)]
    pub fn load(block: &Block, lane: usize) -> Self {
        let [
            step,
            num_visible,
            backlog_head,
            num_backlog,
            num_running,
            last_server,
            power_mw,
            cpu_in_use,
            last_arrivals,
        ] = SLOTS.map(|slot| block.words[slot][lane]);
        Self {
            step,
            num_visible,
            backlog_head,
            num_backlog,
            num_running,
            last_server,
            power_mw,
            cpu_in_use,
            last_arrivals,
        }
    }

    #[inline(always)]
    pub fn store(&self, block: &mut Block, lane: usize) {
        let values = [
            self.step,
            self.num_visible,
            self.backlog_head,
            self.num_backlog,
            self.num_running,
            self.last_server,
            self.power_mw,
            self.cpu_in_use,
            self.last_arrivals,
        ];
        for (slot, value) in SLOTS.into_iter().zip(values) {
            block.words[slot][lane] = value;
        }
    }
}

/// One environment's state over the fleet of its program.
pub struct Cluster<'a> {
    pub fleet: &'a Fleet,
    pub c: Counts,
    pub a: Arrays<'a>,
}

impl Cluster<'_> {
    #[inline(always)]
    pub fn free_cpu(&self, n: usize) -> u32 {
        minus(self.fleet.servers[n].cpu, self.a.server_cpu[n])
    }

    #[inline(always)]
    pub fn free_mem(&self, n: usize) -> u32 {
        minus(self.fleet.servers[n].mem, self.a.server_mem[n])
    }

    /// Steps that the job of slot k has waited.
    #[inline(always)]
    pub fn waited(&self, k: usize) -> u32 {
        minus(self.c.step, self.a.slot_arrival[k])
    }

    /// Whether slot k holds a job that server n can take now.
    #[inline(always)]
    pub fn fits(&self, k: usize, n: usize) -> bool {
        (k as u32) < self.c.num_visible
            && self.a.server_mode[n] == server_mode::ACTIVE
            && self.a.slot_cpu[k] <= self.free_cpu(n)
            && self.a.slot_mem[k] <= self.free_mem(n)
    }

    /// Whether server n can be toggled now: it sleeps, or it is active and idle.
    #[inline(always)]
    pub fn can_toggle(&self, n: usize) -> bool {
        let mode = self.a.server_mode[n];
        mode == server_mode::ASLEEP || (mode == server_mode::ACTIVE && self.a.server_event[n] == 0)
    }

    /// Starts the job of slot k on server n, which can take it.
    #[inline(always)]
    pub fn place(&mut self, k: usize, n: usize) {
        let place = (self.c.step % self.fleet.start_slots) as usize;
        let job = Job {
            cpu: self.a.slot_cpu[k],
            mem: self.a.slot_mem[k],
            duration: self.a.slot_duration[k],
        };
        self.run(n, place, job);
        self.remove_slot(k);
    }

    /// Lets a job run that ran already when the episode began: on the next server in turn with
    /// room, as round-robin would have placed it. One that fits on none is left out. Returns the
    /// places of such jobs taken now.
    pub fn admit_running(&mut self, job: Job, taken: u32) -> u32 {
        if taken >= self.fleet.warm_slots {
            return taken;
        }
        let num_servers = self.fleet.num_servers;
        for i in 1..=num_servers {
            let n = (self.c.last_server as usize + i) % num_servers;
            if job.cpu <= self.free_cpu(n) && job.mem <= self.free_mem(n) {
                self.run(n, (self.fleet.start_slots + taken) as usize, job);
                return taken + 1;
            }
        }
        taken
    }

    /// A job runs on server n from now on, at a place of the running table.
    #[inline(always)]
    fn run(&mut self, n: usize, place: usize, job: Job) {
        self.a.run_end[place] = self.c.step + job.duration;
        self.a.run_cpu[place] = job.cpu;
        self.a.run_mem[place] = job.mem;
        self.chain(n, place);
        self.use_cpu(n, self.a.server_cpu[n] + job.cpu);
        self.a.server_mem[n] += job.mem;
        self.c.num_running = self.c.num_running.wrapping_add(1);
        self.c.last_server = n as u32;
    }

    /// Puts a place of the running table into its server's chain, behind the jobs not after it.
    #[inline(always)]
    fn chain(&mut self, n: usize, place: usize) {
        let a = &mut self.a;
        let mut before = 0;
        let mut next = a.server_head[n];
        for _ in 0..self.fleet.running_slots {
            if next == 0 || a.run_end[next as usize - 1] > a.run_end[place] {
                break;
            }
            before = next;
            next = a.run_next[next as usize - 1];
        }
        a.run_next[place] = next;
        if before == 0 {
            a.server_head[n] = place as u32 + 1;
        } else {
            a.run_next[before as usize - 1] = place as u32 + 1;
        }
        a.server_event[n] = a.run_end[a.server_head[n] as usize - 1];
    }

    /// Closes the gap of slot k with the jobs behind it, the oldest of the backlog included.
    #[inline(always)]
    fn remove_slot(&mut self, k: usize) {
        let a = &mut self.a;
        let last = self.c.num_visible as usize - 1;
        for i in k..last {
            a.slot_cpu[i] = a.slot_cpu[i + 1];
            a.slot_mem[i] = a.slot_mem[i + 1];
            a.slot_duration[i] = a.slot_duration[i + 1];
            a.slot_arrival[i] = a.slot_arrival[i + 1];
        }
        if self.c.num_backlog == 0 {
            a.slot_cpu[last] = 0;
            a.slot_mem[last] = 0;
            a.slot_duration[last] = 0;
            a.slot_arrival[last] = 0;
            self.c.num_visible -= 1;
            return;
        }
        let head = self.c.backlog_head as usize;
        a.slot_cpu[last] = a.backlog_cpu[head];
        a.slot_mem[last] = a.backlog_mem[head];
        a.slot_duration[last] = a.backlog_duration[head];
        a.slot_arrival[last] = a.backlog_arrival[head];
        self.c.backlog_head = (self.c.backlog_head + 1) % BACKLOG_MAX as u32;
        self.c.num_backlog -= 1;
    }

    /// Queues a job that arrives now; false where the backlog is full.
    #[inline(always)]
    pub fn enqueue(&mut self, job: Job) -> bool {
        let a = &mut self.a;
        if (self.c.num_visible as usize) < self.fleet.num_slots {
            let k = self.c.num_visible as usize;
            a.slot_cpu[k] = job.cpu;
            a.slot_mem[k] = job.mem;
            a.slot_duration[k] = job.duration;
            a.slot_arrival[k] = self.c.step;
            self.c.num_visible += 1;
            return true;
        }
        if self.c.num_backlog as usize >= BACKLOG_MAX {
            return false;
        }
        let at = (self.c.backlog_head + self.c.num_backlog) as usize % BACKLOG_MAX;
        a.backlog_cpu[at] = job.cpu;
        a.backlog_mem[at] = job.mem;
        a.backlog_duration[at] = job.duration;
        a.backlog_arrival[at] = self.c.step;
        self.c.num_backlog += 1;
        true
    }

    /// Sends server n to sleep or wakes it; it can be toggled.
    #[inline(always)]
    pub fn toggle(&mut self, n: usize) {
        let saving = self.fleet.servers[n].saving_mw;
        if self.a.server_mode[n] == server_mode::ASLEEP {
            self.a.server_mode[n] = server_mode::WAKING;
            self.a.server_event[n] = self.c.step + 1 + self.fleet.wake_delay;
            self.c.power_mw = self.c.power_mw.wrapping_add(saving);
        } else {
            self.a.server_mode[n] = server_mode::ASLEEP;
            self.c.power_mw = self.c.power_mw.wrapping_sub(saving);
        }
    }

    /// Ends the jobs of server n that are due at the step; returns how many.
    #[inline(always)]
    pub fn release(&mut self, n: usize) -> u32 {
        let a = &mut self.a;
        let mut completed = 0;
        let mut cpu = a.server_cpu[n];
        let mut head = a.server_head[n];
        while completed < self.fleet.running_slots && head != 0 {
            let place = head as usize - 1;
            if a.run_end[place] != self.c.step {
                break;
            }
            cpu = minus(cpu, a.run_cpu[place]);
            a.server_mem[n] = minus(a.server_mem[n], a.run_mem[place]);
            head = a.run_next[place];
            completed += 1;
        }
        a.server_head[n] = head;
        a.server_event[n] = if head == 0 {
            0
        } else {
            a.run_end[head as usize - 1]
        };
        self.use_cpu(n, cpu);
        self.c.num_running = minus(self.c.num_running, completed);
        completed
    }

    /// Sets the CPU in use of server n, and with it the fleet's CPU and power.
    #[inline(always)]
    fn use_cpu(&mut self, n: usize, cpu: u32) {
        let before = self.a.server_cpu[n];
        self.a.server_cpu[n] = cpu;
        self.c.cpu_in_use = self.c.cpu_in_use.wrapping_add(cpu).wrapping_sub(before);
        let change = self
            .fleet
            .power(n, cpu)
            .wrapping_sub(self.fleet.power(n, before));
        self.c.power_mw = self.c.power_mw.wrapping_add(change);
    }
}
