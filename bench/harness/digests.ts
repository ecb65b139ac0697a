/**
 * Digests that every backend must give before it is timed: one for each task, number of
 * environments, seed and policy, whatever the backend, kernel or number of threads.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TaskVectorEnv } from '../../src/index.js';
import type { Check, Definition } from '../definitions.js';
import { type Library, ROOT } from './library.js';

export type Digests = Readonly<Record<string, string>>;

/** A measurement's digest is not the expected one: its seconds would mean nothing. */
export class DigestMismatchError extends Error {
  override name = 'DigestMismatchError';
}

const FILE = 'bench/digests.json';
const COMMENT =
  'Digests of state and last outputs after the check of each benchmark. The TypeScript ' +
  'reference alone writes them: npm run bench -- --write-digests.';

export function checkName({ task, envs, seed, rolloutSteps, steps }: Check): string {
  return `${task}, ${envs} envs, seed ${seed}, random ${rolloutSteps}, step ${steps}`;
}

/**
 * The expected digests of a checkout: its own, for results may have changed on purpose since; this
 * one's where it is from before there were any.
 */
export function readDigests(checkout: string = ROOT): Digests {
  const own = resolve(checkout, FILE);
  const path = existsSync(own) ? own : resolve(ROOT, FILE);
  return (JSON.parse(readFileSync(path, 'utf8')) as { digests: Digests }).digests;
}

/** Plays a check on a batch and returns the digest of what came of it. */
export function playCheck(env: TaskVectorEnv, check: Check): string {
  env.reset({ seed: check.seed });
  env.rollout('random', check.rolloutSteps);
  for (let step = 0; step < check.steps; step++) env.step();
  return env.digest();
}

/** @throws DigestMismatchError naming the benchmark, what was expected and what came. */
export function checkDigest(id: string, check: Check, digests: Digests, got: string): void {
  const name = checkName(check);
  const expected = digests[name];
  if (expected === got) return;
  const reason =
    expected === undefined
      ? 'no digest is expected of it yet: run "npm run bench -- --write-digests"'
      : `expected ${expected}, got ${got}`;
  throw new DigestMismatchError(`${id} is not timed; ${name}: ${reason}`);
}

/** Makes the digests of all definitions on the reference and writes them. */
export async function writeDigests(
  library: Library,
  definitions: readonly Definition[],
): Promise<void> {
  const checks = new Map(definitions.map(({ check }) => [checkName(check), check]));
  const digests: Record<string, string> = {};
  for (const [name, check] of checks) {
    const { task, envs: numEnvs } = check;
    const env = await library.makeVec(task, { numEnvs, backend: 'reference' });
    digests[name] = playCheck(env, check);
    env.close();
    console.error(`${digests[name]}  ${name}`);
  }
  const text = JSON.stringify({ comment: COMMENT, digests }, null, 2);
  writeFileSync(resolve(ROOT, FILE), `${text}\n`);
}
