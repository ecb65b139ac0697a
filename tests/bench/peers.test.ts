/** The runner of the peers: what needs no Python. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../bench/peers/', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));

interface Peer {
  readonly id: string;
  readonly name: string;
  readonly module: string;
  readonly package: string;
  readonly options: { readonly num_envs: number; readonly task?: string };
}
const peers = JSON.parse(readFileSync(`${folder}peers.json`, 'utf8')) as Peer[];

function run(args: readonly string[], input = '') {
  const options = { input, cwd: root, encoding: 'utf8' } as const;
  return spawnSync(process.execPath, ['bench/peers/run.mjs', ...args], options);
}

describe('the list of peers', () => {
  it('names every peer once, by an id that is one word', () => {
    for (const key of ['id', 'name'] as const) {
      expect(new Set(peers.map((peer) => peer[key])).size).toBe(peers.length);
    }
    for (const { id } of peers) expect(id).toMatch(/^[a-z0-9-]+$/);
  });

  it('gives every peer a module and a package whose version is pinned', () => {
    const lists = ['requirements.txt', 'requirements-no-deps.txt'];
    const requirements = lists.map((name) => readFileSync(folder + name, 'utf8')).join('');
    for (const peer of peers) {
      expect(existsSync(`${folder}${peer.module}.py`), peer.module).toBe(true);
      expect(requirements).toMatch(new RegExp(`^${peer.package}==[0-9.]+$`, 'm'));
      expect(peer.options.num_envs).toBeGreaterThanOrEqual(1);
    }
  });

  it('has the four that the goals are stated against', () => {
    const names = peers.map(({ name }) => name);
    expect(names).toContain('serving, NumPy/SciPy');
    expect(names).toContain('serving, Numba');
    expect(names).toContain('Gymnasium CartPole, NumPy');
    expect(names).toContain('gymnax CartPole');
  });
});

describe('the runner', () => {
  it('refuses a peer that is not there, and says which are', () => {
    const { status, stderr } = run(['--only', 'gymnaxx']);
    expect(status).toBe(1);
    expect(stderr).toContain('there is no peer "gymnaxx"; there are gymnasium-python, ');
  });

  it('refuses times and rounds that are none', () => {
    expect(run(['--only', 'gymnax', '--seconds', '0']).stderr).toContain('--seconds is 0');
    expect(run(['--only', 'gymnax', '--rounds', 'x']).stderr).toContain('--rounds is x');
  });

  it('answers every request of --serve with a line, wrong ones with an error', () => {
    const { status, stdout } = run(['--serve'], 'gymnaxx 1\n\ngymnax\ngymnax -1\n');
    const errors = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).error);
    expect(status).toBe(0);
    expect(errors).toHaveLength(3);
    expect(errors[0]).toContain('there is no peer "gymnaxx"');
    expect(errors[1]).toContain('a request is an id and seconds above 0');
    expect(errors[2]).toContain('a request is an id and seconds above 0');
  });
});

describe('the task that peers compute', () => {
  it('is printed with its configuration, scalars and grid', () => {
    const args = ['--import', 'tsx', 'bench/peers/model.ts', 'serving/static-uniform-v1'];
    const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
    const model = JSON.parse(spawnSync(process.execPath, args, options).stdout);
    const { numSpec, numBatch, numKv, numPrompt } = model.scalars;
    expect(model.tables.grid).toHaveLength(numSpec * numBatch * numKv * numPrompt * 8);
    expect(model.config.arrival_rate_rps).toBe(model.tables.levelRate[0]);
  });

  it('is refused where its dynamics is not the one they compute', () => {
    const task = 'serving/llama3-8b-a100-40gb-azure-conv-v1';
    const args = ['--import', 'tsx', 'bench/peers/model.ts', task];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('has dynamics measured');
  });
});
