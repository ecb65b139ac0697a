/** The library on every backend of this machine; REQUIRE_BACKENDS names those that must be here. */
import { describe, expect, it } from 'vitest';
import { hasFamily } from '../../src/backends/select.js';
import {
  BACKEND_NAMES,
  type BackendName,
  backendReport,
  checkEnv,
  checkVectorEnv,
  compileTask,
  listTasks,
  loadBackend,
  make,
  makeVec,
} from '../../src/index.js';

const required = (process.env.REQUIRE_BACKENDS ?? '').split(',').filter((name) => name !== '');
const report = await backendReport();
const available = report.filter((status) => status.available).map((status) => status.name);
for (const { name, reason } of report) {
  if (reason !== null) console.warn(`SKIPPED ${name}: ${reason}`);
}

it('has the backends that are required', () => {
  expect(report.map((status) => status.name)).toEqual([...BACKEND_NAMES]);
  const missing = report.filter((status) => required.includes(status.name) && !status.available);
  expect(missing).toEqual([]);
});

it('takes the fastest that works', async () => {
  const env = await makeVec('1', { numEnvs: 2 });
  expect(env.backend).toBe(available[0]);
  env.close();
});

describe.each(available)('on %s', (backend: BackendName) => {
  it.each(['1', '3'])('task %s keeps every promise of a batch', async (id) => {
    const env = await makeVec(id, { numEnvs: 3, backend });
    expect(checkVectorEnv(env)).toEqual([]);
    env.close();
  });

  it('a single environment keeps its promises', async () => {
    const env = await make('2', { backend, actionSpace: 'normalised' });
    expect(checkEnv(env)).toEqual([]);
    env.close();
  });

  it('an episode begun there goes on everywhere', async () => {
    const options = { numEnvs: 5, seed: 2n ** 32n - 2n, infos: true } as const;
    const first = await makeVec('2', { ...options, backend });
    first.reset();
    first.rollout('random', 120);
    const snapshot = first.snapshot();
    first.rollout('random', 120);
    for (const other of available) {
      const second = await makeVec('2', { ...options, backend: other });
      second.restore(snapshot);
      second.rollout('random', 120);
      expect(second.digest()).toBe(first.digest());
      second.close();
    }
    first.close();
  });
});

const ids = listTasks().map((task) => task.id);

it.each(ids)('%s keeps every promise on the fastest', async (id) => {
  const [batch, env] = [await makeVec(id, { numEnvs: 3 }), await make(id)];
  expect(checkVectorEnv(batch)).toEqual([]);
  expect(checkEnv(env)).toEqual([]);
  for (const each of [batch, env]) each.close();
});

it.each(ids)('%s gives one digest on all', async (id) => {
  const digests = new Map<string, BackendName[]>();
  const able: BackendName[] = [];
  for (const backend of available) {
    if (!hasFamily(await loadBackend(backend), compileTask(id).program)) {
      console.warn(`SKIPPED ${id} on ${backend}: it was built without this family`);
      expect(required).not.toContain(backend);
      continue;
    }
    able.push(backend);
    const env = await makeVec(id, { numEnvs: 9, seed: 77, backend, infos: true });
    env.reset();
    env.rollout('random', 30);
    const digest = env.digest();
    digests.set(digest, [...(digests.get(digest) ?? []), backend]);
    env.close();
  }
  expect([...digests.values()]).toEqual([able]);
});
