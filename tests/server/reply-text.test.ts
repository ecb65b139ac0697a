import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { listTasks, loadBackend } from '../../src/index.js';
import { resultOf } from '../../src/server/openenv/episode.js';
import { compiled } from '../../src/server/sessions/catalog.js';
import { JsonText } from '../../src/server/sessions/json-text.js';
import { rootObservation } from '../../src/server/sessions/observation-json.js';
import {
  messageText,
  mountReplyText,
  rootReplyText,
} from '../../src/server/sessions/reply-text.js';
import { Session } from '../../src/server/sessions/session.js';

const text = new JsonText();
const written = (value: unknown): string => {
  text.begin();
  if (typeof value === 'number') text.number(value);
  else text.json(value);
  return text.finish();
};

describe('JsonText', () => {
  it('writes f32 numbers that parse to themselves', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(JSON.parse(written(x))).toBe(x === 0 ? 0 : x);
      }),
      { numRuns: 5000 },
    );
  });

  it('writes f32 numbers of every exponent that parse to themselves', () => {
    const bits = new Uint32Array(1);
    const float = new Float32Array(bits.buffer);
    for (let i = 0; i < 100_000; i++) {
      // Exponents -20 to 30, where the digits are our own, with mantissas all over.
      const exponent = 127 - 20 + (i % 51);
      bits[0] = (exponent << 23) | (Math.imul(i, 2_654_435_761) >>> 9);
      if (Number(written(float[0])) !== float[0]) expect(written(float[0])).toBe(String(float[0]));
    }
  });

  it('writes any value as JSON.stringify does, in ASCII', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = written(value);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(json).toMatch(/^[\0-\x7f]*$/);
      }),
    );
  });

  it('writes null for what is not finite, escapes and grows', () => {
    expect([NaN, Infinity, -Infinity].map(written)).toEqual(['null', 'null', 'null']);
    expect(JSON.parse(written('µ"\\\n\u{1f600}'))).toBe('µ"\\\n\u{1f600}');
    const long = Array.from({ length: 5000 }, (_, i) => i / 7);
    expect(JSON.parse(written(long))).toEqual(long);
  });
});

describe('replies to a step', async () => {
  const backend = await loadBackend('auto');
  const sessions: Session[] = [];
  afterAll(() => {
    for (const session of sessions) session.close();
  });

  it.each(listTasks().map(({ id }) => id))('%s: the text says what the objects say', (id) => {
    const task = compiled(id);
    const session = new Session(task, backend, { seed: 7 });
    sessions.push(session);
    for (let step = 0; step < 3; step++) {
      const { terminated, truncated, report } = session;
      const info = { timestep: session.stepCount, ...report };
      const result = resultOf(session);
      const { reward, done } = result;
      const root = { observation: rootObservation(session), reward, done };
      expect(JSON.parse(messageText(session))).toEqual({ type: 'observation', data: result });
      expect(JSON.parse(mountReplyText(session))).toEqual({ ...result, session_id: session.id });
      expect(JSON.parse(rootReplyText(session))).toEqual({ ...root, terminated, truncated, info });
      session.step(task.baselineAction);
    }
  });
});
