import { afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend.js';
import { BackendUnavailableError } from '../../src/backend.js';
import { loadReference, referenceBackend } from '../../src/backends/reference.js';
import { backendReport, loadBackend, provideBackend } from '../../src/backends/select.js';
import { checkPrograms, GOLDEN, runCheck } from '../../src/backends/self-check.js';
import { digestOf } from '../../src/base/digest.js';
import { header } from '../../src/generated/common.js';
import { servingLayout } from '../../src/generated/serving.js';
import { faultCode, programError, programFamily } from '../../src/program/program.js';

const FAMILY_FAULT = faultCode('header', header.family);

const absent = () => Promise.reject(new BackendUnavailableError('it was never built'));

/** The reference under another name, its results changed by `spoil`. */
function impostor(name: Backend['name'], spoil = (_: Float32Array) => {}): Backend {
  return {
    ...referenceBackend,
    name,
    create(program, options) {
      const batch = referenceBackend.create(program, options);
      const step = batch.step.bind(batch);
      batch.step = () => {
        step();
        spoil(batch.channels.rewards);
      };
      return batch;
    },
  };
}

/** One unit in the last place of one reward. */
function spoilOneBit(rewards: Float32Array): void {
  new Uint32Array(rewards.buffer, rewards.byteOffset)[0] ^= 1;
}

function provideOnly(loaders: Partial<Record<Backend['name'], () => Promise<Backend>>>): void {
  for (const name of ['native', 'wasm', 'assemblyscript', 'reference'] as const) {
    provideBackend(name, loaders[name] ?? absent);
  }
}

afterEach(() => provideOnly({ reference: loadReference }));

describe('the self-check', () => {
  it('is pinned to what the reference gives', () => {
    const programs = checkPrograms();
    expect(digestOf(...programs)).toBe(GOLDEN.programs);
    expect(runCheck(referenceBackend, programs).digest).toBe(GOLDEN.outputs);
  });

  it('refuses a backend that differs in one bit', async () => {
    provideOnly({ wasm: async () => impostor('wasm', spoilOneBit) });
    await expect(loadBackend('wasm')).rejects.toThrow(/self-check: backend wasm .* instead of/);
  });
});

describe('loadBackend', () => {
  it('takes the first that works, and tells why the others were passed over', async () => {
    provideOnly({
      wasm: async () => impostor('wasm', spoilOneBit),
      assemblyscript: async () => impostor('assemblyscript'),
      reference: loadReference,
    });
    expect((await loadBackend()).name).toBe('assemblyscript');
    const [native, wasm, assemblyscript, reference] = await backendReport();
    expect(native).toMatchObject({ available: false, reason: 'it was never built', kernel: null });
    expect(wasm).toMatchObject({ available: false, refused: true, maxThreads: 0 });
    expect(native.refused).toBe(false);
    expect(wasm.reason).toMatch(/self-check/);
    expect(assemblyscript).toMatchObject({ available: true, kernel: 'scalar', reason: null });
    expect(reference).toMatchObject({ name: 'reference', available: true, maxThreads: 1 });
  });

  it('passes over one that was built without the family of a program', async () => {
    const create: Backend['create'] = (program, options) => {
      if (programFamily(program) !== 1) throw programError(servingLayout, FAMILY_FAULT);
      return referenceBackend.create(program, options);
    };
    provideOnly({
      native: async () => ({ ...referenceBackend, name: 'native', create }),
      reference: loadReference,
    });
    const [ours] = checkPrograms();
    const other = ours.slice();
    other[4 * header.family] = 99;
    expect((await loadBackend('auto', ours)).name).toBe('native');
    expect((await loadBackend('auto')).name).toBe('native');
    await expect(loadBackend('auto', other)).rejects.toThrow(/native: .* without this family/);
    expect((await loadBackend('native', other)).name).toBe('native');
  });

  it('never replaces one that was named', async () => {
    provideOnly({ reference: loadReference });
    await expect(loadBackend('native')).rejects.toThrow('it was never built');
    await expect(loadBackend('native')).rejects.toBeInstanceOf(BackendUnavailableError);
  });

  it('gives all reasons where nothing works', async () => {
    provideOnly({});
    await expect(loadBackend('auto')).rejects.toThrow(/native: it was never built; wasm: /);
  });

  it('loads and checks once', async () => {
    let numLoads = 0;
    const load = async () => {
      numLoads++;
      return impostor('native');
    };
    provideOnly({ native: load });
    const [a, b] = await Promise.all([loadBackend(), loadBackend('native')]);
    expect(a).toBe(b);
    expect(numLoads).toBe(1);
  });

  it('refuses an unknown name', async () => {
    await expect(loadBackend('gpu' as 'native')).rejects.toThrow(
      'backend is "gpu": one of auto, native, wasm, assemblyscript, reference is needed',
    );
  });
});
