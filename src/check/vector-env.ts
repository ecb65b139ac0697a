/** Gymnasium's environment checker in spirit, for batches. */

import type { TaskVectorEnv } from '../api/task-vector-env.js';
import { makeRng } from '../base/seeding.js';
import { batchSpace } from '../spaces/index.js';
import { type Finding, Findings } from './findings.js';

const SEED = 20;
const STEPS = 24;

/**
 * Checks what every batch promises: spaces, reset and step, one result for a seed, each autoreset
 * mode, columns that are the single environments, snapshots. It works on siblings of `env`, which
 * itself is not stepped.
 *
 * @returns what was found wrong, each finding saying what was expected; empty where all is well.
 * @example
 * const findings = checkVectorEnv(await makeVec('serving/static-uniform-v1', { numEnvs: 4 }));
 */
export function checkVectorEnv(env: TaskVectorEnv): Finding[] {
  const findings = new Findings();
  const checks = {
    spaces: checkSpaces,
    reset: checkReset,
    step: checkSteps,
    determinism: checkDeterminism,
    'next-step autoreset': checkNextStep,
    'same-step autoreset': checkSameStep,
    'disabled autoreset': checkDisabled,
    columns: checkColumns,
    snapshot: checkSnapshot,
    close: checkClose,
  };
  for (const [name, check] of Object.entries(checks)) {
    findings.run(name, () => check(env, findings));
  }
  return findings.list;
}

function checkSpaces(env: TaskVectorEnv, findings: Findings): void {
  const { task, numEnvs, singleActionSpace, singleObservationSpace } = env;
  const sample = singleActionSpace.sample(makeRng(SEED));
  findings.expectMember(singleActionSpace, sample, 'a sample of the action space');
  findings.expectEncodable(task, sample, 'a sample of the action space');
  findings.expectEncodable(task, task.baselineAction, 'the baseline action');
  findings.expectEqual('flat size of an observation', singleObservationSpace.flatDim, [
    task.observationDim,
  ]);
  findings.expectEqual('length of actions', env.actions.length, [numEnvs * task.actionDim]);
  const wantsIndex = task.actionDtype === 'index';
  findings.expect(
    env.actions instanceof (wantsIndex ? Int32Array : Float32Array),
    `actions must be ${wantsIndex ? 'Int32Array' : 'Float32Array'}: actionDtype says so`,
  );
  for (const [name, single, batched] of [
    ['observationSpace', singleObservationSpace, env.observationSpace],
    ['actionSpace', singleActionSpace, env.actionSpace],
  ] as const) {
    const isBatched = batchSpace(single, numEnvs).equals(batched);
    findings.expect(isBatched, `${name} must be the single space, numEnvs times`);
  }
}

function checkReset(env: TaskVectorEnv, findings: Findings): void {
  withSibling(env, {}, (batch) => {
    findings.expectThrow('a step before the first reset', () => batch.step());
    const { observations } = batch.reset({ seed: SEED });
    findings.expect(observations === batch.observations, 'reset must return the shared arrays');
    expectValid(batch, findings, 'after reset');
    expectQuiet(batch, findings, 'after reset');
    findings.expectThrow('a negative seed', () => batch.reset({ seed: -1 }));
  });
}

function checkSteps(env: TaskVectorEnv, findings: Findings): void {
  withSibling(env, {}, (batch) => {
    batch.reset({ seed: SEED });
    for (let step = 0; step < STEPS; step++) {
      batch.step(rowsOf(batch, SEED, step));
      expectValid(batch, findings, `after step ${step + 1}`);
    }
    const wrong = new Float32Array(batch.actions.length).fill(Number.NaN);
    findings.expectThrow('an action that is not a number', () => batch.step(wrong));
  });
}

function checkDeterminism(env: TaskVectorEnv, findings: Findings): void {
  const digests = [0, 1].map(() => digestAfter(env, SEED, STEPS));
  findings.expect(
    digests[0] === digests[1],
    `one seed and the same actions must give one digest; got ${digests.join(' and ')}`,
  );
}

