/** The draws of an environment in its steps, read from its outputs and its state. */
import type { Batch, BatchOptions } from '../../src/backend.js';
import { parseSeed } from '../../src/base/seeding.js';
import type { CompiledTask } from '../../src/envs/family.js';
import {
  metric,
  type ServingScalars,
  type ServingTables,
  servingLayout,
} from '../../src/generated/serving.js';
import { loadBackend } from '../../src/index.js';
import { stateSlots } from '../../src/program/layout.js';
import { decodeProgram, encodeProgram, programScalars } from '../../src/program/program.js';

/** A batch of the fastest backend there is, reset to neighbouring seeds, its actions set. */
export async function startBatch(
  task: CompiledTask,
  numEnvs: number,
  program = task.program,
  seed = 0,
): Promise<Batch> {
  const options: BatchOptions = {
    numEnvs,
    autoreset: 'next-step',
    threads: 1,
    metrics: true,
    kernel: 'auto',
  };
  const batch = (await loadBackend('auto', program)).create(program, options);
  const { buffer, byteOffset, length } = batch.channels.actions;
  const rows =
    task.actionDtype === 'index'
      ? new Int32Array(buffer, byteOffset, length)
      : new Float32Array(buffer, byteOffset, length);
  for (let i = 0; i < numEnvs; i++) {
    const row = rows.subarray(i * task.actionDim, (i + 1) * task.actionDim);
    task.encodeAction(task.baselineAction, row);
  }
  batch.reset(parseSeed(seed), false);
  return batch;
}

/** One slot of the state in every environment. */
export function readSlot({ layout, program }: CompiledTask, batch: Batch, name: string) {
  const numEnvs = batch.channels.rewards.length;
  const state = new DataView(batch.exportState().buffer);
  let offset = 0;
  for (const slot of stateSlots(layout, programScalars(layout, program))) {
    const bytes = slot.dtype === 'u32' ? 4 : 8;
    if (slot.name === name) {
      return Float64Array.from({ length: numEnvs }, (_, i) => {
        const at = offset + bytes * i;
        return bytes === 4 ? state.getUint32(at, true) : state.getFloat64(at, true);
      });
    }
    offset += bytes * numEnvs;
  }
  throw new RangeError(`the state has no slot "${name}"`);
}

/** One metric in every environment. */
export function readMetric({ layout }: CompiledTask, { channels }: Batch, i: number) {
  const width = layout.metrics.length;
  const numEnvs = channels.rewards.length;
  return Float64Array.from({ length: numEnvs }, (_, env) => channels.metrics[env * width + i]);
}

/** The draws of serving, step by step: [step][env]. */
export interface ServingDraws {
  readonly arrivals: readonly Float64Array[];
  /** The mean arrivals that the profile states. */
  readonly rates: readonly Float64Array[];
  readonly prompts: readonly Float64Array[];
  /** The factors on TTFT's median, its 99th percentile and TPOT. */
  readonly noises: readonly (readonly Float64Array[])[];
}

const NOISY = [metric.ttftP50Ms, metric.ttftP99Ms, metric.tpotMs];

/**
 * Plays the first steps of serving episodes. A prompt is what moved the running mean; a noise is
 * the ratio to the same task without noise (as seen through latencies rounded to f32).
 */
export async function drawServing(task: CompiledTask, numEnvs: number, steps: number) {
  const { scalars, tables } = decodeProgram<ServingScalars, ServingTables>(
    servingLayout,
    task.program,
  );
  const noise = tables.noise.map((_, i) => (i % 2 === 0 ? 1 : 0));
  const quietProgram = encodeProgram(servingLayout, scalars, { ...tables, noise });
  const batch = await startBatch(task, numEnvs);
  const quiet = await startBatch(task, numEnvs, quietProgram);
  const starts = readSlot(task, batch, 'window_start');
  let means = readSlot(task, batch, 'prompt_mean');
  const draws: { [K in keyof ServingDraws]: ServingDraws[K][number][] } = {
    ...{ arrivals: [], rates: [], prompts: [], noises: [] },
  };
  for (let step = 0; step < steps; step++) {
    for (const each of [batch, quiet]) each.step();
    const next = readSlot(task, batch, 'prompt_mean');
    const before = means;
    draws.arrivals.push(readMetric(task, batch, metric.arrivals));
    draws.rates.push(starts.map((start) => tables.levelRate[tables.profileLevel[start + step]]));
    draws.prompts.push(
      next.map((mean, i) => Math.fround(before[i] + (mean - before[i]) / scalars.promptGain)),
    );
    draws.noises.push(
      NOISY.map((i) => {
        const clean = readMetric(task, quiet, i);
        return readMetric(task, batch, i).map((value, env) => value / clean[env]);
      }),
    );
    means = next;
  }
  for (const each of [batch, quiet]) each.close();
  return draws as ServingDraws;
}
