/** The machine of a result; nothing that names a host, a user or a directory. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { ROOT } from './library.js';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** The instruction sets that kernels are chosen by, of those the processor has. */
  readonly flags: readonly string[];
  readonly memory_gb: number;
  readonly os: string;
  readonly arch: string;
  readonly node: string;
  readonly rustc: string | null;
  readonly commit: string | null;
  /** Whether the checkout differs from the commit. */
  readonly dirty: boolean;
  /** Load average of the last minute when the run began: others' work disturbs it. */
  readonly load: number;
}

const FLAGS = ['sse4_2', 'avx', 'avx2', 'fma', 'avx512f', 'avx512dq', 'avx512vl', 'asimd'];

export function describeMachine(load: number): Machine {
  const { cpu, flags } = processor();
  const changed = run('git', ['status', '--porcelain', '--untracked-files=no']);
  return {
    cpu,
    cores: availableParallelism(),
    flags: FLAGS.filter((flag) => flags.includes(flag)),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    arch: arch(),
    node: process.version,
    rustc: run('rustc', ['--version']),
    commit: run('git', ['rev-parse', '--short=12', 'HEAD']),
    dirty: changed !== null && changed !== '',
    load,
  };
}

/** Virtual machines may hide the model's name; family and model number tell it then. */
function processor(): { cpu: string; flags: string[] } {
  const path = '/proc/cpuinfo';
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1];
  const numbers = ['cpu family', 'model', 'stepping'].flatMap((name) => {
    const value = field(name);
    return value === undefined ? [] : [`${name.replace('cpu ', '')} ${value}`];
  });
  const name = cpus()[0]?.model.trim() ?? 'unknown';
  const cpu = numbers.length === 0 ? name : `${name} (${numbers.join(', ')})`;
  return { cpu, flags: (field('flags') ?? field('Features') ?? '').split(' ') };
}

function run(command: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}
