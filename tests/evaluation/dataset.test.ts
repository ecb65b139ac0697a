import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { compileTask } from '../../src/api/registry.js';
import { digestOf } from '../../src/base/digest.js';
import type { CompiledTask } from '../../src/envs/family.js';
import { DATASET_KEY, DatasetEncoder, datasetHeader } from '../../src/evaluation/dataset.js';
import { writeDataset } from '../../src/evaluation/dataset-node.js';
import { evaluateEpisodes } from '../../src/evaluation/evaluate.js';
import { randomPolicy } from '../../src/evaluation/policy.js';
import type { Transitions } from '../../src/evaluation/transitions.js';
import { infragym, json, temporaryFolder } from '../cli/run.js';
import { playEpisode, provisioning } from '../support/provisioning.js';

type Row = Record<string, unknown> & {
  episode_id: number;
  step: number;
  observations: number[];
  next_observations: number[];
  rewards: number;
  costs: number;
  terminations: boolean;
  truncations: boolean;
};

const folder = temporaryFolder();
const bufferOf = (bytes: Uint8Array) => Uint8Array.from(bytes).buffer;
const readRows = async (bytes: Uint8Array) =>
  (await parquetReadObjects({ file: bufferOf(bytes) })) as Row[];

/** One episode a row group, however soon the money ends it. */
const longTask = (): CompiledTask => provisioning('hard', { max_steps: 30_000 });

describe('a data set', () => {
  it('holds every transition, as the same actions give it again', async () => {
    const path = join(folder, 'easy.parquet');
    const task = provisioning('easy');
    const result = await writeDataset(path, task, randomPolicy(3), { episodes: 5, seed: 40 });
    const bytes = readFileSync(path);
    const rows = await readRows(bytes);
    expect(result).toEqual({
      file: path,
      episodes: 5,
      transitions: rows.length,
      digest: digestOf(bytes),
    });
    for (let episode = 0; episode < 5; episode++) {
      const mine = rows.filter((row) => row.episode_id === episode);
      const { steps } = playEpisode(task, 40 + episode, (step) => mine[step]!['actions'] as number);
      expect(mine.length).toBe(steps.length);
      mine.forEach((row, t) => {
        const { observation, reward, cost, terminated, truncated } = steps[t]!;
        const before = t === 0 ? [0, 2, 0, 800, 0, 0] : [...steps[t - 1]!.observation];
        expect(row).toMatchObject({ step: t, rewards: reward, costs: cost });
        expect([row.terminations, row.truncations]).toEqual([terminated, truncated]);
        expect(row.observations).toEqual(before);
        expect(row.next_observations).toEqual([...observation]);
      });
    }
    expect(existsSync(`${path}.part`) || existsSync(`${path}.progress.json`)).toBe(false);
  });

  it('sums to the returns of an evaluation, with rows of actions too', async () => {
    const path = join(folder, 'serving.parquet');
    const task = compileTask('serving/static-uniform-v1');
    await writeDataset(path, task, randomPolicy(), { episodes: 3, backend: 'reference' });
    const rows = await readRows(readFileSync(path));
    const episodes = await evaluateEpisodes(task, randomPolicy(), [0, 1, 2]);
    episodes.forEach((episode, k) => {
      const mine = rows.filter((row) => row.episode_id === k);
      expect(mine.reduce((sum, row) => sum + row.rewards, 0)).toBe(episode.return);
      expect(mine.every((row) => (row['actions'] as number[]).length === task.actionDim)).toBe(
        true,
      );
    });
  });

  it('says what it was made of', async () => {
    const path = join(folder, 'header.parquet');
    const task = provisioning('easy', { max_steps: 3 });
    await writeDataset(path, task, randomPolicy(), { episodes: 2, seed: 2 ** 40 });
    const { key_value_metadata, num_rows } = parquetMetadata(bufferOf(readFileSync(path)));
    const text = key_value_metadata?.find(({ key }) => key === DATASET_KEY)?.value;
    expect(num_rows).toBe(6n);
    expect(JSON.parse(text!)).toEqual({
      ...datasetHeader(task, { policy: 'random', seed: String(2 ** 40), episodes: 2 }),
      config: { ...task.config },
    });
    expect(JSON.parse(text!)).toMatchObject({ task: 'provisioning/easy-v1', format_version: 1 });
  });

  it('keeps masks beside the observations where a family has them', async () => {
    const task = { ...provisioning('easy'), maskDim: 3 };
    const rows: Transitions = {
      episode_id: [0, 0],
      step: [0, 1],
      observations: [
        [1, 2],
        [3, 4],
      ],
      actions: [1, -1],
      rewards: [0.5, 1],
      costs: [0, 0],
      terminations: [false, true],
      truncations: [false, false],
      next_observations: [
        [3, 4],
        [5, 6],
      ],
      masks: [
        [true, false, true],
        [false, false, true],
      ],
    };
    const header = datasetHeader(task, { policy: 'random', seed: '0', episodes: 1 });
    const encoder = new DatasetEncoder(task, header);
    const file = Buffer.concat([encoder.encode(rows, 1), encoder.finish()]);
    const read = await readRows(file);
    expect(read.map((row) => row['masks'])).toEqual(rows.masks);
    expect(read.map((row) => row['actions'])).toEqual(rows.actions);
  });

  it('is the same file on every backend', async () => {
    const digests: string[] = [];
    for (const backend of ['reference', 'auto'] as const) {
      const path = join(folder, `${backend}.parquet`);
      const made = await writeDataset(path, longTask(), randomPolicy(), { episodes: 3, backend });
      digests.push(made.digest);
    }
    expect(digests[0]).toBe(digests[1]);
  });
});

