import type { Backend } from '../backend.js';
import { createReferenceBatch } from '../reference/families.js';
import { checkOneThread } from './one-thread.js';

/** The TypeScript reference, which is the specification, as a backend: always there, and slow. */
export const referenceBackend: Backend = {
  name: 'reference',
  maxThreads: 1,
  kernels: ['scalar'],
  create(program, options) {
    checkOneThread('reference', options.threads);
    return createReferenceBatch(program, options);
  },
};

/** The reference in the form the other backends are loaded in. */
export async function loadReference(): Promise<Backend> {
  return referenceBackend;
}
