/** Scheduling for tests: random configurations, and the cluster as a plain list of things. */

import { compileTask } from '../../src/api/registry.js';
import { TaskVectorEnv } from '../../src/api/task-vector-env.js';
import { referenceBackend } from '../../src/backends/reference.js';
import type { JsonObject } from '../../src/base/json.js';
import type { Rng } from '../../src/base/seeding.js';
import type { SchedulingConfig } from '../../src/compile/scheduling/scheduling.js';
import type { CompiledTask } from '../../src/envs/family.js';
import { readConfig } from '../../src/envs/scheduling/config.js';
import { schedulingEpisodeJobs } from '../../src/envs/scheduling/family.js';

export const scheduling = (name: string, config: JsonObject = {}): CompiledTask =>
  compileTask(`scheduling/${name}-v2`, config);

/** A small valid configuration, edges included. */
export function randomSchedulingConfig(rng: Rng): JsonObject {
  const pick = <T>(values: readonly T[]): T => values[rng.nextUint32() % values.length]!;
  const isAlike = pick([false, true]);
  const sleeps = pick([false, true]);
  return {
    n_servers: pick([1, 2, 7, 15, 16, 33]),
    cluster_type: isAlike ? 'homogeneous' : 'heterogeneous',
    ...(!isAlike && { fleet_seed: rng.nextUint32() }),
    power_alpha: pick([1, 1.4, 2]),
    num_slots: pick([1, 2, 5, 16]),
    episode_length: pick([1, 12, 29]),
    sla_deadline_steps: pick([1, 3, 30]),
    sleep_aware: sleeps,
    ...(sleeps && {
      sleep_standby_factor: pick([0, 0.05, 1]),
      server_wakeup_delay: pick([0, 1, 4]),
      toggle_penalty: pick([0, 0.2]),
    }),
    alpha: pick([0, 5]),
    max_arrivals_per_step: pick([1, 10]),
    violation_scale: pick([1, 10]),
    workload: pick(['poisson', 'poisson_diurnal']),
    arrival_rate: pick([0, 0.5, 1]),
    job_cpu: pick([
      [1, 1],
      [5, 60],
    ]),
    job_mem: pick([
      [1, 1],
      [5, 60],
    ]),
    job_duration_mean_steps: pick([1, 4, 58]),
    job_duration_max_steps: pick([1, 2, 300]),
  };
}

/** A reference batch with infos, reset to a seed. */
export function referenceEnv(task: CompiledTask, seed = 0, numEnvs = 1): TaskVectorEnv {
  const env = new TaskVectorEnv(task, referenceBackend, { numEnvs, seed, infos: true });
  env.reset();
  return env;
}

interface ModelJob {
  readonly cpu: number;
  readonly mem: number;
  readonly duration: number;
  readonly arrival: number;
  violations: number;
}

interface ModelServer {
  readonly tier: SchedulingConfig['fleet']['tiers'][number];
  mode: 'active' | 'waking' | 'asleep';
  awakeAt: number;
  running: { job: ModelJob; end: number }[];
}

const total = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0);

/**
 * The cluster as the page describes it, without a thought for speed: lists of jobs, every wait
 * looked at in every step, every watt computed anew.
 */
export class ModelCluster {
  readonly servers: ModelServer[];
  readonly queue: ModelJob[] = [];
  readonly counts = {
    ...{ running: 0, arrived: 0, completed: 0, dropped: 0 },
    ...{ violations: 0, toggles: 0, invalid: 0 },
  };
  clock = 0;
  energyMw = 0;
  private readonly config: SchedulingConfig;
  /** Waits of jobs that were placed. */
  readonly waits: number[] = [];
  private readonly jobs: ReturnType<typeof schedulingEpisodeJobs>['arrived'];

  constructor(task: CompiledTask, seed: number) {
    this.config = readConfig(task.spec, task.config).config;
    const { arrived, running } = schedulingEpisodeJobs(task, { lo: seed, hi: 0 });
    this.jobs = arrived;
    const { tiers, servers } = this.config.fleet;
    this.servers = servers.map((i) => {
      return { tier: tiers[i]!, mode: 'active', awakeAt: 0, running: [] };
    });
    this.begin(running);
  }

  /** Jobs that run already, each on the next server in turn that has room. */
  private begin(running: readonly Omit<ModelJob, 'arrival' | 'violations'>[]): void {
    let turn = 0;
    for (const job of running) {
      const order = [...this.servers.slice(turn), ...this.servers.slice(0, turn)];
      const server = order.find((one) => {
        const { cpu, mem } = this.used(one);
        return cpu + job.cpu <= one.tier.cpu && mem + job.mem <= one.tier.mem;
      });
      if (server === undefined) continue;
      server.running.push({ job: { ...job, arrival: 0, violations: 0 }, end: job.duration });
      this.counts.running += 1;
      turn = (this.servers.indexOf(server) + 1) % this.servers.length;
    }
  }