function checkNextStep(env: TaskVectorEnv, findings: Findings): void {
  withSibling(env, { autoreset: 'next-step' }, (batch) => {
    const i = stepToEnd(batch, findings);
    if (i < 0) return;
    batch.step();
    const place = `environment ${i} in the step after its last`;
    findings.expectEqual(`reward of ${place}`, batch.rewards[i], [0]);
    findings.expectEqual(`terminated of ${place}`, batch.terminated[i], [0]);
    findings.expectEqual(`truncated of ${place}`, batch.truncated[i], [0]);
    expectRow(batch, i, nextEpisodeStart(env), findings, `the observation of ${place}`);
  });
}

function checkSameStep(env: TaskVectorEnv, findings: Findings): void {
  withSibling(env, { autoreset: 'same-step' }, (batch) => {
    const i = stepToEnd(batch, findings);
    if (i < 0) return;
    const place = `environment ${i} in its last step`;
    expectRow(batch, i, nextEpisodeStart(env), findings, `the observation of ${place}`);
    withSibling(env, { autoreset: 'disabled' }, (other) => {
      stepToEnd(other, findings);
      const width = batch.task.observationDim;
      for (let k = i * width; k < (i + 1) * width; k++) {
        const last = other.observations[k];
        findings.expectEqual(`finalObservations[${k}]`, batch.finalObservations[k], [last]);
      }
    });
  });
}

function checkDisabled(env: TaskVectorEnv, findings: Findings): void {
  withSibling(env, { autoreset: 'disabled' }, (batch) => {
    const i = stepToEnd(batch, findings);
    if (i < 0) return;
    findings.expectThrow('a step while an environment is finished', () => batch.step());
    batch.reset({ mask: batch.terminated.map((flag, k) => flag | batch.truncated[k]) });
    expectRow(batch, i, nextEpisodeStart(env), findings, 'the observation after a masked reset');
    const length = batch.statisticsOf(i)?.length_steps ?? 0;
    findings.expect(
      length >= 1 && length <= batch.task.horizonSteps,
      `length_steps of a finished episode is ${length}: 1..${batch.task.horizonSteps} is expected`,
    );
  });
}

/** Column i of a batch with seed s is the single environment with seed s + i. */
function checkColumns(env: TaskVectorEnv, findings: Findings): void {
  const numEnvs = 3;
  withSibling(env, { numEnvs }, (batch) => {
    batch.reset({ seed: SEED });
    for (let step = 0; step < STEPS; step++) batch.step(rowsOf(batch, SEED, step));
    for (let i = 0; i < numEnvs; i++) {
      withSibling(env, { numEnvs: 1 }, (single) => {
        single.reset({ seed: SEED + i });
        for (let step = 0; step < STEPS; step++) single.step(rowsOf(single, SEED + i, step));
        expectRow(batch, i, single.observations, findings, `column ${i}`);
        const reward = single.rewards[0];
        findings.expectEqual(`reward of column ${i}`, batch.rewards[i], [reward]);
      });
    }
  });
}

function checkSnapshot(env: TaskVectorEnv, findings: Findings): void {
  withSibling(env, {}, (batch) => {
    batch.reset({ seed: SEED });
    batch.rollout('random', STEPS);
    const snapshot = batch.snapshot();
    batch.rollout('random', STEPS);
    const digest = batch.digest();
    withSibling(env, {}, (other) => {
      other.restore(snapshot);
      other.rollout('random', STEPS);
      findings.expect(other.digest() === digest, 'a restored batch must go on as the first did');
      snapshot[snapshot.length - 1] ^= 0xff;
      findings.expectThrow('a damaged snapshot', () => other.restore(snapshot));
      findings.expect(other.digest() === digest, 'a refused snapshot must change nothing');
    });
  });
}

