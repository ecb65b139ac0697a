import type { CompiledTask, EpisodeStatistics } from '../../src/envs/family.js';
import { createReferenceBatch } from '../../src/reference/families.js';

/** Statistics of episode 0 of seeds 0 .. numSeeds - 1 with one action held, on the reference. */
export function playConstant(
  task: CompiledTask,
  action: unknown,
  numSeeds: number,
  steps = task.horizonSteps,
): EpisodeStatistics[] {
  const batch = createReferenceBatch(task.program, {
    numEnvs: numSeeds,
    autoreset: 'disabled',
    threads: 1,
    metrics: false,
    kernel: 'scalar',
  });
  const { buffer, byteOffset, length } = batch.channels.actions;
  const rows =
    task.actionDtype === 'index'
      ? new Int32Array(buffer, byteOffset, length)
      : new Float32Array(buffer, byteOffset, length);
  for (let i = 0; i < numSeeds; i++) {
    task.encodeAction(action, rows.subarray(i * task.actionDim, (i + 1) * task.actionDim));
  }
  batch.reset({ lo: 0, hi: 0 }, false);
  batch.rollout(0, steps);
  const names = task.layout.statistics.map((field) => field.name);
  return Array.from({ length: numSeeds }, (_, i) =>
    Object.fromEntries(
      names.map((name, k) => [name, batch.channels.finalStatistics[i * names.length + k]]),
    ),
  );
}
