/** The bundle for browsers, in a fresh process that has the web's globals and none of Node's. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleForBrowsers } from '../scripts/lib/bundle.mjs';
import { loadAssemblyScript } from '../src/backends/assemblyscript.js';
import { loadWasm } from '../src/backends/wasm.js';
import type { Goldens, VerifyReport } from '../src/index.js';
import { whenAvailable } from './support/backends.js';

const TASKS = ['serving/static-uniform-v1', 'provisioning/easy-v1'];
/** Of the minified bundle, readers included; a dependency that slips in shows here. */
const GZIP_BYTES_MAX = 330_000; // the trainers and their learner are 10 kB of it

const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

interface PageAnswer {
  readonly fetched: readonly string[];
  readonly steps: Readonly<Record<string, { backend: string; observation: number[] }>>;
  readonly report: VerifyReport;
}

const folder = mkdtempSync(join(tmpdir(), 'infragym-browser-'));
afterAll(() => rmSync(folder, { recursive: true }));

let sizes = { bytes: 0, gzipBytes: 0 };
beforeAll(async () => {
  sizes = await bundleForBrowsers(folder);
});

/** Verifies the tasks in a page, on a backend and on the reference. */
function openPage(name: string): PageAnswer {
  const file = JSON.parse(readFileSync(pathOf('vectors/goldens.json'), 'utf8'));
  const goldens = (file as { tasks: Goldens }).tasks;
  const input = JSON.stringify({ backends: [name, 'reference'], tasks: TASKS, goldens });
  const script = pathOf('support/browser-page.mjs');
  const args = ['--no-warnings', '--experimental-vm-modules', script, folder];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  // An uncaught error prints its line of the bundle, which is most of it.
  expect(status, stderr.slice(-1000)).toBe(0);
  return JSON.parse(stdout) as PageAnswer;
}

describe('the bundle for browsers', () => {
  it('is one small file with its modules beside it', () => {
    expect(sizes.gzipBytes).toBeGreaterThan(10_000);
    expect(sizes.gzipBytes).toBeLessThan(GZIP_BYTES_MAX);
    expect(existsSync(join(folder, 'infragym.wasm'))).toBe(true);
  });
});

const loaders = {
  wasm: { load: loadWasm, module: 'infragym_bg.wasm' },
  assemblyscript: { load: loadAssemblyScript, module: 'infragym.wasm' },
};

for (const [name, { load, module }] of Object.entries(loaders)) {
  await whenAvailable(name, load, () => {
    it(`fetches ${module} and gives the committed digests on ${name} and the reference`, () => {
      const { fetched, steps, report } = openPage(name);
      expect(fetched).toEqual([`https://infragym.example/assets/${module}`]);
      expect(steps[name]).toEqual({ ...steps['reference'], backend: name });
      expect(steps['reference'].observation.length).toBeGreaterThan(0);
      expect(report.firstDifference).toBeNull();
      expect(report.ok).toBe(true);
      const backends = new Set(report.results.map(({ backend }) => backend));
      expect([...backends].sort()).toEqual([name, 'reference'].sort());
      for (const { digest, golden } of report.results) expect(golden).toBe(digest);
    });
  });
}
