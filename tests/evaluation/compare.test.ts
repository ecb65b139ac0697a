import { describe, expect, it } from 'vitest';
import {
  baselinePolicy,
  comparePolicies,
  compileTask,
  evaluateEpisodes,
  meanMetrics,
  pairedDifferences,
  randomPolicy,
  summarizePaired,
} from '../../src/index.js';

describe('comparePolicies', () => {
  it('plays the same episodes as evaluateEpisodes, and pairs them', async () => {
    const task = compileTask('serving/static-uniform-v1');
    const seeds = [3, '4', 5];
    const policies = { fixed: baselinePolicy(task), drawn: randomPolicy() };
    const shares: number[] = [];
    const { policies: rows, paired } = await comparePolicies(task, policies, seeds, {
      onProgress: (share) => shares.push(share),
    });
    const fixed = await evaluateEpisodes(task, baselinePolicy(task), seeds);
    const drawn = await evaluateEpisodes(task, randomPolicy(), seeds);
    expect(rows.map(({ policy }) => policy)).toEqual(['fixed', 'drawn']);
    expect(rows[0]!.episodes).toEqual(fixed);
    expect(rows[1]!.metrics).toEqual(
      meanMetrics(
        task,
        drawn.map(({ statistics }) => statistics),
      ),
    );
    const scores = (results: typeof fixed) => results.map(({ score }) => score);
    const { mean, ci95 } = summarizePaired(scores(fixed), scores(drawn));
    const difference = { score_difference_mean: mean, ci95 };
    expect(paired).toEqual([{ a: 'fixed', b: 'drawn', episodes: 3, ...difference }]);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
    expect(shares.at(-1)).toBe(1);
  });
});

describe('pairedDifferences', () => {
  it('compares on common episodes and leaves out pairs without one', () => {
    const scores = new Map([
      [
        'a',
        new Map([
          ['1', 0.5],
          ['2', 0.75],
        ]),
      ],
      [
        'b',
        new Map([
          ['2', 0.25],
          ['3', 1],
        ]),
      ],
      ['c', new Map([['9', 1]])],
    ]);
    expect(pairedDifferences(scores)).toEqual([
      { a: 'a', b: 'b', episodes: 1, score_difference_mean: 0.5, ci95: null },
    ]);
  });
});
