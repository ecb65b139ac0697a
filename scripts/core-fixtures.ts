/**
 * Writes the small programs that the core's own tests step (`crates/core/tests/fixtures`), so that
 * `cargo test` and Miri need no Node. `--check` writes nothing and fails where one is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { compileTask } from '../src/api/registry.js';
import { compileServing, type ServingConfig } from '../src/compile/serving/serving.js';
import { burstTraffic } from '../src/compile/serving/traffic.js';
import type { PerfTable } from '../src/data/perf-table.js';

const folder = new URL('../crates/core/tests/fixtures/', import.meta.url);
const HORIZON_STEPS = 5;

/** Two batch sizes, two prompts, all three tiers: small enough for Miri. */
function smallTable(quantTiers: number[]): PerfTable {
  const values = quantTiers.flatMap((tier) =>
    [1, 64].flatMap((batch) =>
      [128, 1024].flatMap((prompt) => {
        const tps = (100 + 20 * batch) / (1 + tier);
        return [20 + prompt / 10, 40 + prompt / 5, 10 + batch / 8, tps, 20 + batch / 4, 0.01];
      }),
    ),
  );
  return {
    name: 'small',
    source: 'made up for tests',
    licence: 'MIT',
    batch: [1, 64],
    kv: [1],
    spec: [0],
    promptLen: [128, 1024],
    quantTiers,
    values: Float64Array.from(values, Math.fround),
    measuredSpeculation: quantTiers.length > 1,
    meanOutputTokens: 210,
    deviceMemoryGb: 34,
    pricePerGpuHourUsd: 1.5,
  };
}

const common = {
  horizonSteps: HORIZON_STEPS,
  normalizeObservation: false,
  activeActions: [
    'kv_budget',
    'batch_size',
    'spec_length',
    'prefill_disagg',
    'quant_tier',
  ] as const,
  defaultAction: {
    kv_budget: 1,
    batch_size: 32,
    spec_length: 0,
    prefill_disagg: 0,
    quant_tier: 0,
  } as const,
  noiseStd: 0.05,
  priorityMix: [0.2, 0.5, 0.3] as const,
};

const origin: ServingConfig = {
  ...common,
  dynamics: 'origin',
  table: smallTable([0]),
  traffic: burstTraffic(HORIZON_STEPS, 3, 40, (step) => step === 3),
  prompt: {
    kind: 'mixture',
    pieces: [
      { weight: 0.7, lo: 32, hi: 128 },
      { weight: 0.3, lo: 600, hi: 900 },
    ],
  },
  actionSpace: 'structured',
  memoryMaxGb: 34,
  alpha: 0.4,
  beta: 0.25,
  gamma: 0.35,
  delta: 0.15,
  maxThroughput: 4800,
  costCeiling: 0.005,
  sloTargetMs: 60,
  sloBatchMs: 100,
  priorityRouting: true,
  acceptBase: 0.45,
};

const measured: ServingConfig = {
  ...common,
  dynamics: 'measured',
  table: smallTable([0, 1, 2]),
  traffic: {
    ...burstTraffic(2 * HORIZON_STEPS, 2, 9, (step) => step % 4 === 0),
    promptLens: Array.from({ length: 2 * HORIZON_STEPS }, (_, i) => 100 + 90 * i),
  },
  prompt: { kind: 'profile' },
  actionSpace: 'discrete',
  memoryMaxGb: 34,
  outputTokens: 180,
  sloTtftMs: 300,
  sloTpotMs: 20,
  qualityLoss: [0, 0.1, 0.3],
  gpuPenalty: 0.3,
  rolloutCapacity: 0.7,
  rolloutSteps: { spec_length: 1, prefill_disagg: 2, quant_tier: 3 },
  resetCapacityRps: 4,
};

const programs: Record<string, Uint8Array> = {
  'serving-origin.bin': compileServing(origin),
  'serving-normalised.bin': compileServing({
    ...origin,
    actionSpace: 'normalised',
    prompt: { kind: 'lognormal', mu: 5.2, sigma: 1.3, min: 32, max: 8192 },
  }),
  'serving-measured.bin': compileServing(measured),
  'autoscaling-fleet.bin': compileTask('autoscaling/fleet-v1', { max_steps: 20 }).program,
  'provisioning-hard.bin': compileTask('provisioning/hard-v1', { max_steps: 20 }).program,
  'scheduling-sleep-aware.bin': compileTask('scheduling/sleep-aware-v2', { episode_length: 20 })
    .program,
};

const outdated = Object.entries(programs).filter(([name, bytes]) => {
  const url = new URL(name, folder);
  return !existsSync(url) || !readFileSync(url).equals(Buffer.from(bytes));
});
if (process.argv.includes('--check') && outdated.length > 0) {
  console.error(
    `out of date, run "npm run generate": ${outdated.map(([name]) => name).join(', ')}`,
  );
  process.exit(1);
}
for (const [name, bytes] of outdated) writeFileSync(new URL(name, folder), bytes);
console.log(`${outdated.length} of ${Object.keys(programs).length} core fixtures written`);
