/** From samples to figures, goals, comparisons, text and picture. */
import { describe, expect, it } from 'vitest';
import { instructionsOf } from '../../bench/harness/instructions.js';
import { type PeerRow, peerIds, readAnswer, withAnswer } from '../../bench/harness/peers.js';
import { median, pairedRatio, spread } from '../../bench/harness/statistics.js';
import { compareBuilds, compareRuns, readResults } from '../../bench/report/compare.js';
import { goalRows, PEER_GOALS } from '../../bench/report/goals.js';
import { drawResults } from '../../bench/report/picture.js';
import { comparisonText, noiseText, resultsText } from '../../bench/report/report.js';
import { measurement, results } from './support.js';

describe('statistics', () => {
  it('takes the middle of the rounds', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(() => median([])).toThrow('at least one');
    expect(spread([8, 10, 13])).toBe(0.5);
  });

  it('leaves a slow minute that hits both out of their ratio', () => {
    expect(pairedRatio([10, 100, 10], [5, 50, 5])).toBe(2);
    expect(pairedRatio([10, 10, 70], [5, 5])).toBe(2);
    expect(() => pairedRatio([], [1])).toThrow(RangeError);
  });
});

describe('goals', () => {
  const wasm = measurement({ id: 'b', backend: 'wasm', ns_rounds: [30, 36, 33] });
  const native = measurement({ ns_rounds: [10, 12, 11] });
  const rowOf = (text: string, run = results([native, wasm])) => {
    return goalRows(run).find(({ name }) => name.includes(text));
  };

  it('are met or missed by ratios within the rounds', () => {
    expect(rowOf('Rust WASM')).toMatchObject({ figure: '0.333 ×', isMet: true });
    const slow = measurement({ backend: 'wasm', ns_rounds: [50, 60, 55] });
    const missed = rowOf('Rust WASM', results([native, slow]));
    expect(missed).toMatchObject({ figure: '0.2 ×', isMet: false });
  });

  it('have no figure where the run has not measured them', () => {
    expect(rowOf('AssemblyScript')).toMatchObject({ figure: null, isMet: null });
    expect(rowOf('gymnax')).toMatchObject({ figure: null, isMet: null });
  });

  it('judge cost by batch size from 1,024 environments on, and only up to a million', () => {
    const sizes = [1, 1024, 65536, 2 ** 20].map((envs) => {
      const ns = { 1: 900, 1024: 10, 65536: 11, [2 ** 20]: 14 }[envs]!;
      return measurement({ id: `${envs}`, group: 'environments', envs, ns_rounds: [ns, ns, ns] });
    });
    expect(rowOf('dearest', results(sizes))).toMatchObject({ figure: '1.4 ×', isMet: false });
    expect(rowOf('dearest', results(sizes.slice(0, 3)))).toMatchObject({ figure: null });
  });

  it('name peers that there are', () => {
    for (const { id } of PEER_GOALS) expect(peerIds()).toContain(id);
  });

  it('compare with peers round by round', () => {
    const ours = measurement({ group: 'peers', ns_rounds: [10, 20] });
    const row = answered([2.5e7, 1.25e7]);
    const found = rowOf('÷ gymnax', results([ours], { peers: [row] }));
    expect(found).toMatchObject({ figure: '4 ×', isMet: true });
  });
});

function answered(rates: readonly number[]): PeerRow {
  const peer = { id: 'gymnax', name: 'gymnax', version: '1', environment: 'CartPole-v1' };
  return { ...peer, computes: 'jit', envs: 4096, steps_per_second_rounds: rates };
}

describe('peers', () => {
  const { steps_per_second_rounds: _, ...peer } = answered([]);

  it('gather a figure a round', () => {
    const answer = readAnswer(JSON.stringify({ ...peer, steps_per_second: 5, cpu_s: 1 }));
    const rows = withAnswer(withAnswer([], answer), { ...answer, steps_per_second: 7 });
    expect(rows).toEqual([answered([5, 7])]);
  });

  it('are refused where they fail or say too little', () => {
    expect(() => readAnswer('{ "error": "numba is not installed" }')).toThrow('not installed');
    const wrong = JSON.stringify({ ...peer, steps_per_second: 0 });
    expect(() => readAnswer(wrong)).toThrow('steps_per_second is 0');
    const { name: __, ...nameless } = peer;
    expect(() => readAnswer(JSON.stringify(nameless))).toThrow('has no name');
  });
});

