/** An engine from its configuration: facts looked up, memory divided, step times compiled. */
import { parseSeed, type Seed } from '../../base/seeding.js';
import { kvBlocksOf } from '../../compile/engine/memory.js';
import { compileStepTime, type StepTime } from '../../compile/engine/step-time.js';
import { type EngineCalibration, generationOf } from '../../data/engine/calibrations.js';
import type { GpuFacts, ModelFacts } from '../../data/engine/facts.js';
import { engineGpus, findGpu } from '../../data/engine/gpus.js';
import { engineModels, findModel } from '../../data/engine/models.js';
import { findOpTable } from '../../data/engine/op-tables.js';
import { calibrationFor } from '../../data/engine/servers.js';
import type { EngineKnobs, EngineScalars, EngineTables } from '../../reference/engine/state.js';

/** In the order of the kernel's numbers. */
export const ORDERS = ['fcfs', 'priority', 'deadline'] as const;
export const VICTIMS = ['newest', 'lowest-priority'] as const;
export const ROUTERS = [
  'random',
  'round-robin',
  'least-outstanding',
  'least-kv',
  'power-of-two',
  'prefix-affinity',
  'connection',
] as const;

const QUEUE = 65536;
const SEGMENTS = 4096;
const CONNECTIONS = 4096;
const AFFINITY_SLACK = 4;

/** An engine, by the names of vLLM's options where it has them. */
export interface EngineConfig {
  /** Name of a shipped model, one that tools write, or facts of one's own. */
  readonly model: string | ModelFacts;
  readonly gpu: string | GpuFacts;
  readonly tensor_parallel_size?: number;
  readonly replicas?: number;
  /** `random`, `round-robin`, `least-outstanding`, ..., default `random`. */
  readonly router?: string;
  readonly max_num_seqs?: number;
  readonly max_num_batched_tokens?: number;
  readonly gpu_memory_utilization?: number;
  /** From the engine's log; computed from facts where it is not given. */
  readonly num_gpu_blocks?: number;
  readonly enable_prefix_caching?: boolean;
  /** vLLM's, e.g. `0.8.5`; it decides the defaults of the next three. Default `0.19`. */
  readonly engine_version?: string;
  readonly async_scheduling?: boolean;
  /** Admit only whole prompts. */
  readonly reserve_full?: boolean;
  /** Blocks taken ahead of need. */
  readonly preallocated_blocks?: number;
  /** Tokens of a system prompt that all requests begin with. */
  readonly system_prompt_tokens?: number;
  /** `fcfs` (default), `priority`, `deadline`. */
  readonly admission_order?: string;
  /** `newest` (default), `lowest-priority`. */
  readonly preemption_order?: string;
  /** Latency targets by class, for the order `deadline`. */
  readonly slo_ttft_s?: readonly number[];
  /** Seconds that the connections of the router `connection` are kept idle. */
  readonly keepalive_s?: number;
  /** One's own coefficients, all or some of them. */
  readonly calibration?: Partial<EngineCalibration>;
  /** False: the roofline even where the layers' times were profiled. */
  readonly use_op_table?: boolean;
  /** Of the routers' draws; 0 by default. */
  readonly seed?: number | bigint | string;
}

/** An engine as the kernel takes it. */
export interface EngineSetup {
  readonly scalars: EngineScalars;
  readonly tables: EngineTables;
  readonly knobs: EngineKnobs;
  readonly seed: Seed;
  readonly model: ModelFacts;
  readonly gpu: GpuFacts;
}

const SLOTS_MAX = 4096;

/**
 * Reads a configuration.
 *
 * @throws RangeError naming the entry, its value and what would be right
 */
