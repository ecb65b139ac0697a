/** Autoscaling in plain numbers, one step at a time: what the tests hold the library to. */

import { compileTask } from '../../src/api/registry.js';
import type { JsonObject } from '../../src/base/json.js';
import type { Rng } from '../../src/base/seeding.js';
import { parseSeed } from '../../src/base/seeding.js';
import type { CompiledTask, EpisodeStatistics } from '../../src/envs/family.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import '../../src/envs/autoscaling/node.js';

export const autoscaling = (name = 'medium', config: JsonObject = {}): CompiledTask =>
  compileTask(`autoscaling/${name}-v1`, config);

const PATTERNS: readonly JsonObject[] = [
  { kind: 'constant' },
  { kind: 'weekly', amplitude: 0.7, weekend_factor: 0.2, steps_per_day: 5 },
  { kind: 'trace', trace: 'nasa-http-1995-07' },
];

function randomTypes(rng: Rng, count: number): JsonObject[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `type ${i}`,
    capacity: i === 0 ? 1 : 1 + (rng.nextUint32() % 8),
    price: 4 * rng.nextFloat(),
  }));
}

/** A valid configuration; a plain one has instances of one type that serve at once. */
export function randomAutoscalingConfig(rng: Rng, isPlain: boolean): JsonObject {
  const below = (n: number) => rng.nextUint32() % n;
  const max_instances = 1 + below(24);
  return {
    max_steps: 1 + below(25),
    base_request_rate: 120 * rng.nextFloat(),
    request_rate_std: below(3) * 20 * rng.nextFloat(),
    request_pattern: max_instances > 12 ? PATTERNS[below(3)] : PATTERNS[below(2)],
    initial_resources: below(3) === 0 ? null : 1 + below(max_instances),
    initial_resources_spread: below(4),
    max_instances,
    max_delta: 1 + below(3),
    cold_start_steps: isPlain ? 0 : below(17),
    instance_types: randomTypes(rng, isPlain ? 1 : 1 + below(3)),
    cpu_per_request: 1 + 6 * rng.nextFloat(),
    utilization_limit: [95, 95, 1000][below(3)],
    resource_cost_weight: rng.nextFloat(),
    latency_sla: 1 + 40 * rng.nextFloat(),
    budget: below(2) === 0 ? null : 300 * rng.nextFloat(),
    normalize_observation: below(2) === 0,
    hpa: { target_utilization: 20 + below(80), stabilization_window_steps: 1 + below(8) },
    best_constant: 1 + below(20),
  };
}

/** The report of a step of environment 0. */
export interface Played {
  readonly metrics: Readonly<Record<string, number>>;
  readonly observation: Float32Array;
  readonly reward: number;
  readonly cost: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

/** Plays the first episode of a seed on the reference; `choose` writes the action row. */
export function playEpisode(
  task: CompiledTask,
  seed: number,
  choose: (step: number, row: Int32Array) => void,
): { initial: Float32Array; steps: Played[]; statistics: EpisodeStatistics } {
  const batch = createReferenceBatch(task.program, {
    numEnvs: 1,
    autoreset: 'disabled',
    threads: 1,
    metrics: true,
    kernel: 'scalar',
  });
  const { channels } = batch;
  const { buffer, byteOffset, length } = channels.actions;
  const row = new Int32Array(buffer, byteOffset, length);
  const steps: Played[] = [];
  batch.reset(parseSeed(seed), false);
  const initial = channels.observations.slice();
  for (let isOver = false; !isOver; ) {
    choose(steps.length, row);
    batch.step();
    const terminated = channels.terminated[0] === 1;
    const truncated = channels.truncated[0] === 1;
    isOver = terminated || truncated;
    steps.push({
      metrics: named(task.layout.metrics, channels.metrics),
      observation: channels.observations.slice(),
      reward: channels.rewards[0],
      cost: channels.costs[0],
      terminated,
      truncated,
    });
  }
  return { initial, steps, statistics: named(task.layout.statistics, channels.finalStatistics) };
}

function named(fields: readonly { name: string }[], row: ArrayLike<number>) {
  return Object.fromEntries(fields.map(({ name }, i) => [name, row[i]]));
}

/** An instance: its type, and the step from which it serves. */
interface Instance {
  readonly type: number;
  readonly from: number;
}

/** The service as a list of instances, and the origin's reward as its prose has it. */
export class Service {
  private instances: Instance[];
  private spent = 0;
  step = 0;

  constructor(
    private readonly config: JsonObject,
    initial: number,
  ) {
    this.instances = Array.from({ length: initial }, () => ({ type: 0, from: 0 }));
  }

  private number(name: string): number {
    return Number(this.config[name]);
  }

  private get types() {
    return this.config['instance_types'] as unknown as { capacity: number; price: number }[];
  }

  /** Changes the instances of a type by `change`, as far as that is allowed. */
  change(type: number, change: number): void {
    this.step += 1;
    for (let left = change; left > 0; left--) {
      if (this.instances.length >= this.number('max_instances')) break;
      this.instances.push({ type, from: this.step + this.number('cold_start_steps') });
    }
    for (let left = change; left < 0; left++) {
      const mine = this.instances.filter((instance) => instance.type === type);
      // The starting ones first, of them the newest: the one that would serve last.
      const newest = mine.reduce<Instance | null>(
        (last, instance) => (last === null || instance.from >= last.from ? instance : last),
        null,
      );
      if (newest === null || this.instances.length === 1) break;
      this.instances.splice(this.instances.lastIndexOf(newest), 1);
    }
  }

  count(type: number): number {
    return this.instances.filter((instance) => instance.type === type).length;
  }

  /** The expected view after a step with this request rate. */
  observe(rate: number) {
    const serving = this.instances.filter(({ from }) => from <= this.step);
    const units = serving.reduce((sum, { type }) => sum + this.types[type].capacity, 0);
    const latency = rate / Math.max(units, 1);
    const capacity = this.number('capacity');
    const cpu = ((latency * this.number('cpu_per_request')) / capacity) * 100;
    const memory = ((latency * this.number('memory_per_request')) / capacity) * 100;
    const price = this.instances.reduce((sum, { type }) => sum + this.types[type].price, 0);
    this.spent += price;
    const budget = this.config['budget'] as number | null;
    return {
      cpu,
      memory,
      latency,
      price,
      instances: this.instances.length,
      starting: this.instances.length - serving.length,
      overBudget: budget !== null && this.spent > budget + 1e-9,
      budgetLeft: budget === null ? 0 : budget - this.spent,
      reward: this.reward(cpu, memory, price),
    };
  }

  private reward(cpu: number, memory: number, price: number): number {
    const ranges = ['target_cpu_range', 'target_memory_range'].map(
      (name) => this.config[name] as unknown as [number, number],
    );
    const value = (u: number, [low, high]: [number, number]): number => {
      if (u < low) return -0.3 - (low - u) / 100;
      if (u > high) return -1 - (u - high) / 100;
      return 1 - Math.abs(u - (low + high) / 2) / ((high - low) / 2);
    };
    const inside = (u: number, [low, high]: [number, number]) => low <= u && u <= high;
    let raw = value(cpu, ranges[0]) + value(memory, ranges[1]);
    raw -= this.number('resource_cost_weight') * price;
    if (!(inside(cpu, ranges[0]) && inside(memory, ranges[1]))) raw -= 0.1;
    return Math.max(0, Math.min(1, (raw + 5) / 7));
  }
}
