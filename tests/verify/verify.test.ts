/** `verify` finds what it is for: one changed constant, one wrong row, one wrong state. */
import { describe, expect, it, vi } from 'vitest';
import type { Backend, Batch } from '../../src/backend.js';
import { referenceBackend } from '../../src/backends/reference.js';
import { compileTask, makeGoldens, register, spec, verify } from '../../src/index.js';
import { ActionSource } from '../../src/verify/actions.js';
import { withScalar } from '../support/damage.js';

const TASK = 'serving/verify-test-v1';
const STATIC = spec('serving/static-uniform-v1');

// Short episodes, so that the tests are quick.
register({ ...STATIC, id: TASK, aliases: [], config: { ...STATIC.config, episode_len: 20 } });

const QUICK = { tasks: [TASK], level: 'quick' } as const;

/** The reference under another name, each of whose batches goes through `change`. */
function wrapped(
  change: (batch: Batch) => Batch,
  edit = (program: Uint8Array) => program,
): Backend {
  return {
    name: 'native',
    maxThreads: 1,
    kernels: ['scalar'],
    create: (program, options) => change(referenceBackend.create(edit(program), options)),
  };
}

describe('verify', () => {
  const task = compileTask(TASK);

  it('is content with the reference, and with the goldens that the reference wrote', async () => {
    const goldens = await makeGoldens([TASK]);
    const labels: string[] = [];
    const report = await verify([referenceBackend], {
      ...QUICK,
      goldens,
      onProgress: ({ done, total, label }) => {
        labels.push(label);
        expect(done).toBeLessThan(total);
      },
    });
    expect(report).toMatchObject({ ok: true, firstDifference: null });
    expect(report.results.map(({ envs }) => envs)).toEqual([1, 7, 64, 1000]);
    for (const { digest, golden } of report.results) expect(digest).toBe(golden);
    expect(labels.length).toBeGreaterThan(0);
  });

  it('names step, environment and field of one changed constant', async () => {
    // Half a millionth is far less than any statistic would show.
    const edit = (program: Uint8Array) =>
      withScalar(task.layout, program, 'arrival_gain', (gain) => gain * (1 + 5e-7));
    const report = await verify([referenceBackend, wrapped((b) => b, edit)], QUICK);
    expect(report.ok).toBe(false);
    const found = report.firstDifference;
    expect(found).toMatchObject({ task: TASK, backend: 'native', envs: 1, env: 0 });
    expect(found?.step).toBeGreaterThan(0);
    expect(found?.field).toMatch(/^(observations|rewards|metrics|state)/);
    expect(found?.expected).toMatch(/\(0x[0-9a-f]+\)$/);
    expect(found?.got).not.toBe(found?.expected);
  });

  it('names the very place where one bit of one output is wrong', async () => {
    const flip = (batch: Batch): Batch => {
      let steps = 0;
      const step = () => {
        batch.step();
        steps++;
        const { observations, rewards } = batch.channels;
        if (rewards.length !== 7 || steps !== 5) return;
        // Field 2 of environment 4: the lowest bit.
        const bits = new Uint32Array(observations.buffer, observations.byteOffset);
        bits[4 * task.observationDim + 2] ^= 1;
      };
      return proxy(batch, { step });
    };
    const { firstDifference } = await verify([wrapped(flip)], QUICK);
    expect(firstDifference).toMatchObject({
      ...{ envs: 7, autoreset: 'next-step', step: 5, env: 4 },
      field: `observations.${task.observationNames[2]}`,
    });
  });

  it('sees a batch whose environments are not those of the single seeds', async () => {
    const shifted = (batch: Batch): Batch =>
      proxy(batch, {
        reset: (seed, masked) => {
          const isSingle = batch.channels.rewards.length === 1;
          batch.reset(seed && isSingle ? { ...seed, hi: seed.hi + 1 } : seed, masked);
        },
      });
    const { ok, checks } = await verify([wrapped(shifted)], QUICK);
    expect(ok).toBe(false);
    expect(checks).toEqual([
      { check: 'singles', task: TASK, backend: 'native', ok: false },
      { check: 'self-check', task: 'self-check', backend: 'native', ok: true },
    ]);
  });

  it('sees a backend that takes up a snapshot wrongly', async () => {
    const forgetful = (batch: Batch): Batch =>
      proxy(batch, {
        importState: (state) => {
          const queue = task.layout.words.length * 4 * batch.channels.rewards.length;
          const changed = state.slice();
          new DataView(changed.buffer).setFloat64(queue, 1, true);
          batch.importState(changed);
        },
      });
    const { ok, checks, firstDifference } = await verify(
      [referenceBackend, wrapped(forgetful)],
      QUICK,
    );
    expect(ok).toBe(false);
    const failed = checks.filter((check) => !check.ok).map(({ backend }) => backend);
    expect(failed).toEqual(['reference -> native']);
    expect(firstDifference).toMatchObject({ field: 'snapshot', backend: 'reference -> native' });
  });

  it('refuses goldens of another program and digests that are not the goldens', async () => {
    const digests = { 1: '0'.repeat(16) };
    const stale = { [TASK]: { program: 'f'.repeat(16), quick: digests, full: digests } };
    const { ok, firstDifference } = await verify([referenceBackend], { ...QUICK, goldens: stale });
    expect(ok).toBe(false);
    expect(firstDifference).toMatchObject({ backend: 'compiler', field: 'program' });
    const wrong = { [TASK]: { ...stale[TASK], program: task.programDigest } };
    const report = await verify([referenceBackend], { ...QUICK, goldens: wrong });
    expect(report.firstDifference).toMatchObject({ field: 'golden', expected: digests[1] });
  });

  it('blames the reference where it alone leaves the goldens', async () => {
    const goldens = await makeGoldens([TASK]);
    const create = referenceBackend.create;
    const native: Backend = { ...referenceBackend, name: 'native', create };
    const changed = (program: Uint8Array) =>
      withScalar(task.layout, program, 'arrival_gain', (gain) => gain * 1.5);
    const spied = vi
      .spyOn(referenceBackend, 'create')
      .mockImplementation((program, options) => create(changed(program), options));
    try {
      const { ok, firstDifference } = await verify([native], { ...QUICK, goldens });
      expect(ok).toBe(false);
      expect(firstDifference).toMatchObject({ task: TASK, backend: 'reference', env: 0 });
      expect(firstDifference?.field).toMatch(/^(observations|rewards|metrics|state)/);
    } finally {
      spied.mockRestore();
    }
  });

  it('names the first difference of every backend', async () => {
    const edit = (gain: number) => (program: Uint8Array) =>
      withScalar(task.layout, program, 'arrival_gain', (value) => value * gain);
    const wasm = { ...wrapped((b) => b, edit(1.1)), name: 'wasm' } as const;
    const { differences } = await verify([wrapped((b) => b, edit(1.2)), wasm], QUICK);
    const places = differences.filter(({ step }) => step !== null && step > 0);
    expect(places.map(({ backend }) => backend)).toEqual(
      expect.arrayContaining(['native', 'wasm']),
    );
  });

  it('takes what a backend throws, or that it does not load, for a difference', async () => {
    const trap = (batch: Batch): Batch =>
      proxy(batch, {
        step: () => {
          throw new Error('unreachable');
        },
      });
    const report = await verify([wrapped(trap)], QUICK);
    expect(report.firstDifference).toMatchObject({
      ...{ backend: 'native', step: 1, field: 'error', got: 'unreachable' },
    });
    expect(report.checks.every((check) => !check.ok)).toBe(true);
    const unloaded = [{ name: 'wasm', reason: 'the file is damaged' }] as const;
    const other = await verify([referenceBackend], { ...QUICK, unloaded });
    expect(other).toMatchObject({
      ok: false,
      firstDifference: { backend: 'wasm', field: 'backend', got: 'the file is damaged' },
    });
  });

  it('needs a backend', async () => {
    await expect(verify([])).rejects.toThrow('backends is empty');
  });
});

