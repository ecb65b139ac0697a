/** State arrays in snapshots: a kept snapshot, and arrays of every type. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { referenceBackend } from '../../src/backends/reference.js';
import { schedulingLayout } from '../../src/generated/scheduling.js';
import { compileTask, digestOf, TaskVectorEnv } from '../../src/library.js';
import { type Layout, slotName, stateFields } from '../../src/program/layout.js';
import { exportState, importState } from '../../src/reference/transfer.js';

describe('state arrays', () => {
  it('of a snapshot that was kept go on as they did then', () => {
    const url = new URL('../fixtures/snapshot-scheduling-base-v2.bin.gz', import.meta.url);
    const snapshot = gunzipSync(readFileSync(url));
    const task = compileTask('scheduling/base-v2');
    const env = new TaskVectorEnv(task, referenceBackend, { numEnvs: 2 });
    env.restore(new Uint8Array(snapshot));
    expect(digestOf(env.snapshot())).toBe(digestOf(new Uint8Array(snapshot)));
    env.rollout('random', 100);
    expect(digestOf(env.snapshot())).toBe('01f36e7c2340928b');
  });

  const layout: Layout = {
    ...schedulingLayout,
    words: [{ name: 'step', max: 9, doc: '' }],
    arrays: [
      { name: 'wide', dtype: 'f64', length: () => 2, max: Infinity, doc: '' },
      { name: 'narrow', dtype: 'f32', length: () => 1, max: Infinity, doc: '' },
      { name: 'count', dtype: 'u32', length: (s) => s[0]!, max: 7, doc: '' },
    ],
    reals: [{ name: 'clock', doc: '' }],
    statistics: [{ name: 'total', fold: 'sum', of: 'reward', doc: '' }],
  };
  const state = (first: number) => ({
    step: first,
    wide: Float64Array.of(first + 0.1, first + 0.2),
    narrow: Float32Array.of(first + 0.5),
    count: Uint32Array.of(first + 1, first + 2),
    clock: first + 0.7,
  });

  it('of four bytes come before the reals, those of f64 last', () => {
    const fields = stateFields(layout, [2]);
    const names = fields.flatMap((field) =>
      Array.from({ length: field.length }, (_, i) => slotName(field, i)),
    );
    const order = ['step', 'narrow[0]', 'count[0]', 'count[1]', 'clock', 'total'];
    expect(names).toEqual([...order, 'wide[0]', 'wide[1]']);
  });

  it('of every type are taken back as they were given', () => {
    const fields = stateFields(layout, [2]);
    const bytes = exportState(fields, [state(1), state(2)], Float64Array.of(8, 9));
    expect(bytes.length).toBe(2 * (4 * 4 + 8 * 4));
    const states = [state(0), state(0)];
    const statistics = new Float64Array(2);
    importState(fields, states, statistics, bytes);
    expect(states).toEqual([state(1), state(2)]);
    expect(statistics).toEqual(Float64Array.of(8, 9));
  });
});
