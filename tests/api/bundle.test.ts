import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  BundleError,
  compileTask,
  decodeBundle,
  describeTask,
  digestOf,
  encodeBundle,
  listTasks,
} from '../../src/index.js';
import { spaceFromJson } from '../../src/spaces/from-json.js';
import { infragym, json } from '../cli/run.js';
import { redescribed, resealed } from '../support/bundle-damage.js';

const folder = mkdtempSync(join(tmpdir(), 'infragym-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

const easy = () => encodeBundle(compileTask('autoscaling/easy-v1'));

describe('a bundle', () => {
  it.each(listTasks().map(({ id }) => id))('of %s is read back whole', (id) => {
    const task = compileTask(id);
    const bytes = encodeBundle(task);
    const { description, program, digest } = decodeBundle(bytes);
    expect(digestOf(program)).toBe(task.programDigest);
    expect(description).toEqual(JSON.parse(JSON.stringify(describeTask(task))));
    expect(spaceFromJson(description.action_space).equals(task.actionSpace)).toBe(true);
    expect(spaceFromJson(description.observation_space).equals(task.observationSpace)).toBe(true);
    expect(decodeBundle(encodeBundle(compileTask(id))).digest).toBe(digest);
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
  });

  it('holds the configuration that it was compiled with', () => {
    const bytes = encodeBundle(compileTask('autoscaling/easy-v1', { max_steps: 5 }));
    const { description } = decodeBundle(bytes);
    expect(description.config['max_steps']).toBe(5);
    expect(description.episode_length).toBe(5);
  });

  it('says what every number of an action row may be', () => {
    const rows = describeTask(compileTask('static-uniform')).actions;
    const kinds = rows.map(({ name, kind, low, high }) => [name, kind, low, high]);
    expect(kinds).toEqual([
      ['kv_budget', 'real', Math.fround(0.1), 1],
      ['batch_size', 'integer', 1, 512],
      ['spec_length', 'choice', 0, 8],
      ['prefill_disagg', 'choice', 0, 1],
      ['quant_tier', 'choice', 0, 2],
    ]);
  });

  it.each([
    ['an empty file', () => new Uint8Array()],
    ['a file of something else', () => new Uint8Array(100).fill(7)],
    ['a cut one', () => easy().slice(0, -8)],
    ['one with more behind it', () => Uint8Array.of(...easy(), 0)],
    ['one with a bit flipped', () => easy().map((byte, i) => (i === 5000 ? byte ^ 1 : byte))],
    ['one of a later version', () => resealed(easy().map((byte, i) => (i === 4 ? 2 : byte)))],
    ['one whose description is no JSON', () => redescribed(easy(), (text) => text.slice(1))],
    ['one whose description is a number', () => redescribed(easy(), () => '3')],
    [
      'one that claims another length of its episodes',
      () =>
        redescribed(easy(), (text) => text.replace(/"episode_length":\d+/, '"episode_length":9')),
    ],
    [
      'one with a space of nothing',
      () => redescribed(easy(), (text) => text.replace('"space":"Discrete"', '"space":"None"')),
    ],
  ])('that is %s is refused', (_, make) => {
    expect(() => decodeBundle(make())).toThrow(BundleError);
  });

  it('may lie anywhere in a larger buffer', () => {
    const bytes = easy();
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    expect(decodeBundle(larger.subarray(3)).digest).toBe(decodeBundle(bytes).digest);
  });
});

describe('infragym compile', () => {
  it('writes a bundle with a configuration of its own', async () => {
    const out = join(folder, 'my.bundle');
    const config = '{"max_steps": 50}';
    const args = ['compile', '--task', 'autoscaling-easy', '--config', config, '--out', out];
    const said = await json<Record<string, unknown>>(args);
    const bundle = decodeBundle(readFileSync(out));
    expect(said['digest']).toBe(bundle.digest);
    expect(bundle.description.episode_length).toBe(50);
  });

  it.each([
    ['{"max_step": 50}', /max_step is unknown/],
    ['{"max_steps": }', /--config is/],
    ['no-such-file.json', /no-such-file/],
    ['[1]', /--config is/],
  ])('refuses the configuration %s', async (config, message) => {
    const out = join(folder, 'never.bundle');
    const args = ['compile', '--task', 'autoscaling-easy', '--config', config, '--out', out];
    const { code, stderr } = await infragym(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