describe('the actions', () => {
  const task = compileTask(TASK);
  const source = new ActionSource(task);
  const batch = new Uint32Array(64 * task.actionDim);

  it('are a function of step, environment and field', () => {
    source.write(batch, 9);
    const row = new Uint32Array(task.actionDim);
    for (const env of [0, 5, 63]) {
      source.write(row, 9, env);
      expect(row).toEqual(batch.slice(env * task.actionDim, (env + 1) * task.actionDim));
    }
  });

  it('hold NaN, infinities, −0, subnormals and both bounds among ordinary numbers', () => {
    const seen = new Set<number>();
    let ordinary = 0;
    for (let step = 1; step <= 40; step++) {
      source.write(batch, step);
      for (const bits of batch) seen.add(bits);
      const kv = new Float32Array(batch.buffer).filter((_, k) => k % task.actionDim === 0);
      ordinary += kv.filter((value) => value > 0.1 && value < 1).length;
    }
    const f32 = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0];
    const edges = [0x7fc00000, 0x7f800001, 0xffc12345, 0x7f800000, 0xff800000, 0x80000000, 1];
    for (const bits of [...edges, f32(0.1), f32(1), f32(512)]) expect(seen).toContain(bits);
    expect(ordinary).toBeGreaterThan(0.6 * 40 * 64);
  });
});

/** A batch with some functions replaced; the others keep their `this`. */
function proxy(batch: Batch, functions: Partial<Batch>): Batch {
  return new Proxy(batch, {
    get(target, name: keyof Batch) {
      if (functions[name] !== undefined) return functions[name];
      const value = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