describe('comparing', () => {
  const base = results([measurement({ to_calibration: 5 })]);

  it('takes ratios to the calibration, so that a slower machine is no regression', () => {
    const slower = results([measurement({ ns_rounds: [20, 20, 20], to_calibration: 5 })]);
    expect(compareRuns(slower, base, 0.15).rows).toEqual([
      { id: 'a', ratio: 1, isRegression: false },
    ]);
  });

  it('finds what is slower by more than the tolerance', () => {
    const slower = results([measurement({ to_calibration: 6.25 })]);
    expect(compareRuns(slower, base, 0.15).rows[0]).toMatchObject({
      ratio: 0.8,
      isRegression: true,
    });
    expect(compareRuns(slower, base, 0.25).rows[0].isRegression).toBe(false);
  });

  it('wants the best round to be slower too', () => {
    const noisy = [measurement({ ns_rounds: [10, 14, 15] })];
    const report = compareBuilds(noisy, [measurement()], 0.15);
    expect(report.rows[0].ratio).toBeLessThan(0.75);
    expect(report.rows[0].isRegression).toBe(false);
  });

  it('tells what only one of them has', () => {
    const other = results([measurement({ id: 'b' })]);
    const report = compareRuns(other, base, 0.15);
    expect(report).toEqual({ rows: [], onlyInBase: ['a'], onlyHere: ['b'] });
    expect(comparisonText(report, 0.15)).toContain('Not in the base: 1');
  });

  it('refuses results of another format', () => {
    expect(() => readResults('{ "format": 0, "measurements": [] }')).toThrow('format 0');
    expect(readResults(JSON.stringify(base)).measurements).toHaveLength(1);
  });
});

describe('a callgrind profile', () => {
  const profile = [
    'ob=(1) /usr/lib/libc.so',
    'fn=(1) memcpy',
    '12 1000',
    'ob=(2) /somewhere/infragym.node',
    'fn=(2) step',
    '20 30',
    '+3 4',
    'cob=(1)',
    'cfn=(1)',
    'calls=1 12',
    '* 1000',
    '* 5',
    'ob=(1)',
    'fn=(3) free',
    '7 70',
    'ob=(2)',
    'fn=(4) reset',
    '-2 600',
    '',
    'totals: 2709',
  ].join('\n');

  it('is summed over one object, without what its functions call', () => {
    expect(instructionsOf(profile, 'infragym.node')).toBe(30 + 4 + 5 + 600);
    expect(instructionsOf(profile, 'libc.so')).toBe(1070);
    expect(instructionsOf(profile, 'none.so')).toBe(0);
  });
});

describe('the report', () => {
  const slow = { backend: 'reference', kernel: 'scalar', ns_rounds: [500, 500, 500] };
  const reference = measurement({ id: 'r', ...slow });
  const run = results([measurement(), reference], {
    skipped: [{ id: 'x', reason: 'this processor has no avx512' }],
  });

  it('shows speed, cost and the ratio to the reference', () => {
    const text = resultsText(run);
    expect(text).toContain('| serving, native, avx2 | 100 | 10 | 10 – 10 | 50 × |');
    expect(text).toContain('| x | this processor has no avx512 |');
    expect(text).not.toContain('### Threads');
  });

  it('warns of noise, and only of noise', () => {
    expect(noiseText(run)).toBe('');
    const noisy = results([measurement({ ns_rounds: [10, 10, 14] })]);
    expect(noiseText(noisy)).toContain('1 of 1 measurements');
  });

  it('says where a run was stopped', () => {
    expect(resultsText(results([], { complete: false }))).toContain('stopped early');
  });

  it('draws every kernel with its speed', () => {
    const svg = drawResults(run);
    for (const text of ['native, avx2', 'reference, scalar', '100']) {
      expect(svg).toContain(`>${text}<`);
    }
  });
});