function checkClose(env: TaskVectorEnv, findings: Findings): void {
  const batch = env.sibling();
  batch.reset();
  batch.close();
  batch.close();
  findings.expectThrow('a step after close', () => batch.step());
}

type SiblingOptions = Parameters<TaskVectorEnv['sibling']>[0];

function withSibling(
  env: TaskVectorEnv,
  options: SiblingOptions,
  use: (batch: TaskVectorEnv) => void,
) {
  const batch = env.sibling({ autoreset: 'next-step', ...options });
  try {
    use(batch);
  } finally {
    batch.close();
  }
}

function digestAfter(env: TaskVectorEnv, seed: number, steps: number): string {
  let digest = '';
  withSibling(env, {}, (batch) => {
    batch.reset({ seed });
    for (let step = 0; step < steps; step++) batch.step(rowsOf(batch, seed, step));
    digest = batch.digest();
  });
  return digest;
}

/** Actions that depend on the step and on each environment's own seed only. */
function rowsOf({ task, numEnvs }: TaskVectorEnv, seed: number, step: number): unknown[] {
  return Array.from({ length: numEnvs }, (_, i) => {
    return task.actionSpace.sample(makeRng(`${seed + i} ${step}`));
  });
}

/** Steps with the baseline action until an environment has finished: its number, or -1. */
function stepToEnd(batch: TaskVectorEnv, findings: Findings): number {
  const actions = new Array<unknown>(batch.numEnvs).fill(batch.task.baselineAction);
  batch.reset({ seed: SEED });
  for (let step = 0; step < batch.task.horizonSteps; step++) {
    batch.step(actions);
    const i = batch.terminated.findIndex((flag, k) => flag === 1 || batch.truncated[k] === 1);
    if (i >= 0) return i;
  }
  findings.expect(
    false,
    `an episode must end within its horizon, ${batch.task.horizonSteps} steps`,
  );
  return -1;
}

/** Observations at the beginning of every environment's second episode. */
function nextEpisodeStart(env: TaskVectorEnv): Float32Array {
  let observations = new Float32Array();
  withSibling(env, {}, (batch) => {
    batch.reset({ seed: SEED });
    batch.reset();
    observations = batch.observations.slice();
  });
  return observations;
}

/** Row i of the batch against row i of `rows`, or its only row. */
function expectRow(
  batch: TaskVectorEnv,
  i: number,
  rows: Float32Array,
  findings: Findings,
  what: string,
): void {
  const width = batch.task.observationDim;
  const at = rows.length > width ? i * width : 0;
  for (let j = 0; j < width; j++) {
    const name = `${what}, ${batch.task.observationNames[j]}`;
    findings.expectEqual(name, batch.observations[i * width + j], [rows[at + j]]);
  }
}

function expectValid(batch: TaskVectorEnv, findings: Findings, when: string): void {
  const width = batch.task.observationDim;
  for (let i = 0; i < batch.numEnvs; i++) {
    const row = batch.observations.subarray(i * width, (i + 1) * width);
    const place = `environment ${i} ${when}`;
    findings.expectMember(batch.singleObservationSpace, row, `the observation of ${place}`);
    findings.expect(
      Number.isFinite(batch.rewards[i]) && Number.isFinite(batch.costs[i]),
      `reward and cost of ${place} must be finite: ${batch.rewards[i]}, ${batch.costs[i]}`,
    );
    findings.expectEqual(`terminated of ${place}`, batch.terminated[i], [0, 1]);
    findings.expectEqual(`truncated of ${place}`, batch.truncated[i], [0, 1]);
  }
}

function expectQuiet(batch: TaskVectorEnv, findings: Findings, when: string): void {
  for (const name of ['rewards', 'costs', 'terminated', 'truncated'] as const) {
    const isZero = Array.from(batch[name]).every((value) => value === 0);
    findings.expect(isZero, `${name} must be zeros ${when}`);
  }
}
