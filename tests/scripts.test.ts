/** The conclusions of the build and test commands from other programs' output and from files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { describe as describeTarget, requiredBackends } from '../scripts/build.mjs';
import { hashInputs } from '../scripts/lib/fingerprint.mjs';
import { root } from '../scripts/lib/process.mjs';
import { countCargo, countVitest } from '../scripts/lib/stages.mjs';

describe('counts', () => {
  it('sums every result line of cargo', () => {
    const output = [
      'test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out',
      'a test that prints test result: ok. 100 passed; 100 failed;',
      'test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out',
    ].join('\n');
    expect(countCargo(output)).toEqual({ passed: 15, failed: 2 });
    expect(countCargo('error: could not compile')).toEqual({ passed: 0, failed: 0 });
  });

  it('counts a file that vitest could not load as one failure', () => {
    const report = {
      numPassedTests: 7,
      numFailedTests: 1,
      testResults: [
        { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] },
        { status: 'failed', assertionResults: [] },
        { status: 'passed', assertionResults: [{ status: 'passed' }] },
      ],
    };
    expect(countVitest(report)).toEqual({ passed: 7, failed: 2 });
  });
});

describe('REQUIRE_BACKENDS', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('is a list of known backends', () => {
    vi.stubEnv('REQUIRE_BACKENDS', 'native, wasm,');
    expect(requiredBackends()).toEqual(['native', 'wasm']);
    vi.stubEnv('REQUIRE_BACKENDS', '');
    expect(requiredBackends()).toEqual([]);
    vi.stubEnv('REQUIRE_BACKENDS', 'native,gpu');
    expect(requiredBackends).toThrow(/names gpu; known: native, wasm, assemblyscript, reference/);
  });
});

describe('build lines', () => {
  it('say what happened and why', () => {
    expect(describeTarget('ts', { status: 'up to date', detail: '' })).toBe('ts: up to date');
    expect(describeTarget('ts', { status: 'built', detail: '2.0 s' })).toBe('ts: built (2.0 s)');
    const skipped = { status: 'skipped', detail: 'cargo is not on PATH' };
    expect(describeTarget('native', skipped)).toBe('SKIPPED native: cargo is not on PATH');
  });
});

describe('fingerprints', () => {
  it('follow contents and names, not times', () => {
    const folder = mkdtempSync(join(tmpdir(), 'infragym-inputs-'));
    const inputs = [relative(root, folder)];
    writeFileSync(join(folder, 'a'), 'one');
    const before = hashInputs(inputs);
    writeFileSync(join(folder, 'a'), 'two');
    const changed = hashInputs(inputs);
    writeFileSync(join(folder, 'a'), 'one');
    const again = hashInputs(inputs);
    writeFileSync(join(folder, 'b'), '');
    const added = hashInputs(inputs);
    rmSync(folder, { recursive: true });
    expect(changed).not.toBe(before);
    expect(again).toBe(before);
    expect(added).not.toBe(before);
  });
});
