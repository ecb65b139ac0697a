/** The benchmark's definitions, its check of digests, its timing in turns, its document. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { definitions, idOf, peerDefinitions } from '../../bench/definitions.js';
import { checkName, DigestMismatchError, readDigests } from '../../bench/harness/digests.js';
import { loadBackends, ROOT } from '../../bench/harness/library.js';
import { measure } from '../../bench/harness/measure.js';
import { Progress } from '../../bench/harness/progress.js';
import { measurementsOf } from '../../bench/harness/results.js';
import { Session } from '../../bench/harness/session.js';
import { type Build, prepare, reasonToSkip } from '../../bench/harness/workload.js';
import { renewedDocument, withResults } from '../../bench/report/docs.js';
import * as library from '../../src/index.js';
import { results } from './support.js';

const all = [...definitions(), ...peerDefinitions()];
const reference = all.find(
  ({ group, envs, backend, timed }) =>
    group === 'environments' && envs === 16 && backend === 'reference' && timed === 'step',
)!;

async function build(digests = readDigests()): Promise<Build> {
  return { library, backends: await loadBackends(library), digests, prefix: '' };
}

describe('definitions', () => {
  it('have names of their own', () => {
    expect(new Set(all.map(idOf)).size).toBe(all.length);
  });

  it('share a digest for each task and number of environments, and all have one', () => {
    const needed = new Set(all.map(({ check }) => checkName(check)));
    expect(Object.keys(readDigests()).sort()).toEqual([...needed].sort());
  });

  it('are skipped with the reason where the machine cannot', async () => {
    const here = await build();
    const many = { ...reference, threads: 9999 };
    expect(reasonToSkip(reference, here)).toBeNull();
    expect(reasonToSkip(many, here)).toMatch(/^this machine has 1 threads/);
    expect(reasonToSkip({ ...reference, kernel: 'avx2' }, here)).toMatch('no avx2');
  });
});

describe('digests', () => {
  it('are the committed ones', async () => {
    const prepared = await prepare(reference, await build());
    expect(prepared.digest).toBe(readDigests()[checkName(reference.check)]);
    prepared.close();
  });

  it('keep what does not give them from being timed, and say which', async () => {
    const name = checkName(reference.check);
    const planted = await build({ ...readDigests(), [name]: 'feedfeedfeedfeed' });
    const attempt = prepare(reference, planted);
    await expect(attempt).rejects.toThrow(DigestMismatchError);
    await expect(attempt).rejects.toThrow(idOf(reference));
    await expect(attempt).rejects.toThrow('expected feedfeedfeedfeed, got');
    await expect(prepare(reference, await build({}))).rejects.toThrow('--write-digests');
  });

  it('end the run with exit code 1', () => {
    const checkout = mkdtempSync(join(tmpdir(), 'infragym-bench-test-'));
    try {
      plantCheckout(checkout);
      const script = join(ROOT, 'bench/run.ts');
      const only = ['--filter', idOf(reference), '--out', join(checkout, 'out')];
      const args = ['--import', 'tsx', script, ...only, '--compare-checkout', checkout];
      const run = () => execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'pipe' });
      expect(run).toThrow(/DigestMismatchError: base environments: serving step, 16 envs/);
    } finally {
      rmSync(checkout, { recursive: true });
    }
  });
});

/** A checkout with this one's build and no digest right. */
function plantCheckout(checkout: string): void {
  mkdirSync(join(checkout, 'bench'));
  symlinkSync(join(ROOT, 'dist'), join(checkout, 'dist'), 'dir');
  const digests = Object.fromEntries(Object.keys(readDigests()).map((name) => [name, 'wrong']));
  writeFileSync(join(checkout, 'bench/digests.json'), JSON.stringify({ digests }));
}

describe('a session', () => {
  it('measures a kernel once, however many names it has', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const settings = { rounds: 1, sampleSeconds: 0.001 };
    const session = new Session([await build()], results([]), settings, new Progress());
    await session.measureGroup('test', [reference, { ...reference, kernel: 'scalar' }]);
    expect(session.results.measurements.map(({ id }) => id)).toEqual([idOf(reference)]);
    expect(session.results.skipped[0].reason).toMatch('scalar, is measured under another name');
    log.mockRestore();
  });
});

describe('measure', () => {
  it('goes round by round through all workloads', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const order: string[] = [];
    const workload = (id: string) => {
      const run = () => {
        if (order.at(-1) !== id) order.push(id);
      };
      return { id, run, units: 2, close: () => {} };
    };
    const samples = new Map<string, number[]>();
    const workloads = [workload('a'), workload('b'), workload('c')];
    await measure('test', workloads, { rounds: 3, sampleSeconds: 0.002 }, samples);
    expect([...samples.keys()]).toEqual(['a', 'b', 'c']);
    for (const rounds of samples.values()) {
      expect(rounds).toHaveLength(3);
      expect(rounds.every((ns) => ns > 0)).toBe(true);
    }
    // Warmed up and tried once each, then three rounds.
    expect(order.slice(-9).join('')).toBe('abcabcabc');
    log.mockRestore();
  });

  it('makes figures of what was reached when the run was stopped', async () => {
    const prepared = await prepare(reference, await build());
    const id = idOf(reference);
    const samples = new Map([
      ['calibration', [2, 2, 2]],
      [id, [10, 14]],
    ]);
    const [row] = measurementsOf([prepared], samples);
    expect(row).toMatchObject({ id, ns_median: 12, ns_min: 10, ns_max: 14, to_calibration: 6 });
    expect(measurementsOf([prepared], new Map([['calibration', [2]]]))).toEqual([]);
    prepared.close();
  });
});

describe('docs/PERFORMANCE.md', () => {
  it('has the results of the committed run', () => {
    const { current, renewed } = renewedDocument();
    expect(current, 'run "npm run bench -- --write-docs"').toBe(renewed);
  });

  it('is not written without its marks', () => {
    expect(() => withResults('no marks', 'results')).toThrow('lacks');
  });
});