  used(server: ModelServer): { cpu: number; mem: number } {
    const jobs = server.running.map(({ job }) => job);
    return { cpu: total(jobs.map(({ cpu }) => cpu)), mem: total(jobs.map(({ mem }) => mem)) };
  }

  canPlace(k: number, n: number): boolean {
    const job = this.queue[k];
    const server = this.servers[n]!;
    const { cpu, mem } = this.used(server);
    if (job === undefined || server.mode !== 'active') return false;
    return cpu + job.cpu <= server.tier.cpu && mem + job.mem <= server.tier.mem;
  }

  canToggle(n: number): boolean {
    const { mode, running } = this.servers[n]!;
    return mode === 'asleep' || (mode === 'active' && running.length === 0);
  }

  /** 1 where a decision is feasible now. */
  mask(): number[] {
    const { numSlots, sleepAware } = this.config;
    const slots = Array.from({ length: numSlots }, (_, k) =>
      this.servers.map((_, n) => Number(this.canPlace(k, n))),
    );
    const toggles = sleepAware ? this.servers.map((_, n) => Number(this.canToggle(n))) : [];
    return [...slots.flat(), 1, ...toggles];
  }

  /** One step; returns its reward and its violations. */
  step(decision: number): { reward: number; violations: number } {
    const { alpha, beta, togglePenalty, violationScale, deadlineSteps } = this.config;
    const toggled = this.apply(decision);
    let violations = this.arrive();
    this.clock += 1;
    for (const server of this.servers) this.advance(server);
    for (const job of this.queue) {
      const wait = this.clock - job.arrival;
      if (wait <= deadlineSteps || (wait - 1) % deadlineSteps !== 0) continue;
      job.violations += 1;
      violations += 1;
    }
    const power = total(this.servers.map((server) => this.powerMw(server)));
    const most = total(this.servers.map(({ tier }) => Math.round(1000 * tier.pMaxWatts)));
    this.energyMw += power;
    this.counts.violations += violations;
    const penalty = (beta * violations) / violationScale + (toggled ? togglePenalty : 0);
    return { reward: (-alpha * power) / most - penalty, violations };
  }

  powerMw({ tier, mode, running }: ModelServer): number {
    if (mode === 'asleep') return Math.round(1000 * tier.pIdleWatts * this.config.standbyFactor);
    const load = total(running.map(({ job }) => job.cpu)) / tier.cpu;
    const rise = (tier.pMaxWatts - tier.pIdleWatts) * load ** this.config.powerAlpha;
    return Math.round(1000 * (tier.pIdleWatts + rise));
  }

  private apply(decision: number): boolean {
    const wait = this.config.numSlots * this.servers.length;
    if (decision === wait) return false;
    if (decision < 0 || decision > wait + (this.config.sleepAware ? this.servers.length : 0)) {
      this.counts.invalid += 1;
      return false;
    }
    const n = decision < wait ? decision % this.servers.length : decision - wait - 1;
    const k = Math.floor(decision / this.servers.length);
    if (!(decision < wait ? this.canPlace(k, n) : this.canToggle(n))) {
      this.counts.invalid += 1;
      return false;
    }
    const server = this.servers[n]!;
    if (decision < wait) {
      const [job] = this.queue.splice(k, 1);
      server.running.push({ job: job!, end: this.clock + job!.duration });
      this.waits.push(this.clock - job!.arrival);
      return false;
    }
    this.counts.toggles += 1;
    server.awakeAt = this.clock + 1 + this.config.wakeDelaySteps;
    server.mode = server.mode === 'asleep' ? 'waking' : 'asleep';
    return true;
  }

  /** The jobs of this tick; returns how many find no room. */
  private arrive(): number {
    let dropped = 0;
    for (const job of this.jobs.filter(({ arrival }) => arrival === this.clock)) {
      this.counts.arrived += 1;
      if (this.queue.length < this.config.numSlots + 512)
        this.queue.push({ ...job, violations: 0 });
      else dropped += 1;
    }
    this.counts.dropped += dropped;
    return dropped;
  }

  private advance(server: ModelServer): void {
    const left = server.running.filter(({ end }) => end > this.clock);
    this.counts.completed += server.running.length - left.length;
    server.running = left;
    if (server.mode === 'waking' && server.awakeAt <= this.clock) server.mode = 'active';
  }
}
