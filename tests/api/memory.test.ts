/** Memory: freed after close, compiled once, and checked before it is taken. */
import { describe, expect, it } from 'vitest';
import { backendReport, compileTask, make, makeVec, registerTraffic } from '../../src/index.js';

const report = await backendReport();
const isNative = report.some(({ name, available }) => name === 'native' && available);

describe.skipIf(!isNative)('native memory', () => {
  it('of closed batches is freed where others are made, without a macrotask', async () => {
    const run = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const env = await make('serving/static-uniform-v1', { backend: 'native' });
        env.reset({ seed: i });
        env.close();
      }
    };
    await run(200);
    const before = process.memoryUsage().rss;
    await run(1000);
    // It was a quarter of a megabyte each.
    expect(process.memoryUsage().rss - before).toBeLessThan(60e6);
  });

  it('that a batch cannot have is an error', async () => {
    const making = makeVec('scheduling-large', { numEnvs: 2 ** 24, backend: 'native' });
    await expect(making).rejects.toThrow(RangeError);
    await expect(making).rejects.toThrow(/^numEnvs is 16777216: the batch needs .* GB/);
  });
});

describe('a compiled task', () => {
  it('is compiled once for its configuration', () => {
    const task = compileTask('autoscaling/easy-v1', { max_steps: 9 });
    expect(compileTask('autoscaling-easy', { max_steps: 9 })).toBe(task);
    expect(compileTask('autoscaling-easy', { max_steps: 8 })).not.toBe(task);
    expect(Object.isFrozen(task.config)).toBe(true);
    expect(() => compileTask('autoscaling-easy', { max_steps: Number.NaN })).toThrow('max_steps');
  });

  it('is compiled anew where named data is another', () => {
    const task = compileTask('autoscaling/easy-v1');
    registerTraffic('memory-test', {} as never);
    expect(compileTask('autoscaling/easy-v1')).toBe(task);
    registerTraffic('memory-test', {} as never);
    expect(compileTask('autoscaling/easy-v1')).not.toBe(task);
  });
});
