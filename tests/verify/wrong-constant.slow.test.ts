/**
 * A backend built from sources with one wrong constant: `auto` refuses it where its self-check
 * sees it, and `infragym verify` fails and names backend, step, environment and field.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadAssemblyScript } from '../../src/backends/assemblyscript.js';
import { type FirstDifference, loadBackend, makeVec, provideBackend } from '../../src/index.js';
import { infragym, root, temporaryFolder } from '../cli/run.js';

interface Report {
  readonly ok: boolean;
  readonly backends: { backend: string; available: boolean; refused: boolean; reason: string }[];
  readonly first_difference: FirstDifference;
  readonly differences: readonly FirstDifference[];
}

/** AssemblyScript, for npm alone builds it: one constant replaced in a copy of its sources. */
function buildWith(file: string, right: string, wrong: string): Uint8Array<ArrayBuffer> {
  const folder = join(temporaryFolder(), 'assembly');
  cpSync(join(root, 'assembly'), folder, { recursive: true });
  const source = readFileSync(join(folder, file), 'utf8');
  expect(source).toContain(right);
  writeFileSync(join(folder, file), source.replaceAll(right, wrong));
  const out = join(folder, 'wrong.wasm');
  const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  execFileSync(process.execPath, [asc, join(folder, 'index.ts'), '-o', out, ...flags], {
    stdio: 'ignore',
  });
  return new Uint8Array(readFileSync(out));
}

async function verifyJson(task: string): Promise<{ code: number | null; report: Report }> {
  const args = ['verify', '--quick', '--tasks', task, '--backends', 'assemblyscript,reference'];
  const { code, stdout } = await infragym([...args, '--json']);
  return { code, report: JSON.parse(stdout) as Report };
}

describe('verify of a backend with a wrong constant', () => {
  afterAll(() => provideBackend('assemblyscript', () => loadAssemblyScript()));

  it('names the first step, environment and field', async () => {
    const wrong = buildWith('envs/serving/measured.ts', '* 0.001;', '* 0.0010000001;');
    provideBackend('assemblyscript', () => loadAssemblyScript(wrong));
    const task = 'serving/llama3-8b-a100-40gb-azure-conv-v1';
    const { code, report } = await verifyJson(task);
    expect(code).toBe(1);
    expect(report.ok).toBe(false);
    expect(report.first_difference).toMatchObject({ task, backend: 'assemblyscript', env: 0 });
    expect(report.first_difference.step).toBeGreaterThan(0);
    expect(report.first_difference.field).toMatch(/^(observations|rewards|metrics|state)/);
  });

  it('tells the refusal and the place in text, JSON, doctor and the environment', async () => {
    const wrong = buildWith('envs/serving/measured.ts', '0.5 * p50', '0.51 * p50');
    provideBackend('assemblyscript', () => loadAssemblyScript(wrong));
    await expect(loadBackend('assemblyscript')).rejects.toThrow('self-check');

    const { code, report } = await verifyJson('provisioning/easy-v1');
    expect(code).toBe(1);
    const status = report.backends.find(({ backend }) => backend === 'assemblyscript');
    expect(status).toMatchObject({ available: false, refused: true });
    // The task itself is right: the self-check's own programs name the place.
    expect(report.first_difference).toMatchObject({ task: 'self-check', field: /./ });
    expect(report.first_difference.env).toBeGreaterThanOrEqual(0);

    const text = await infragym(['verify', '--quick', '--tasks', 'provisioning/easy-v1']);
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/REFUSED assemblyscript: self-check/);
    expect(text.stdout).toMatch(/first difference: .* at step \d+, environment \d+\n {2}field/);
    const doctor = await infragym(['doctor']);
    expect(doctor.stdout).toMatch(/assemblyscript +refused[\s\S]*assemblyscript: self-check/);
  });

  it('fails for a constant that no self-check reaches', { timeout: 300_000 }, async () => {
    const file = 'envs/scheduling/policies.ts';
    const wrong = buildWith(file, 'return cpu + mem;', 'return cpu + 1.1 * mem;');
    provideBackend('assemblyscript', () => loadAssemblyScript(wrong));
    const env = await makeVec('scheduling/base-v2', { backend: 'assemblyscript' });
    expect(env.backend).toBe('assemblyscript');
    env.close();
    const { code, report } = await verifyJson('scheduling/base-v2');
    expect(code).toBe(1);
    expect(report.differences.map(({ backend }) => backend)).toContain('assemblyscript');
    expect(report.first_difference.field).toMatch(/\./);
  });
});
