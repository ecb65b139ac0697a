/** Gymnasium's environment checker in spirit, for single environments. */

import type { StepResult } from '../api/env.js';
import type { TaskEnv } from '../api/task-env.js';
import { makeRng } from '../base/seeding.js';
import { type Finding, Findings } from './findings.js';

const SEED = 20;
const STEPS = 24;

/**
 * Checks what every environment promises: spaces, reset and step, fresh results, one result for a
 * seed, an end that holds, snapshots. It plays episodes of its own, so reset `env` afterwards.
 *
 * @returns what was found wrong, each finding saying what was expected; empty where all is well.
 * @example
 * const findings = checkEnv(await make('serving/static-uniform-v1'));
 * if (findings.length > 0) throw new Error(findings.map(({ message }) => message).join('\n'));
 */
export function checkEnv(env: TaskEnv): Finding[] {
  const findings = new Findings();
  const checks = {
    spaces: checkSpaces,
    reset: checkReset,
    step: checkSteps,
    determinism: checkDeterminism,
    end: checkEnd,
    snapshot: checkSnapshot,
  };
  for (const [name, check] of Object.entries(checks)) {
    findings.run(name, () => check(env, findings));
  }
  return findings.list;
}

function checkSpaces(env: TaskEnv, findings: Findings): void {
  const { task, actionSpace, observationSpace } = env;
  const rng = makeRng(SEED);
  findings.expectEncodable(task, task.baselineAction, 'the baseline action');
  const action = actionSpace.sample(rng);
  findings.expectMember(actionSpace, action, 'a sample of the action space');
  findings.expectEncodable(task, action, 'a sample of the action space');
  findings.expectMember(observationSpace, observationSpace.sample(rng), 'a sampled observation');
  findings.expectEqual('flat size of an observation', observationSpace.flatDim, [
    task.observationDim,
  ]);
  findings.expectEqual('number of observation names', task.observationNames.length, [
    task.observationDim,
  ]);
}

function checkReset(env: TaskEnv, findings: Findings): void {
  const first = env.reset({ seed: SEED });
  const copy = first.observation.slice();
  findings.expectMember(env.observationSpace, first.observation, 'the observation after reset');
  findings.expect(typeof first.info === 'object', 'info must be an object after reset');
  const next = env.reset();
  findings.expect(first.observation !== next.observation, 'each reset must return a fresh array');
  expectSame(findings, 'the first observation', first.observation, copy);
  findings.expectThrow('a negative seed', () => env.reset({ seed: -1 }));
}

function checkSteps(env: TaskEnv, findings: Findings): void {
  env.reset({ seed: SEED });
  let previous: StepResult | undefined;
  for (const result of play(env, STEPS)) {
    const { observation, reward, terminated, truncated, info } = result;
    findings.expectMember(env.observationSpace, observation, 'the observation after a step');
    findings.expect(Number.isFinite(reward), `reward is ${reward}: a finite number is expected`);
    findings.expect(typeof terminated === 'boolean', 'terminated must be a boolean');
    findings.expect(typeof truncated === 'boolean', 'truncated must be a boolean');
    findings.expect(typeof info === 'object', 'info must be an object after a step');
    findings.expect(observation !== previous?.observation, 'a step must return fresh arrays');
    previous = result;
  }
  const digest = env.digest();
  findings.expectThrow('an action that is undefined', () => env.step(undefined));
  findings.expect(env.digest() === digest, 'a refused action must change nothing');
}

function checkDeterminism(env: TaskEnv, findings: Findings): void {
  const digests = [0, 1].map(() => {
    env.reset({ seed: SEED });
    play(env, STEPS);
    return env.digest();
  });
  findings.expect(
    digests[0] === digests[1],
    `one seed and the same actions must give one digest; got ${digests.join(' and ')}`,
  );
}

function checkEnd(env: TaskEnv, findings: Findings): void {
  const { horizonSteps, baselineAction } = env.task;
  env.reset({ seed: SEED });
  let last: StepResult | undefined;
  for (let step = 0; step < horizonSteps; step++) {
    last = env.step(baselineAction);
    if (hasEnded(last)) break;
  }
  if (last === undefined || !hasEnded(last)) {
    findings.expect(false, `an episode must end within its horizon, ${horizonSteps} steps`);
    return;
  }
  findings.expect('episode' in last.info, "info.episode must report the episode's statistics");
  findings.expect(
    env.episodeStatistics() !== null,
    'episodeStatistics must not be null at the end',
  );
  findings.expectThrow('a step after the end', () => env.step(baselineAction));
  env.reset();
  findings.expect(!hasThrown(() => env.step(baselineAction)), 'a reset must begin anew');
}

function checkSnapshot(env: TaskEnv, findings: Findings): void {
  env.reset({ seed: SEED });
  // Where episodes may be that short, the snapshot is one of the beginning.
  if (hasEnded(play(env, 3).at(-1))) env.reset({ seed: SEED });
  const snapshot = env.snapshot();
  play(env, STEPS);
  const digest = env.digest();
  env.restore(snapshot);
  play(env, STEPS);
  findings.expect(env.digest() === digest, 'a restored environment must go on as before');
  snapshot[snapshot.length - 1] ^= 0xff;
  findings.expectThrow('a damaged snapshot', () => env.restore(snapshot));
  findings.expect(env.digest() === digest, 'a refused snapshot must change nothing');
}

/** Up to `steps` steps with the same sampled actions every time; it stops at an episode's end. */
function play(env: TaskEnv, steps: number): StepResult[] {
  const rng = makeRng(SEED);
  const results: StepResult[] = [];
  for (let step = 0; step < steps; step++) {
    const result = env.step(env.actionSpace.sample(rng));
    results.push(result);
    if (hasEnded(result)) break;
  }
  return results;
}

function hasEnded(result: StepResult | undefined): boolean {
  return result !== undefined && (result.terminated || result.truncated);
}

function expectSame(findings: Findings, name: string, got: Float32Array, expected: Float32Array) {
  for (let i = 0; i < expected.length; i++) {
    findings.expectEqual(`${name}[${i}], held by the caller,`, got[i], [expected[i]]);
  }
}

function hasThrown(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch {
    return true;
  }
}
