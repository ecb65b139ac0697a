import { beforeAll, describe, expect, it } from 'vitest';
import { addFamily } from '../../src/api/registry.js';
import { editDistance } from '../../src/base/nearest.js';
import { familyOf, listFamilies, listTasks, nearest, register, spec } from '../../src/library.js';
import { tinyFamily, tinyTask } from '../support/tiny-family.js';

beforeAll(() => addFamily(tinyFamily));

describe('spec', () => {
  it('finds a task by id, alias and id without version', () => {
    expect(spec('tiny/normalised-v1')).toBe(tinyTask);
    expect(spec('tiny')).toBe(tinyTask);
    expect(spec('tiny/normalised')).toBe(tinyTask);
    expect(spec('tiny/discrete').id).toBe('tiny/discrete-v2');
  });

  it('names the nearest where it finds none', () => {
    expect(() => spec('tiny/normalized')).toThrow(
      'no task is called "tiny/normalized"; the nearest are tiny/normalised-v1',
    );
    expect(() => spec('tiny/normalised-v2')).toThrow(/nearest are tiny\/normalised-v1/);
    expect(() => spec('constructor')).toThrow(/no task is called "constructor"/);
    expect(() => spec(1 as unknown as string)).toThrow(/task is of type number/);
  });

  it('has every shipped task under its id and its aliases', () => {
    expect(listTasks().length).toBeGreaterThanOrEqual(5);
    for (const task of listTasks()) {
      expect(spec(task.id)).toBe(task);
      for (const alias of task.aliases) expect(spec(alias)).toBe(task);
      expect(task.id.startsWith(`${familyOf(task.id).name}/`)).toBe(true);
    }
    expect(listFamilies().map((family) => family.name)).toContain('serving');
    expect(['1', '2', '3'].map((alias) => spec(alias).name)).toEqual([
      'static-uniform',
      'bursty-sharegpt',
      'adversarial-multi-tenant',
    ]);
  });
});

describe('register', () => {
  it('adds a task, and its newer version takes the bare id and the aliases', () => {
    const first = { ...tinyTask, id: 'tiny/mine-v1', aliases: ['mine'] };
    register(first);
    expect(spec('mine')).toBe(first);
    expect(listTasks()).toContain(first);
    const second = { ...first, id: 'tiny/mine-v10' };
    register(second);
    expect(spec('mine')).toBe(second);
    expect(spec('tiny/mine')).toBe(second);
    expect(spec('tiny/mine-v1')).toBe(first);
  });

  it.each([
    [{ id: 'mine' }, /id is "mine": <family>\/<name>-v<version>/],
    [{ id: 'tiny/Mine-v1' }, /lower case/],
    [{ id: 'tiny/mine-v0' }, /id is "tiny\/mine-v0"/],
    [{ id: 'cooking/soup-v1' }, /the family must be one of serving.*tiny/],
    [{ id: 'tiny/normalised-v1' }, /id "tiny\/normalised-v1" .* is taken by tiny\/normalised-v1/],
    [{ id: 'tiny/new-v1', aliases: ['7'] }, /alias "7" of task tiny\/new-v1 is taken/],
    [{ id: 'tiny/new-v1', config: { horizon_steps: -1 } }, /horizon/],
  ])('refuses %o', (changes, message) => {
    const before = listTasks();
    expect(() => register({ ...tinyTask, aliases: [], ...changes })).toThrow(message);
    expect(listTasks()).toEqual(before);
  });
});

describe('nearest', () => {
  it('counts changes', () => {
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('same', 'same')).toBe(0);
  });

  it('puts names that contain the asked one first', () => {
    const known = ['alpha', 'beta', 'alphabet', 'gamma'];
    expect(nearest('phabe', known, 2)).toEqual(['alphabet', 'alpha']);
    expect(nearest('BETA', known, 1)).toEqual(['beta']);
  });
});
