import { expect, it } from 'vitest';
import type { Kernel } from '../../src/backend.js';
import { loadNative } from '../../src/backends/native.js';
import { makeRng, parseSeed } from '../../src/base/seeding.js';
import { whenAvailable, widestKernel } from '../support/backends.js';
import { randomServingProgram } from '../support/programs.js';
import { describeConformance } from './common.case.js';

await whenAvailable('native', loadNative, () => {
  describeConformance('native', loadNative);

  it('gives the same bytes on one thread and on two, in blocks and at their edges', async () => {
    const backend = await loadNative();
    const program = randomServingProgram(makeRng('threads'));
    for (const numEnvs of [1, 63, 64, 65, 1000]) {
      const run = (threads: number) => {
        const options = { numEnvs, threads, autoreset: 'same-step', metrics: true } as const;
        const batch = backend.create(program, { ...options, kernel: 'auto' });
        batch.reset(parseSeed(5), false);
        batch.rollout(1, 40);
        const { observations, metrics, finalStatistics } = batch.channels;
        const state = batch.exportState();
        batch.close();
        return [observations, metrics, finalStatistics, state].map((view) =>
          Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64'),
        );
      };
      expect(run(2)).toEqual(run(1));
    }
  });

  it('steps a few environments by the oracle unless a kernel is asked for', async () => {
    const backend = await loadNative();
    const program = randomServingProgram(makeRng('few'));
    const options = { threads: 1, autoreset: 'next-step', metrics: false } as const;
    const kernelOf = (numEnvs: number, kernel: Kernel) => {
      const batch = backend.create(program, { ...options, numEnvs, kernel });
      batch.close();
      return batch.kernel;
    };
    expect(kernelOf(8, 'auto')).toBe('scalar');
    expect(kernelOf(9, 'auto')).toBe(widestKernel(backend));
    expect(kernelOf(1, 'portable')).toBe('portable');
  });

  it('keeps the arrays of a closed batch alive, and refuses to step it', async () => {
    const backend = await loadNative();
    const program = randomServingProgram(makeRng('close'));
    const options = { numEnvs: 3, threads: 1, autoreset: 'next-step', metrics: false } as const;
    const batch = backend.create(program, { ...options, kernel: 'auto' });
    batch.reset(parseSeed(1), false);
    const before = Float32Array.from(batch.channels.observations);
    batch.close();
    expect(batch.channels.observations).toEqual(before);
    expect(() => batch.step()).toThrow('closed');
  });
});
