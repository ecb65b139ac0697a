/** The proof of one task in this browser. */
import {
  type Backend,
  backendReport,
  type Goldens,
  loadBackend,
  spec,
  verify,
} from '../../../src/index.browser.js';
import type { TaskVerdict } from './messages.js';
import { fetchRecordings } from './recordings.js';

/** Steps a task on every backend that this browser has, and compares. */
export async function verifyTask(task: string, goldens: Goldens): Promise<TaskVerdict> {
  await fetchRecordings(spec(task).config);
  const report = await verify(await availableBackends(), {
    tasks: [task],
    level: 'quick',
    goldens,
  });
  const { ok, results, firstDifference: found } = report;
  // A task without a committed digest is not verified, however equal its backends are.
  const isEqual = ok && results.every(({ golden, digest }) => golden === digest);
  const difference = found === null ? 'no committed digest' : `${found.backend}: ${found.field}`;
  return {
    task,
    digest: results[0]?.digest ?? '',
    backends: [...new Set(results.map(({ backend }) => backend))],
    isEqual,
    difference: isEqual ? null : difference,
  };
}

async function availableBackends(): Promise<Backend[]> {
  const report = await backendReport();
  return Promise.all(
    report.filter(({ available }) => available).map(({ name }) => loadBackend(name)),
  );
}
