/** The commands that play: JSON shapes, refusals and exit codes, from processes. */
import { describe, expect, it } from 'vitest';
import { backendReport, compileTask, listTasks, makeVec } from '../../src/index.js';
import { infragym, infragymProcess, json } from './run.js';

const TASK = 'static-uniform';

describe('tasks', () => {
  it('lists every task with what a learner needs to know', async () => {
    const tasks = await json<Record<string, unknown>[]>(['tasks']);
    expect(tasks.map((task) => task['id'])).toEqual(listTasks().map((task) => task.id));
    const first = tasks.find((task) => task['id'] === 'serving/static-uniform-v1');
    expect(first).toMatchObject({
      aliases: ['1', TASK],
      family: 'serving',
      difficulty: 'easy',
      episode_length: 200,
      program_digest: compileTask(TASK).programDigest,
    });
    expect(first?.['actions']).toHaveLength(5);
    expect(first?.['observations']).toHaveLength(14);
  });
});

describe('rollout', () => {
  const args = ['rollout', '--task', TASK, '--envs', '7', '--steps', '230', '--seed', '5'];

  it('reports speed, and the digest the library gives', async () => {
    const result = await json<Record<string, unknown>>([...args, '--backend', 'reference']);
    expect(Object.keys(result)).toEqual([
      ...['task', 'backend', 'kernel', 'envs', 'threads', 'steps', 'policy', 'seconds'],
      ...['steps_per_s', 'ns_per_step', 'episodes', 'digest'],
    ]);
    const env = await makeVec(TASK, { numEnvs: 7, seed: 5, backend: 'reference' });
    env.reset();
    const row = new Float32Array(env.task.actionDim);
    env.task.encodeAction(env.task.baselineAction, row);
    for (let i = 0; i < 7; i++) env.actions.set(row, i * row.length);
    for (let step = 0; step < 230; step++) env.step();
    expect(result).toMatchObject({ backend: 'reference', episodes: 7, digest: env.digest() });
    const seconds = Number(result['seconds']);
    expect(Number(result['steps_per_s']) * seconds).toBeCloseTo(7 * 230, 6);
    expect(Number(result['ns_per_step']) * 7 * 230).toBeCloseTo(seconds * 1e9, 0);
  });

  it('gives the same digest on every backend that is there', async () => {
    const there = (await backendReport()).filter(({ available }) => available);
    const digests = new Set<string>();
    for (const { name } of there) {
      const options = ['--policy', 'random', '--backend', name];
      digests.add((await json<{ digest: string }>([...args, ...options])).digest);
    }
    expect(digests.size).toBe(1);
  });

  it('leaves at once at Ctrl-C and prints nothing more', async () => {
    const endless = ['rollout', '--task', TASK, '--envs', '64', '--steps', '4000000000', '--json'];
    const finished = await infragymProcess([...endless, '--backend', 'reference'], {
      interruptAfterMs: 2000,
    });
    expect(finished).toMatchObject({ signal: 'SIGINT', stdout: '' });
    expect(finished.stderr).not.toMatch(/\n\s+at /);
  });
});

describe('evaluate', () => {
  it('summarises policies and compares them on the same episodes', async () => {
    const evaluation = await json<{
      policies: Record<string, unknown>[];
      paired: Record<string, unknown>[];
    }>(['evaluate', '--task', '1', '--policy', 'baseline,random', '--seeds', '0..3']);
    expect(evaluation).toMatchObject({ task: 'serving/static-uniform-v1', seeds: [0, 1, 2, 3] });
    expect(Object.keys(evaluation.policies[0])).toEqual([
      ...['policy', 'score_mean', 'score_ci95', 'return_mean', 'return_ci95'],
      ...['episode_length_mean', 'metrics', 'medians'],
    ]);
    const [baseline, random] = evaluation.policies.map((p) => Number(p['score_mean']));
    expect(baseline).toBeGreaterThan(0.3);
    expect(baseline).toBeLessThan(0.4);
    const [pair] = evaluation.paired;
    expect(pair).toMatchObject({ a: 'baseline', b: 'random' });
    expect(pair['score_difference_mean']).toBeCloseTo(baseline - random, 12);
    expect(pair['ci95']).toHaveLength(2);
  });

  it('gives one episode no interval', async () => {
    const args = ['evaluate', '--task', '1', '--policy', 'baseline', '--seeds', '7'];
    const evaluation = await json<{ policies: Record<string, unknown>[] }>(args);
    expect(evaluation.policies[0]['score_ci95']).toBeNull();
  });
});