describe('an interrupted data set', () => {
  /** Writes to `path` and stops once `after` episodes are kept. */
  async function interrupt(path: string, after: number): Promise<void> {
    const onProgress = (episodes: number) => {
      if (episodes === after) throw new Error('interrupted');
    };
    const options = { episodes: 4, onProgress };
    await expect(writeDataset(path, longTask(), randomPolicy(), options)).rejects.toThrow(
      'interrupted',
    );
  }
  const go = (path: string, episodes = 4, policy = randomPolicy()) =>
    writeDataset(path, longTask(), policy, { episodes });

  it('goes on where it was, to the same bytes', async () => {
    const whole = join(folder, 'whole.parquet');
    const { digest } = await go(whole);
    for (const after of [1, 2, 4]) {
      const path = join(folder, `cut-${after}.parquet`);
      await interrupt(path, after);
      // As where the process ended between a row group and its checkpoint.
      appendFileSync(`${path}.part`, 'half a row group');
      const began: number[] = [];
      const onProgress = (episodes: number) => began.push(episodes);
      const result = await writeDataset(path, longTask(), randomPolicy(), {
        episodes: 4,
        onProgress,
      });
      expect(began[0]).toBe(after);
      expect(result.digest).toBe(digest);
      expect(readFileSync(path).equals(readFileSync(whole))).toBe(true);
    }
  });

  it('is not gone on with as another, nor from a damaged state', async () => {
    const path = join(folder, 'other.parquet');
    await interrupt(path, 2);
    await expect(go(path, 5)).rejects.toThrow(/another data set: its episodes is 4.*delete/);
    const other = { ...randomPolicy(), name: 'other' };
    await expect(go(path, 4, other)).rejects.toThrow(/its policy is random/);
    const progress = readFileSync(`${path}.progress.json`, 'utf8');
    for (const text of ['', '{}', progress.slice(0, -20)]) {
      writeFileSync(`${path}.progress.json`, text);
      await expect(go(path)).rejects.toThrow(/progress file is damaged/);
    }
    writeFileSync(`${path}.progress.json`, progress);
    truncateSync(`${path}.part`, 10);
    await expect(go(path)).rejects.toThrow(/has 10 bytes/);
  });

  it('refuses numbers of episodes that are none', async () => {
    const path = join(folder, 'none.parquet');
    for (const episodes of [0, 1.5, -1, Number.NaN]) {
      await expect(go(path, episodes)).rejects.toThrow(/episodes is/);
    }
  });
});

describe('infragym dataset', () => {
  const args = ['dataset', '--task', 'provisioning-easy', '--policy', 'match-queue'];

  it('writes the file and reports it', async () => {
    const out = join(folder, 'deep/er/cli.parquet');
    const result = await json<Record<string, unknown>>([...args, '--episodes', '3', '--out', out]);
    expect(Object.keys(result)).toEqual(['file', 'episodes', 'transitions', 'digest']);
    const rows = await readRows(readFileSync(out));
    expect(result).toMatchObject({ file: out, episodes: 3, transitions: rows.length });
    expect(result['digest']).toBe(digestOf(readFileSync(out)));
  });

  it('refuses what is wrong with exit code 2', async () => {
    const out = join(folder, 'wrong.parquet');
    const complete = [...args, '--out', out, '--episodes'];
    for (const wrong of [
      [...complete, '0'],
      [...complete, '3', '--policy', 'matchqueue'],
      [...complete, '3', '--seed', '-1'],
      [...complete, '3', '--task', 'provisioning-esy'],
    ]) {
      expect((await infragym(wrong)).code, wrong.join(' ')).toBe(2);
    }
    expect(existsSync(out)).toBe(false);
  });
});
