/** The committed digests: the digests that the reference alone gives. */

import { compileTask } from '../api/registry.js';
import { breathe, taskIds } from './pace.js';
import { planRows } from './plan.js';
import type { Goldens, TaskGoldens, VerifyOptions } from './report.js';
import { digestOfRow, SPECIFICATION } from './rows.js';

/** The digests that the reference alone gives: what is committed as goldens. */
export async function makeGoldens(
  tasks: readonly string[] = taskIds(),
  onProgress: VerifyOptions['onProgress'] = () => {},
): Promise<Goldens> {
  const goldens: Record<string, TaskGoldens> = {};
  for (const [done, id] of tasks.entries()) {
    onProgress({ done, total: tasks.length, label: id });
    await breathe();
    const task = compileTask(id);
    const digests = (quick: boolean) =>
      Object.fromEntries(
        planRows(task, quick).map((row) => [row.numEnvs, digestOfRow(row, SPECIFICATION)]),
      );
    const program = task.programDigest;
    goldens[task.spec.id] = { program, quick: digests(true), full: digests(false) };
  }
  return goldens;
}
