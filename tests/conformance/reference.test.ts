import { expect, it } from 'vitest';
import { referenceBackend } from '../../src/backends/reference.js';
import { makeRng } from '../../src/base/seeding.js';
import { randomServingProgram } from '../support/programs.js';
import { describeConformance } from './common.case.js';

describeConformance('reference', async () => referenceBackend);

it('refuses more threads than its one', () => {
  const program = randomServingProgram(makeRng('threads'));
  const options = { numEnvs: 1, autoreset: 'disabled', metrics: false, kernel: 'auto' } as const;
  expect(() => referenceBackend.create(program, { ...options, threads: 2 })).toThrow(
    'threads is 2: the reference backend has one thread, take 1',
  );
});
