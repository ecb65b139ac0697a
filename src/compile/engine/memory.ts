/** How many KV blocks an engine has, where its log does not say. */
import type { GpuFacts, ModelFacts } from '../../data/engine/facts.js';
import { kvBytesPerToken, weightBytes } from './step-time.js';

const GIB = 1024 * 1024 * 1024;
const BLOCK_TOKENS = 16;
/**
 * Memory beside weights and cache: activations of the largest iteration, CUDA graphs, the context,
 * and with several GPUs the buffers of their exchange. Measured: 1.2 GiB on one GPU
 * (LLMServingSim's RTX 4090 log), 3.6 GiB on each of two (fitted, llm-d-benchmark 70B).
 */
const WORKSPACE_GIB = 1.3;
const PARALLEL_WORKSPACE_GIB = 3.6;

/**
 * KV blocks of a replica.
 *
 * @param utilization share of the memory that the engine may use (`gpu_memory_utilization`)
 * @throws RangeError where the weights leave no room
 */
export function kvBlocksOf(
  model: ModelFacts,
  gpu: GpuFacts,
  tensorParallel: number,
  utilization: number,
): number {
  const workspace = tensorParallel > 1 ? PARALLEL_WORKSPACE_GIB : WORKSPACE_GIB;
  const perGpu = gpu.memoryGib.value * utilization - workspace;
  const bytes = tensorParallel * perGpu * GIB - weightBytes(model);
  const blocks = Math.floor(bytes / (kvBytesPerToken(model) * BLOCK_TOKENS));
  if (blocks >= 16) return blocks;
  const needed = weightBytes(model) / GIB + tensorParallel * workspace;
  throw new RangeError(
    `${model.name} needs ${needed.toFixed(1)} GiB before any KV cache: ${tensorParallel} x ` +
      `${gpu.name} at ${utilization} have ` +
      `${(tensorParallel * gpu.memoryGib.value * utilization).toFixed(1)}; take more GPUs`,
  );
}
