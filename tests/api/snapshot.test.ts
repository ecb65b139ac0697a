import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { addFamily } from '../../src/api/registry.js';
import { referenceBackend } from '../../src/backends/reference.js';
import { servingLayout } from '../../src/generated/serving.js';
import {
  type Autoreset,
  compileTask,
  digestOf,
  SnapshotError,
  TaskVectorEnv,
  type VectorOptions,
} from '../../src/library.js';
import { tinyFamily } from '../support/tiny-family.js';

const HEADER_BYTES = 40;
const NUM_ENVS = 3;

function begun(options: Partial<VectorOptions> = {}, id = 'tiny'): TaskVectorEnv {
  const env = new TaskVectorEnv(compileTask(id), referenceBackend, {
    numEnvs: NUM_ENVS,
    ...options,
  });
  env.reset({ seed: 6 });
  return env;
}

/** A snapshot with a change in it whose digest is right all the same. */
function forged(snapshot: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const bytes = snapshot.slice();
  change(new DataView(bytes.buffer));
  const digest = digestOf(bytes.subarray(HEADER_BYTES));
  for (let i = 0; i < 8; i++) bytes[32 + i] = Number.parseInt(digest.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const wordAt = (name: string, i: number) => {
  const slot = servingLayout.words.findIndex((field) => field.name === name);
  return HEADER_BYTES + 4 * (slot * NUM_ENVS + i);
};
const realAt = (name: string, i: number) => {
  const slot = servingLayout.reals.findIndex((field) => field.name === name);
  return HEADER_BYTES + 4 * servingLayout.words.length * NUM_ENVS + 8 * (slot * NUM_ENVS + i);
};

beforeAll(() => addFamily(tinyFamily));

describe('a snapshot', () => {
  it('taken at any step goes on identically', () => {
    const runs = fc.record({
      before: fc.integer({ min: 0, max: 25 }),
      after: fc.integer({ min: 1, max: 15 }),
      autoreset: fc.constantFrom<Autoreset>('next-step', 'same-step'),
      infos: fc.boolean(),
    });
    fc.assert(
      fc.property(runs, ({ before, after, autoreset, infos }) => {
        const env = begun({ autoreset, infos });
        env.rollout('random', before);
        const snapshot = env.snapshot();
        const other = begun({ autoreset, infos });
        other.rollout('random', 4);
        other.restore(snapshot);
        expect(other.digest()).toBe(env.digest());
        expect(other.snapshot()).toEqual(snapshot);
        for (const each of [env, other]) each.rollout('random', after);
        expect(other.digest()).toBe(env.digest());
        expect(other.rewards).toEqual(env.rewards);
      }),
      { numRuns: 30 },
    );
  });

  it('is taken by an environment that has not begun', () => {
    const env = begun();
    const other = env.sibling();
    other.restore(env.snapshot());
    expect(other.digest()).toBe(env.digest());
    env.step();
    other.step();
    expect(other.digest()).toBe(env.digest());
  });

  it('with any byte changed is refused, and the environment goes on as it was', () => {
    const env = begun({ infos: true });
    env.rollout('random', 14);
    const snapshot = env.snapshot();
    const digest = env.digest();
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: snapshot.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const bytes = snapshot.slice();
          bytes[at] ^= flip;
          expect(() => env.restore(bytes)).toThrow(SnapshotError);
          expect(env.digest()).toBe(digest);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is restored from what readFileSync returns', () => {
    const env = begun();
    const other = env.sibling();
    const pool = Buffer.concat([Buffer.from('abc'), env.snapshot()]);
    other.restore(pool.subarray(3));
    expect(other.digest()).toBe(env.digest());
  });

  it('of another length is refused', () => {
    const env = begun();
    const snapshot = env.snapshot();
    const longer = new Uint8Array(snapshot.length + 8);
    longer.set(snapshot);
    for (const bytes of [new Uint8Array(), snapshot.slice(0, 39), snapshot.slice(0, -1), longer]) {
      expect(() => env.restore(bytes)).toThrow(/snapshot has \d+ bytes/);
    }
    expect(() => env.restore([...snapshot] as unknown as Uint8Array)).toThrow(/not a Uint8Array/);
  });

  it.each([
    ['num_envs', {}, { numEnvs: 2 }, 'tiny'],
    ['autoreset', {}, { autoreset: 'disabled' as const }, 'tiny'],
    ['infos', {}, { infos: true }, 'tiny'],
    ['program_digest', {}, {}, 'tiny/discrete'],
  ])('of another %s is refused', (field, options, otherOptions, id) => {
    const snapshot = begun(options).snapshot();
    expect(() => begun(otherOptions, id).restore(snapshot)).toThrow(`snapshot field ${field} is`);
  });

  const forgeries: [string, (view: DataView) => void, RegExp][] = [
    [
      'step',
      (v) => v.setUint32(wordAt('step', 1), 12, true),
      /environment 1: state step is 12: at/,
    ],
    ['finished', (v) => v.setUint32(wordAt('finished', 0), 2, true), /finished is 2: at most 1/],
    [
      'an unfinished last step',
      (v) => v.setUint32(wordAt('step', 2), 11, true),
      /environment 2: state step is 11: in an unfinished episode less than 11/,
    ],
    ['window_start', (v) => v.setUint32(wordAt('window_start', 0), 6, true), /is 6: at most 5/],
    ['spec_index', (v) => v.setUint32(wordAt('spec_index', 0), 5, true), /is 5: at most 4/],
    ['queue', (v) => v.setFloat64(realAt('queue', 1), Number.NaN, true), /1: state queue is NaN/],
    ['credit', (v) => v.setFloat64(realAt('credit', 0), Infinity, true), /credit is Infinity/],
  ];
  it.each(forgeries)('with a forged %s is refused', (_, change, message) => {
    const env = begun();
    env.rollout('random', 3);
    const digest = env.digest();
    expect(() => env.restore(forged(env.snapshot(), change))).toThrow(message);
    expect(env.digest()).toBe(digest);
  });

  it('with forged outputs is refused', () => {
    const env = begun();
    const snapshot = env.snapshot();
    const numStates = servingLayout.reals.length + servingLayout.statistics.length;
    const stateBytes = NUM_ENVS * (4 * servingLayout.words.length + 8 * numStates);
    const outputsAt = HEADER_BYTES + stateBytes;
    const notFinite = forged(snapshot, (v) => v.setFloat32(outputsAt + 4, Infinity, true));
    expect(() => env.restore(notFinite)).toThrow(/observations\[1\] is Infinity/);
    const flagsAt = outputsAt + 4 * NUM_ENVS * (14 + 2);
    const notFlag = forged(snapshot, (v) => v.setUint8(flagsAt + 2, 3));
    expect(() => env.restore(notFlag)).toThrow(/terminated\[2\] is 3: 0 or 1/);
  });
});
