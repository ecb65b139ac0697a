/** Steps leave nothing behind for the garbage collector: 10^5 of them, counted by V8 itself. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { backendReport } from '../../src/index.js';

const NUM_STEPS = 100_000;
/** One object a step would be 16 bytes at least; V8 itself takes 200 kilobytes now and then. */
const BYTES_MAX = 5 * NUM_STEPS;

const TASKS = ['serving/static-uniform-v1', 'scheduling/base-v2'];
const library = new URL('../../src/index.ts', import.meta.url).href;

/**
 * Prints the bytes that the steps took of the heap, task by task: the least of some rounds, for V8
 * compiles while it runs.
 */
const script = `
  const { makeVec } = await import(${JSON.stringify(library)});
  const [backend, ...tasks] = process.argv.slice(1);
  for (const task of tasks) {
    const env = await makeVec(task, { numEnvs: 1, backend });
    env.reset();
    const step = (count) => { for (let i = 0; i < count; i++) env.step(); };
    const bytes = [1, 2, 3, 4].map(() => {
      gc();
      const before = process.memoryUsage().heapUsed;
      step(${NUM_STEPS});
      return process.memoryUsage().heapUsed - before;
    });
    console.log(Math.min(...bytes));
  }
`;

/** The semi-space is large enough that nothing is collected while bytes are counted. */
function bytesOf(backend: string): number[] {
  const tsx = `file://${fileURLToPath(import.meta.resolve('tsx'))}`;
  const flags = ['--expose-gc', '--max-semi-space-size=64', '--import', tsx];
  const args = [...flags, '--input-type=module', '--eval', script, '--', backend, ...TASKS];
  const output = execFileSync(process.execPath, args, { encoding: 'utf8' });
  return output.trim().split('\n').map(Number);
}

for (const { name, available, reason } of await backendReport()) {
  if (name === 'reference') continue;
  if (!available) console.warn(`SKIPPED ${name}: ${reason}`);
  it.skipIf(!available)(`a step on ${name} allocates nothing`, { timeout: 30_000 }, () => {
    const bytes = bytesOf(name);
    expect(bytes).toHaveLength(TASKS.length);
    for (const [k, task] of TASKS.entries()) expect(bytes[k], task).toBeLessThan(BYTES_MAX);
  });
}
