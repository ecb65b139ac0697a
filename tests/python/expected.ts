/**
 * The expected results of the Python package: `tsx tests/python/expected.ts FOLDER` plays every
 * task here and writes the actions it took, the digests they led to, snapshots, grades and bundles.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../src/cli/program.js';
import {
  type CompiledTask,
  compileTask,
  createPolicy,
  createRecordArrays,
  encodeBundle,
  evaluateEpisodes,
  familyOf,
  type JsonObject,
  listTasks,
  makeRng,
  makeVec,
  policyRows,
  type TaskVectorEnv,
} from '../../src/index.js';

const NUM_ENVS = 70;
const STEPS = 300;
const SEED = 12345;
const EVALUATED_SEEDS = [0, 1, 2, 7, 2 ** 40];

/** The plays: every task, the action spaces of one that has a choice, own configurations. */
function runs(): { name: string; id: string; config: JsonObject }[] {
  const plain = listTasks().map(({ id }) => ({ name: id.replace('/', '-'), id, config: {} }));
  const spaces = ['normalised', 'discrete'].map((choice) => ({
    name: `static-uniform-${choice}`,
    id: 'serving/static-uniform',
    config: { action_space: choice },
  }));
  const own = [
    { id: 'autoscaling/easy', config: { max_steps: 50, max_delta: 3, budget: 300 } },
    { id: 'provisioning/hard', config: { arrival_rate: 9, normalize_observation: true } },
  ].map((run, i) => ({ name: `own-${i}`, ...run }));
  return [...plain, ...spaces, ...own];
}

/** Rows of random actions, [step][env][dim], as the core reads them. */
function randomRows(task: CompiledTask): Float32Array | Int32Array {
  const length = STEPS * NUM_ENVS * task.actionDim;
  const rows = task.actionDtype === 'index' ? new Int32Array(length) : new Float32Array(length);
  const rng = makeRng(`actions of ${task.programDigest}`);
  for (let at = 0; at < length; at += task.actionDim) {
    task.encodeAction(task.actionSpace.sample(rng), rows.subarray(at, at + task.actionDim));
  }
  return rows;
}

const bytesOf = (array: ArrayBufferView) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Plays rows of actions: the digest of all that every step gave, and of the state at the end. */
function play(env: TaskVectorEnv, rows: Float32Array | Int32Array) {
  const hash = createHash('sha256');
  const width = rows.length / STEPS;
  const arrays = [env.observations, env.rewards, env.costs, env.terminated, env.truncated];
  let snapshot: Uint8Array = new Uint8Array();
  env.reset({ seed: SEED });
  for (let step = 0; step < STEPS; step++) {
    env.step(rows.subarray(step * width, (step + 1) * width));
    for (const array of [...arrays, env.masks]) hash.update(bytesOf(array));
    if (step === STEPS / 2) snapshot = env.snapshot();
  }
  return { outputs: hash.digest('hex'), digest: env.digest(), snapshot };
}

/** A linear and a tabular policy that every task can play. */
function parametricPolicies(task: CompiledTask) {
  const rng = makeRng('policies');
  const rows = policyRows(task);
  const weights = Array.from({ length: rows * task.observationDim }, () => rng.nextFloat() - 0.5);
  const bias = Array.from({ length: rows }, () => rng.nextFloat() - 0.5);
  const features = [{ observation: 0, edges: [1, 20, 40] }];
  const row = new (task.actionDtype === 'index' ? Int32Array : Float32Array)(task.actionDim);
  const table = Array.from({ length: 4 }, () => {
    task.encodeAction(task.actionSpace.sample(rng), row);
    return [...row];
  }).flat();
  return {
    linear: { kind: 'linear', weights, bias },
    tabular: { kind: 'tabular', features, table },
  } as const;
}

/** Digests after rollouts under every policy of the core, and of what one records. */
async function rollouts(task: CompiledTask, id: string, config: JsonObject) {
  const parametric = parametricPolicies(task);
  const digests: Record<string, string> = {};
  const named = ['random', ...task.layout.heuristics];
  for (const policy of [...named, parametric.linear, parametric.tabular]) {
    const env = await makeVec(id, { numEnvs: 5, seed: 3, config, autoreset: 'same-step' });
    env.reset();
    env.rollout(policy, 120);
    digests[typeof policy === 'string' ? policy : policy.kind] = env.digest();
    env.close();
  }
  const env = await makeVec(id, { numEnvs: 5, seed: 4, config });
  env.reset();
  const arrays = createRecordArrays(env, 40);
  env.record('random', 40, arrays);
  const hash = createHash('sha256');
  for (const array of Object.values(arrays)) hash.update(bytesOf(array));
  env.close();
  return { digests, policies: parametric, recorded: hash.digest('hex') };
}

/** Grades of the baseline and of every heuristic of the core. */
async function grades(task: CompiledTask, isPlain: boolean) {
  const graded: Record<string, unknown> = {};
  const known = familyOf(task.spec.id).policies;
  const heuristics = task.layout.heuristics
    .map((name) => name.replaceAll('_', '-'))
    .filter((name) => known.includes(name));
  for (const name of ['baseline', ...(isPlain ? heuristics : [])]) {
    const policy = await createPolicy(name, task);
    graded[name] = await evaluateEpisodes(task, policy, EVALUATED_SEEDS);
  }
  return graded;
}

/** Policies trained here for a moment: real, several fields, masked, a number, and a table. */
const TRAINED = [
  ['ppo', 'serving/static-uniform'],
  ['ppo', 'autoscaling/fleet'],
  ['ppo', 'scheduling/base'],
  ['dqn', 'provisioning/medium'],
  ['qlearning', 'provisioning/easy'],
] as const;

/** Trains a policy into a directory and has it graded. */
async function learned(algorithm: string, id: string, folder: string) {
  const name = `${algorithm}-${id.replace('/', '-')}`;
  const out = join(folder, name);
  rmSync(out, { recursive: true, force: true });
  const rest = ['--validation-episodes', '0', '--test-episodes', '0', '--json'];
  const code = await main([
    'train',
    algorithm,
    '--task',
    id,
    '--steps',
    '512',
    '--out',
    out,
    ...rest,
  ]);
  if (code !== 0) throw new Error(`infragym train ${algorithm} ended with ${code}`);
  const task = compileTask(id);
  return {
    name,
    id,
    results: await evaluateEpisodes(task, await createPolicy(out, task), EVALUATED_SEEDS),
  };
}

async function writeExpected(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, data: Uint8Array) => writeFileSync(join(folder, name), data);
  const expected: object[] = [];
  for (const { name, id, config } of runs()) {
    const task = compileTask(id, config);
    const rows = randomRows(task);
    const options = { numEnvs: NUM_ENVS, infos: true, config };
    const env = await makeVec(id, options);
    const { outputs, digest, snapshot } = play(env, rows);
    const info = env.info(NUM_ENVS - 1);
    env.close();
    write(`${name}.bundle`, encodeBundle(task));
    write(`${name}.actions`, bytesOf(rows));
    write(`${name}.snapshot`, snapshot);
    const graded = await grades(task, Object.keys(config).length === 0);
    const played = await rollouts(task, id, config);
    expected.push({ name, id, config, outputs, digest, info, grades: graded, ...played });
  }
  const trained = [];
  for (const [algorithm, id] of TRAINED) trained.push(await learned(algorithm, id, folder));
  const text = JSON.stringify({ trained, NUM_ENVS, STEPS, SEED, EVALUATED_SEEDS, runs: expected });
  write('expected.json', new TextEncoder().encode(text));
}

await writeExpected(process.argv[2]);