export function setUpEngine(
  config: EngineConfig,
  limits: { queue?: number; sessions?: number } = {},
): EngineSetup {
  const model = modelOf(config.model);
  const gpu = gpuOf(config.gpu);
  const count = (name: keyof EngineConfig, standard: number, least: number, most: number) =>
    integer(name, (config[name] as number | undefined) ?? standard, least, most);
  const tensorParallel = count('tensor_parallel_size', 1, 1, 64);
  const replicas = count('replicas', 1, 1, 64);
  const systemBlocks = Math.floor(count('system_prompt_tokens', 0, 0, 1e6) / 16);
  const maxNumSeqs = count('max_num_seqs', 256, 1, SLOTS_MAX);
  const kvBlocks = blocksOf(config, model, gpu, tensorParallel) - systemBlocks;
  if (kvBlocks < 16) {
    throw new RangeError(`system_prompt_tokens fills the KV cache: ${kvBlocks} blocks are left`);
  }
  const isNew = generationOf(config.engine_version ?? '0.19') === 'vllm-0.19';
  const hasCache = config.enable_prefix_caching !== false;
  const slo = config.slo_ttft_s ?? [1];
  const last = slo.length - 1;
  const classTtftS = Float32Array.from({ length: 256 }, (_, i) => slo[i < last ? i : last]!);
  const { linearS, ...times } = stepTimeOf(config, model, gpu, tensorParallel);
  return {
    scalars: {
      replicas,
      slots: maxNumSeqs,
      queue: limits.queue ?? QUEUE,
      segments: hasCache ? SEGMENTS : 0,
      sessions: limits.sessions ?? 0,
      connections: config.router === 'connection' ? CONNECTIONS : 0,
      affinitySlack: AFFINITY_SLACK,
      results: 0,
      kvBlocks,
      kvBlocksLeast: kvBlocks,
      systemBlocks,
      preallocatedBlocks: count('preallocated_blocks', isNew ? 0 : 4, 0, 64),
      reserveFull: (config.reserve_full ?? isNew) ? 1 : 0,
      asyncScheduling: (config.async_scheduling ?? isNew) ? 1 : 0,
      prefixCaching: hasCache ? 1 : 0,
      keepaliveS: config.keepalive_s ?? 5,
      ...times,
    },
    tables: { linearS, classTtftS, classTpotS: classTtftS },
    knobs: knobsOf(config, maxNumSeqs),
    seed: parseSeed(config.seed ?? 0),
    model,
    gpu,
  };
}

function knobsOf(config: EngineConfig, maxNumSeqs: number): EngineKnobs {
  const budget = config.max_num_batched_tokens ?? 2048;
  return {
    maxNumSeqs,
    maxNumBatchedTokens: integer('max_num_batched_tokens', budget, 1, 1 << 20),
    admissionOrder: choice('admission_order', config.admission_order ?? 'fcfs', ORDERS),
    preemptionOrder: choice('preemption_order', config.preemption_order ?? 'newest', VICTIMS),
    router: choice('router', config.router ?? 'random', ROUTERS),
    withheldBlocks: 0,
  };
}

function stepTimeOf(config: EngineConfig, model: ModelFacts, gpu: GpuFacts, tp: number): StepTime {
  const { calibration } = calibrationFor(
    model,
    gpu,
    tp,
    generationOf(config.engine_version ?? '0.19'),
  );
  const opTable = config.use_op_table === false ? undefined : findOpTable(model, gpu, tp);
  return compileStepTime({
    model,
    gpu,
    tensorParallel: tp,
    calibration: { ...calibration, ...config.calibration },
    ...(opTable && { opTable }),
  });
}

function blocksOf(config: EngineConfig, model: ModelFacts, gpu: GpuFacts, tp: number): number {
  if (config.num_gpu_blocks !== undefined) {
    return integer('num_gpu_blocks', config.num_gpu_blocks, 16, 1 << 24);
  }
  const utilization = config.gpu_memory_utilization ?? 0.9;
  if (!(utilization > 0 && utilization <= 1)) {
    throw new RangeError(
      `gpu_memory_utilization is ${utilization}: a number above 0, at most 1 is needed`,
    );
  }
  return kvBlocksOf(model, gpu, tp, utilization);
}

function modelOf(model: string | ModelFacts): ModelFacts {
  if (typeof model !== 'string') return model;
  const found = findModel(model);
  if (found !== undefined) return found;
  const names = engineModels.map(({ name }) => name).join(', ');
  throw new RangeError(`model is "${model}": one of ${names}, or facts of your own, is needed`);
}

function gpuOf(gpu: string | GpuFacts): GpuFacts {
  if (typeof gpu !== 'string') return gpu;
  const found = findGpu(gpu);
  if (found !== undefined) return found;
  const names = engineGpus.map(({ name }) => name).join(', ');
  throw new RangeError(`gpu is "${gpu}": one of ${names}, or facts of your own, is needed`);
}

function integer(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} is ${value}: an integer in ${least}..${most} is needed`);
}

function choice(name: string, value: string, choices: readonly string[]): number {
  const index = choices.indexOf(value);
  if (index >= 0) return index;
  throw new RangeError(`${name} is "${value}": one of ${choices.join(', ')} is needed`);
}
