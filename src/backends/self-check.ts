/**
 * The short test that a backend must pass before it is used: two small serving programs, stepped
 * and hashed. A machine, an engine or a build that computes otherwise is refused here rather than
 * noticed in a result. After a deliberate change of results,
 * `npm run goldens` pins what the reference gives (`scripts/self-check.ts`).
 */
import { type Backend, BackendRefusedError, type Batch } from '../backend.js';
import { Digest, digestOf } from '../base/digest.js';
import { parseSeed } from '../base/seeding.js';
import {
  compileServing,
  type ServingCommon,
  type ServingConfig,
} from '../compile/serving/serving.js';
import { burstTraffic } from '../compile/serving/traffic.js';
import { PERF_METRICS } from '../data/perf-table.js';
import { channels, corePolicy } from '../generated/common.js';

const NUM_ENVS = 7; // odd, so that a vectorised kernel has a remainder
const NUM_STEPS = 32;
const HORIZON_STEPS = 13; // two episodes and a part of the third

/** Of the programs together, and of everything that stepping them gave. */
export const GOLDEN = { programs: 'aeb4ec5de1869a79', outputs: '4b44b99d073c9edc' } as const;

/**
 * Steps the check's programs.
 *
 * @returns the kernel that `auto` takes for large batches.
 * @throws BackendRefusedError naming both digests where they differ.
 */
export function selfCheck(backend: Backend): string {
  const programs = checkPrograms();
  const compiled = digestOf(...programs);
  if (compiled !== GOLDEN.programs) {
    throw new BackendRefusedError(
      `self-check: the programs were compiled to ${compiled} instead of ${GOLDEN.programs}; this ` +
        'JavaScript engine computes otherwise, or the compiler was changed without ' +
        '`npm run goldens`',
    );
  }
  const { digest, kernel } = tryCheck(backend, programs);
  if (digest === GOLDEN.outputs) return kernel;
  throw new BackendRefusedError(
    `self-check: backend ${backend.name} (${kernel}) gave ${digest} instead of ` +
      `${GOLDEN.outputs}; it was built from other sources or computes otherwise on this machine`,
  );
}

/** A backend that throws, e.g. one of an older interface, fails its check. */
function tryCheck(backend: Backend, programs: readonly Uint8Array[]) {
  try {
    return runCheck(backend, programs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BackendRefusedError(`self-check: backend ${backend.name} threw: ${reason}`);
  }
}

/** The digest of all outputs of all steps, and the kernel that made them. */
export function runCheck(backend: Backend, programs: readonly Uint8Array[]) {
  const digest = new Digest();
  let kernel = '';
  for (const program of programs) {
    const batch = createCheckBatch(backend, program);
    try {
      kernel = batch.kernel;
      for (const _step of playCheck(batch)) hashOutputs(batch, digest);
      digest.update(batch.exportState());
    } finally {
      batch.close();
    }
  }
  return { digest: digest.hex(), kernel };
}

/** A batch as the check makes it, with the kernel that `auto` takes for large batches. */
export function createCheckBatch(backend: Backend, program: Uint8Array): Batch {
  return backend.create(program, {
    numEnvs: NUM_ENVS,
    autoreset: 'next-step',
    threads: 1,
    metrics: true,
    kernel: backend.kernels[backend.kernels.length - 1],
  });
}

/** Plays the check's history; stops after everything that changes the batch, with its step. */
export function* playCheck(batch: Batch): Generator<number, void> {
  const { actions } = batch.channels;
  const numbers = new Float32Array(actions.buffer, actions.byteOffset, actions.length);
  // The largest 32-bit seed: environment 1 on needs the carry.
  batch.reset(parseSeed(2 ** 32 - 1), false);
  yield 0;
  for (let step = 1; step <= NUM_STEPS; step++) {
    // From -1.25 to 1.25, beyond the normalised range on both sides.
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = ((i * 5 + (step - 1) * 7) % 21) / 8 - 1.25;
    }
    batch.step();
    yield step;
  }
  batch.rollout(corePolicy.random, HORIZON_STEPS);
  yield NUM_STEPS + HORIZON_STEPS;
}

function hashOutputs(batch: Batch, digest: Digest): void {
  for (const { name } of channels) {
    if (name !== 'actions' && name !== 'resetMask') digest.update(batch.channels[name]);
  }
}

/** One program of each dynamics, over a table of 2 × 2 × 2 nodes. */
export function checkPrograms(): Uint8Array[] {
  return checkConfigs().map(compileServing);
}

function checkConfigs(): ServingConfig[] {
  const common = commonConfig();
  const origin: ServingConfig = {
    ...common,
    dynamics: 'origin',
    prompt: {
      kind: 'mixture',
      pieces: [
        { weight: 0.7, lo: 32, hi: 128 },
        { weight: 0.3, lo: 2048, hi: 8192 },
      ],
    },
    alpha: 0.4,
    beta: 0.25,
    gamma: 0.3,
    delta: 0.1,
    maxThroughput: 4000,
    costCeiling: 0.01,
    sloTargetMs: 300,
    sloBatchMs: 2000,
    priorityRouting: true,
    acceptBase: 0.65,
  };
  const measured: ServingConfig = {
    ...common,
    dynamics: 'measured',
    prompt: { kind: 'quantiles', knots: [32, 100, 180, 400, 900, 4000] },
    outputTokens: 200,
    sloTtftMs: 1000,
    sloTpotMs: 50,
    qualityLoss: [0, 0.1, 0.3],
    gpuPenalty: 0.3,
    rolloutCapacity: 0.7,
    rolloutSteps: { spec_length: 3, prefill_disagg: 6, quant_tier: 10 },
    resetCapacityRps: 5,
  };
  return [origin, measured];
}

function commonConfig(): Omit<ServingCommon, 'prompt'> {
  const numCells = 8;
  return {
    table: {
      name: 'self-check',
      source: 'made up',
      licence: 'MIT',
      batch: [1, 256],
      kv: [0.25, 1],
      spec: [0],
      promptLen: [64, 4096],
      quantTiers: [0],
      values: Float64Array.from({ length: numCells * PERF_METRICS.length }, (_, i) => {
        const cell = Math.floor(i / PERF_METRICS.length);
        const base = [120, 240, 20, 2000, 24, 0.004][i % PERF_METRICS.length];
        return Math.fround(base * (1 + cell / numCells));
      }),
      measuredSpeculation: false,
      meanOutputTokens: 210,
      deviceMemoryGb: 40,
      pricePerGpuHourUsd: 1.5,
    },
    traffic: burstTraffic(HORIZON_STEPS + 5, 8, 60, (step) => step % 9 >= 6),
    horizonSteps: HORIZON_STEPS,
    actionSpace: 'normalised',
    normalizeObservation: false,
    activeActions: ['kv_budget', 'batch_size', 'spec_length', 'prefill_disagg', 'quant_tier'],
    defaultAction: {
      kv_budget: 1,
      batch_size: 32,
      spec_length: 0,
      prefill_disagg: 0,
      quant_tier: 0,
    },
    noiseStd: 0.05,
    memoryMaxGb: 40,
    priorityMix: [0.2, 0.5, 0.3],
  };
}
