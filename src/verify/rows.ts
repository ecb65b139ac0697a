/** One batch size of a task on every implementation: who gave which digest, and who is right. */

import { outputChannels } from '../api/snapshot.js';
import { referenceBackend } from '../backends/reference.js';
import { Digest } from '../base/digest.js';
import { differenceInRun } from './difference.js';
import { createBatch, play, type Row, type Variant } from './plan.js';
import type { FirstDifference } from './report.js';

/** The yardstick, unless the goldens say that it is what differs. */
export const SPECIFICATION: Variant = {
  backend: referenceBackend,
  kernel: 'scalar',
  threads: 1,
};

/** The place of a difference that is known by digests only. */
export const NOWHERE = { autoreset: null, env: null, step: null };

/** The result of an implementation for a row. */
export interface Outcome {
  readonly variant: Variant;
  /** Of all outputs; `error` where it threw. */
  readonly digest: string;
  /** The error that it threw, or null. */
  readonly error: string | null;
}

/** The digest of everything that the runs of a row put out. */
export function digestOfRow({ numEnvs, runs }: Row, variant: Variant): string {
  const digest = new Digest();
  for (const run of runs) {
    const batch = createBatch(variant, run, numEnvs);
    try {
      for (const _step of play(batch, run)) {
        for (const name of outputChannels) digest.update(batch.channels[name]);
      }
      digest.update(batch.exportState());
    } finally {
      batch.close();
    }
  }
  return digest.hex();
}

/** `digestOfRow` of a backend that may be damaged, and so may throw. */
export function outcomeOf(row: Row, variant: Variant): Outcome {
  try {
    return { variant, digest: digestOfRow(row, variant), error: null };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { variant, digest: 'error', error: message };
  }
}

/**
 * The implementation that the others are compared with: the reference, unless its digest is not the
 * golden one and another's is; then it is the reference that has changed.
 */
export function standardOf(outcomes: readonly Outcome[], golden: string | null): Outcome {
  const reference = outcomes.find(({ variant }) => variant.backend === referenceBackend);
  if (reference === undefined) throw new Error('the reference has not been played');
  if (golden === null || reference.digest === golden) return reference;
  return outcomes.find(({ digest }) => digest === golden) ?? reference;
}

/** Where an implementation leaves the standard, found by playing both in lockstep. */
export function locate(
  { numEnvs, runs }: Row,
  standard: Outcome,
  { variant, digest, error }: Outcome,
): Omit<FirstDifference, 'task'> {
  const { backend, kernel, threads } = variant;
  const place = { backend: backend.name, kernel, envs: numEnvs, threads };
  for (const run of runs) {
    const found = differenceInRun(run, numEnvs, standard.variant, variant);
    if (found !== null) return { ...place, autoreset: run.autoreset, ...found };
  }
  // The replay agrees: what differed is not a function of its inputs.
  const digests = { expected: standard.digest, got: error ?? digest };
  return { ...place, ...NOWHERE, field: error === null ? 'digest' : 'error', ...digests };
}