describe('verify', () => {
  const quick = ['verify', '--quick', '--tasks', 'provisioning-easy', '--backends', 'reference'];

  it('reports backends, digests and the first difference', async () => {
    const finished = await infragym([...quick, '--json']);
    const report = JSON.parse(finished.stdout) as {
      ok: boolean;
      backends: Record<string, unknown>[];
      results: { digest: string; golden: string | null }[];
      first_difference: unknown;
    };
    expect(Object.keys(report.backends[0])).toEqual([
      ...['backend', 'kernel', 'available', 'refused', 'reason'],
    ]);
    expect(Object.keys(report.results[0])).toEqual([
      ...['task', 'backend', 'kernel', 'envs', 'threads', 'digest', 'golden'],
    ]);
    const isGolden = report.results.every(({ digest, golden }) => digest === (golden ?? digest));
    expect(report.ok).toBe(isGolden);
    expect(report.first_difference === null).toBe(report.ok);
    expect(finished.code).toBe(report.ok ? 0 : 1);
  });

  it('prints one line for each task and batch size', async () => {
    const { stdout } = await infragym(quick);
    const lines = stdout.split('\n').filter((line) => line.startsWith('provisioning/easy-v1'));
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).toMatch(/ [0-9a-f]{16} .*1 implementation$/);
  });
});

describe('doctor', () => {
  it('names every backend, with the reason where one is absent', async () => {
    const report = await json<{ backends: Record<string, unknown>[] }>(['doctor']);
    expect(report.backends.map(({ name }) => name)).toEqual(
      (await backendReport()).map(({ name }) => name),
    );
    for (const { available, reason } of report.backends) {
      expect(reason === null).toBe(available);
    }
  });
});

describe('the process', () => {
  it('prints one document on stdout and the exit code is the command line’s', async () => {
    const good = await infragymProcess(['tasks', '--json']);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.stdout)).toHaveLength(listTasks().length);
    const bad = await infragymProcess(['rollout', '--task', 'nowhere', '--json']);
    expect(bad).toMatchObject({ code: 2, stdout: '' });
    expect(bad.stderr).toMatch(/"nowhere"/);
  });
});

describe('wrong usage', () => {
  const refusals: [what: string, args: string[], message: RegExp][] = [
    [
      'a task that is not known',
      ['rollout', '--task', 'static-unifrom'],
      /"static-unifrom".*nearest/,
    ],
    ['a missing option', ['evaluate', '--task', '1'], /--policy/],
    ['an unknown option', ['tasks', '--frobnicate'], /--frobnicate/],
    ['an unknown command', ['frobnicate'], /frobnicate/],
    ['a number out of range', ['rollout', '--task', '1', '--envs', '0'], /--envs.*'0'.*1 to/],
    [
      'falling seeds',
      ['evaluate', '--task', '1', '--policy', 'random', '--seeds', '9..2'],
      /9\.\.2/,
    ],
    [
      'a policy of no such name',
      ['evaluate', '--task', '1', '--policy', 'gredy'],
      /"gredy", nearest greedy/,
    ],
    ['a backend of no such name', ['rollout', '--task', '1', '--backend', 'gpu'], /gpu.*native/],
    ['a policy twice', ['evaluate', '--task', '1', '--policy', 'random,random'], /more than once/],
    ['a file that is not there', ['table', 'check', 'no-such.csv'], /no-such\.csv.*ENOENT/],
  ];

  it.each(refusals)('%s exits with 2 and says what is wrong', async (_, args, message) => {
    const finished = await infragym(args);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(message);
    expect(finished.stderr).not.toMatch(/\n\s+at /);
    expect(finished.stdout).toBe('');
  });
});

describe('help', () => {
  const commands = ['tasks', 'evaluate', 'rollout', 'verify', 'grade', 'doctor', 'demo'];
  const tables = ['check', 'import', 'lookup', 'export'].map((name) => `table ${name}`);

  it.each([...commands, ...tables])('%s has an example and --json', async (command) => {
    const finished = await infragym([...command.split(' '), '--help']);
    expect(finished.code).toBe(0);
    expect(finished.stdout).toMatch(/Example:\n {2}infragym /);
    expect(finished.stdout).toContain('--json');
  });
});
