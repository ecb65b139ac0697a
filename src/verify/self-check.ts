/** The self-check's programs, played against the reference to name where a backend leaves it. */

import type { Backend } from '../backend.js';
import { referenceBackend } from '../backends/reference.js';
import { checkPrograms, createCheckBatch, playCheck, selfCheck } from '../backends/self-check.js';
import { layoutOf } from '../backends/shape.js';
import { differenceInLockstep, type NamedProgram } from './difference.js';
import type { FirstDifference } from './report.js';
import { NOWHERE } from './rows.js';

/** The name under which the self-check stands among the tasks. */
export const SELF_CHECK = 'self-check';

/** The first place where a backend leaves what its self-check expects, or null. */
export function differenceInSelfCheck(backend: Backend): FirstDifference | null {
  const reason = reasonOfFailure(backend);
  if (reason === null) return null;
  const where = { task: SELF_CHECK, backend: backend.name, kernel: 'auto', envs: 0, threads: 1 };
  if (backend !== referenceBackend) {
    for (const program of checkPrograms()) {
      const place = placeOf(backend, program);
      if (place !== null) return { ...where, autoreset: 'next-step', ...place };
    }
  }
  // The reference itself, or the programs: there is nothing to play against.
  return { ...where, ...NOWHERE, field: SELF_CHECK, expected: 'the golden digest', got: reason };
}

function reasonOfFailure(backend: Backend): string | null {
  try {
    selfCheck(backend);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function placeOf(backend: Backend, program: Uint8Array) {
  const layout = layoutOf(program);
  const observationNames = layout.observations.map(({ name }) => name);
  const named: NamedProgram = { layout, program, observationNames, maskDim: 0 };
  return differenceInLockstep(
    named,
    [referenceBackend, backend].map((each) => () => createCheckBatch(each, program)),
    playCheck,
  );
}
