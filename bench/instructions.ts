/**
 * Instructions that the native core executes for a step, counted by callgrind: exact where seconds
 * are noise, and there on machines whose counters a hypervisor hides. callgrind has no AVX-512, so
 * `auto` is AVX2 under it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Kernel } from '../src/backend.js';
import { SUBJECTS } from './definitions.js';

export interface InstructionRow {
  readonly environment: string;
  readonly envs: number;
  readonly threads: number;
  readonly kernel: string;
  readonly instructions_per_step: number;
}

interface Count {
  readonly environment: string;
  readonly task: string;
  readonly envs: number;
  readonly threads: number;
  readonly kernel: Kernel;
}

const OBJECT = 'infragym.node';

/** Every kernel on a small batch, and two threads beside one on a large one. */
export function counts(): Count[] {
  return SUBJECTS.flatMap(({ environment, task, threadsEnvs }) => {
    const kernels = (['avx2', 'portable', 'scalar'] as const).map((kernel) => {
      return { environment, task, envs: 1024, threads: 1, kernel };
    });
    const threads = [1, 2].map((count) => {
      return { environment, task, envs: threadsEnvs, threads: count, kernel: 'auto' as const };
    });
    return environment === 'serving' ? [...kernels, ...threads] : kernels;
  });
}

/** @throws Error where valgrind is not there. */
export async function countInstructions(onRow: (row: InstructionRow) => void): Promise<void> {
  if (spawnSync('valgrind', ['--version']).status !== 0) {
    throw new Error('--instructions needs valgrind, which is not there: install it');
  }
  for (const count of counts()) {
    const steps = Math.max(2, Math.ceil(65536 / count.envs));
    const [kernel, few] = await collect(count, steps);
    const [, many] = await collect(count, 3 * steps);
    const { environment, envs, threads } = count;
    const perStep = (many - few) / (2 * steps * envs);
    const instructions = Number(perStep.toPrecision(4));
    onRow({ environment, envs, threads, kernel, instructions_per_step: instructions });
  }
}

/** The kernel that was taken and the instructions in the core while so many steps are played. */
async function collect(count: Count, steps: number): Promise<[string, number]> {
  const { task, envs, threads, kernel } = count;
  const directory = mkdtempSync(join(tmpdir(), 'infragym-bench-'));
  try {
    const out = join(directory, 'callgrind.out');
    const script = fileURLToPath(new URL('instructions-child.mjs', import.meta.url));
    const node = [process.execPath, script, task, envs, threads, kernel, steps].map(String);
    const tool = ['--tool=callgrind', '-q', `--callgrind-out-file=${out}`];
    const printed = await output('valgrind', [...tool, ...node]);
    return [printed.trim(), instructionsOf(readFileSync(out, 'utf8'), OBJECT)];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * The instructions that a callgrind profile finds in an object file: the sum of its functions' own
 * costs, without those of what they call.
 */
export function instructionsOf(profile: string, object: string): number {
  let sum = 0;
  let isInside = false;
  let isCall = false;
  const names = new Map<string, string>();
  for (const line of profile.split('\n')) {
    const own = /^ob=(\(\d+\))(?: (.*))?$/.exec(line);
    const called = /^cob=(\(\d+\))(?: (.*))?$/.exec(line);
    const named = own ?? called;
    if (named?.[2] !== undefined) names.set(named[1], named[2]);
    if (own !== null) isInside = names.get(own[1])?.endsWith(object) ?? false;
    else if (line.startsWith('calls=')) isCall = true;
    else if (/^[\d+*-]/.test(line)) {
      if (isInside && !isCall) sum += Number(line.split(' ')[1]);
      isCall = false;
    }
  }
  return sum;
}

function output(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(text);
      else reject(new Error(`${command} ended with ${code}`));
    });
  });
}
