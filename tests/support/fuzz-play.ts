/** One fuzzing case, played on any backend: a random program under random calls. */

import { corePolicyNumber } from '../../src/api/options.js';
import { outputChannels } from '../../src/api/snapshot.js';
import type { Autoreset, Batch, BatchOptions } from '../../src/backend.js';
import { makeRng } from '../../src/base/seeding.js';
import { corePolicy } from '../../src/generated/common.js';
import { ActionSource } from '../../src/verify/actions.js';
import type { NamedProgram } from '../../src/verify/difference.js';

export const FUZZ_AUTORESETS: readonly Autoreset[] = ['next-step', 'same-step', 'disabled'];

/**
 * The calls on the batch, simplest first: steps with actions of zero bits, steps with random and
 * edge-case actions, and every call that a batch has.
 */
export const FUZZ_CALLS = ['zeros', 'actions', 'everything'] as const;
export type FuzzCalls = (typeof FUZZ_CALLS)[number];

/** A case is a function of these, and what happens in a step of an environment of no others. */
export interface FuzzCase {
  readonly family: string;
  /** Names the program, the environments' seeds and the calls. */
  readonly seed: number;
  readonly steps: number;
  readonly numEnvs: number;
  readonly calls: FuzzCalls;
  readonly autoreset: Autoreset;
  readonly metrics: boolean;
}

/** Options of a case's batch. */
export function optionsOf(
  { numEnvs, autoreset, metrics }: FuzzCase,
  { kernel, threads }: Pick<BatchOptions, 'kernel' | 'threads'>,
): BatchOptions {
  return { numEnvs, autoreset, metrics, kernel, threads };
}

/** Plays a case; stops after the reset and after every further call, numbered from 0. */
export function* play(
  batch: Batch,
  { layout, program }: NamedProgram,
  { seed, steps, calls }: FuzzCase,
): Generator<number, void> {
  const source = new ActionSource({ layout, program });
  const rng = makeRng(`calls ${seed}`);
  const heuristics = layout.heuristics.map((name) => corePolicyNumber(layout, name));
  const policies = [corePolicy.random, corePolicy.constant, ...heuristics];
  // Half of the seeds carry into the high word within the batch.
  const low = rng.nextUint32();
  batch.reset({ lo: low % 2 === 0 ? low : 2 ** 32 - 2, hi: rng.nextUint32() }, false);
  yield 0;
  for (let step = 1; step <= steps; step++) {
    // Two words a step, whatever the call takes, so that shorter cases begin as longer ones.
    const [kind, detail] = [rng.nextUint32(), rng.nextUint32()];
    if (calls === 'zeros') batch.channels.actions.fill(0);
    else source.write(batch.channels.actions, seed + step);
    if (calls === 'everything') call(batch, policies, kind, detail);
    else batch.step();
    yield step;
  }
}

/** A step five times in eight, else a rollout, a reset of some or a detour of the state. */
function call(batch: Batch, policies: readonly number[], kind: number, detail: number): void {
  switch (kind % 8) {
    case 0:
      batch.rollout(policies[detail % policies.length], 1 + ((detail >>> 8) % 3));
      break;
    case 1: {
      const { resetMask } = batch.channels;
      resetMask.forEach((_, i) => {
        resetMask[i] = ((detail >>> (i % 31)) ^ i) & 1;
      });
      batch.reset(kind & 8 ? { lo: detail, hi: kind } : null, (kind & 48) > 0);
      break;
    }
    case 2: {
      const state = batch.exportState();
      batch.reset({ lo: detail, hi: kind }, false);
      batch.importState(state);
      break;
    }
    default:
      batch.step();
  }
}

/** Every byte that a batch has put out, and where `withState` all of its state. */
export function imageOf(batch: Batch, withState: boolean): Buffer {
  const outputs = outputChannels.map((name) => batch.channels[name]);
  const state = withState ? [batch.exportState()] : [];
  return Buffer.concat(
    [...outputs, ...state, Float64Array.of(batch.episodes())].map((view) =>
      Buffer.from(view.buffer, view.byteOffset, view.byteLength),
    ),
  );
}
