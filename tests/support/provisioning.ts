/** Provisioning in plain numbers, one step at a time: what the tests hold the library to. */

import { compileTask } from '../../src/api/registry.js';
import type { JsonObject } from '../../src/base/json.js';
import type { Rng } from '../../src/base/seeding.js';
import { parseSeed } from '../../src/base/seeding.js';
import type { ProvisioningConfig } from '../../src/compile/provisioning/provisioning.js';
import type { CompiledTask, EpisodeStatistics } from '../../src/envs/family.js';
import { provisioningLayout } from '../../src/generated/provisioning.js';
import { createReferenceBatch } from '../../src/reference/families.js';

export const provisioning = (name = 'easy', config: JsonObject = {}): CompiledTask =>
  compileTask(`provisioning/${name}-v1`, config);

/** A valid configuration with numbers at and between their bounds. */
export function randomProvisioningConfig(rng: Rng): JsonObject {
  const below = (n: number) => rng.nextUint32() % n;
  const max_gpus = 1 + below(100);
  return {
    max_steps: 1 + below(25),
    boot_delay: below(9),
    budget_usd: 1 + 3000 * rng.nextFloat(),
    start_gpus: below(max_gpus + 1),
    max_gpus,
    max_change: 1 + below(20),
    job_value_usd: 6.01 + rng.nextFloat(),
    gpu_cost_usd: 4 * rng.nextFloat(),
    wait_cost_usd: 2 * rng.nextFloat(),
    arrival_rate: rng.nextFloat() * (below(4) === 0 ? 200 : 10),
    arrival_swing: below(2) * rng.nextFloat(),
    swing_period: 2 + below(30),
    surge_rate: below(2) === 0 ? null : 30 * rng.nextFloat(),
    surge_enter_probability: [0, 1, rng.nextFloat()][below(3)]!,
    surge_leave_probability: [0, 1, rng.nextFloat()][below(3)]!,
    normalize_observation: below(2) === 0,
  };
}

/** A fleet as a list of GPUs, each with the step from which it runs. */
export class Fleet {
  private gpus: number[];
  step = 0;
  queue = 0;
  budget: number;

  constructor(private readonly config: ProvisioningConfig) {
    this.gpus = new Array<number>(config.gpusStart).fill(0);
    this.budget = config.budgetUsd;
  }

  get running(): number {
    return this.gpus.filter((from) => from <= this.step).length;
  }

  /** One step; the step counter stays until `next`. */
  take(asked: number, arrivals: number) {
    const { changeMax, gpusMax, bootDelaySteps, jobValueUsd, gpuCostUsd, waitCostUsd } =
      this.config;
    let applied = 0;
    const wanted = Math.max(-changeMax, Math.min(changeMax, asked));
    for (; applied < wanted && this.gpus.length < gpusMax; applied++) {
      this.gpus.push(this.step + bootDelaySteps);
    }
    // Rented in order, so that the last is the newest: booting ones go first, newest first.
    for (; applied > wanted && this.gpus.length > 0; applied--) this.gpus.pop();
    const processed = Math.min(this.queue, this.running);
    this.queue += arrivals - processed;
    const cost = gpuCostUsd * this.gpus.length;
    this.budget -= cost;
    const reward = jobValueUsd * processed - cost - waitCostUsd * this.queue;
    const booting = this.gpus.length - this.running;
    return { applied, processed, cost, reward, running: this.running, booting };
  }
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

/** Plays the first episode of a seed on the reference; `choose` sees the step and the last row. */
export function playEpisode(
  task: CompiledTask,
  seed: number,
  choose: (step: number, last: Played | null) => number,
): { steps: Played[]; statistics: EpisodeStatistics } {
  const batch = createReferenceBatch(task.program, {
    numEnvs: 1,
    autoreset: 'disabled',
    threads: 1,
    metrics: true,
    kernel: 'scalar',
  });
  const { channels } = batch;
  const actions = new Int32Array(channels.actions.buffer, channels.actions.byteOffset, 1);
  batch.reset(parseSeed(seed), false);
  const steps: Played[] = [];
  for (let isOver = false; !isOver; ) {
    actions[0] = choose(steps.length, steps.at(-1) ?? null);
    batch.step();
    const terminated = channels.terminated[0] === 1;
    const truncated = channels.truncated[0] === 1;
    isOver = terminated || truncated;
    steps.push({
      metrics: named(provisioningLayout.metrics, channels.metrics),
      observation: channels.observations.slice(),
      reward: channels.rewards[0]!,
      cost: channels.costs[0]!,
      terminated,
      truncated,
    });
  }
  return { steps, statistics: named(provisioningLayout.statistics, channels.finalStatistics) };
}

function named(fields: readonly { name: string }[], row: ArrayLike<number>) {
  return Object.fromEntries(fields.map(({ name }, i) => [name, row[i]!]));
}
