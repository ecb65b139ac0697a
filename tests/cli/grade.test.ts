/** `infragym grade`: logs of both forms against the grade of the episode itself. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { make } from '../../src/index.js';
import { infragym, json, temporaryFolder } from './run.js';

const folder = temporaryFolder();

function write(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

interface Step {
  readonly action: unknown;
  readonly reward: number;
  readonly metrics: unknown;
}

/** An episode under a policy that moves about, with its log and its own grade. */
async function episode(id: string, seed: number) {
  const env = await make(id, { backend: 'reference', seed });
  const steps: Step[] = [];
  env.reset();
  for (let step = 0, hasEnded = false; !hasEnded; step++) {
    const batch_size = step % 20 < 10 ? 64 : 32;
    const action = { ...(env.task.baselineAction as object), batch_size };
    const { reward, info, terminated, truncated } = env.step(action);
    steps.push({ action, reward, metrics: info['metrics'] });
    hasEnded = terminated || truncated;
  }
  const statistics = env.episodeStatistics();
  if (statistics === null) throw new Error('the episode has no statistics');
  return { steps, statistics, task: env.task };
}

describe("grading the origin's tasks", () => {
  it.each(['1', '2', '3'])('task %s: an array of steps grades as the episode does', async (id) => {
    const { steps, statistics, task } = await episode(id, 4);
    const log = write(`origin-${id}.json`, steps);
    const grade = await json<{ score: number }>(['grade', '--task', id, '--log', log]);
    expect(grade).toEqual(task.grade(statistics));
    const named = { task: id, program_digest: task.programDigest, seed: 4, steps };
    const file = write(`named-${id}.json`, named);
    expect(await json(['grade', '--task', id, '--log', file])).toEqual(grade);
  });

  it('exits with 1 below a threshold', async () => {
    const { steps, statistics, task } = await episode('1', 0);
    const log = write('threshold.json', steps);
    const { score } = task.grade(statistics);
    const at = (threshold: number) =>
      infragym(['grade', '--task', '1', '--log', log, '--threshold', String(threshold)]);
    expect((await at(score)).code).toBe(0);
    const below = await at(score + 1e-9);
    expect(below.code).toBe(1);
    expect(below.stdout).toMatch(/^score 0\.\d{4}/);
  });
});

describe('refusals', () => {
  const cases: [what: string, log: unknown, message: RegExp][] = [
    ['no JSON', '{"steps": [', /is no JSON/],
    ['a number', 7, /the log is 7: an array/],
    ['another program', { program_digest: 'abc', seed: 1, steps: [] }, /program_digest is "abc"/],
    ['a step without metrics', [{ action: {}, reward: 0 }], /log\[0\]\.metrics/],
    ['another task', { task: '2', steps: [] }, /task is "2"/],
  ];

  it.each(cases)('%s is wrong input', async (what, log, message) => {
    const file = write(`${what.replaceAll(' ', '-')}.json`, log);
    const finished = await infragym(['grade', '--task', '1', '--log', file]);
    expect(finished).toMatchObject({ code: 2, stdout: '' });
    expect(finished.stderr).toMatch(message);
  });
});
