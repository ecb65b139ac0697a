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
import type { Kernel } from '../../src/backend.js';
import { SUBJECTS } from '../definitions.js';

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
  readonly steps: number;
}

const SMALL_ENVS = 1024;
const OBJECT = 'infragym.node';
/** The function of the addon at which `instructions-child.mjs` begins another part. */
const MARK = '*episodes_c_callback*';

/** Every kernel on a small batch, and two threads beside one on a large one. */
function counts(): Count[] {
  return SUBJECTS.flatMap(({ environment, task, threadsEnvs }) => {
    const subject = { environment, task };
    const kernels = (['avx2', 'portable', 'scalar'] as const).map((kernel) => {
      return { ...subject, envs: SMALL_ENVS, threads: 1, kernel, steps: 16 };
    });
    const threads = [1, 2].map((number) => {
      return { ...subject, envs: threadsEnvs, threads: number, kernel: 'auto' as const, steps: 2 };
    });
    return [...kernels, ...threads];
  });
}

/** Counts them all in one process, which takes most of a minute to start. */
export async function countInstructions(): Promise<InstructionRow[]> {
  if (spawnSync('valgrind', ['--version']).status !== 0) {
    throw new Error('--instructions needs valgrind, which is not there: install it');
  }
  const directory = mkdtempSync(join(tmpdir(), 'infragym-bench-'));
  try {
    const wanted = counts();
    const out = join(directory, 'part');
    const script = fileURLToPath(new URL('instructions-child.mjs', import.meta.url));
    const callgrind = ['--tool=callgrind', '-q', `--dump-before=${MARK}`];
    const child = [process.execPath, script, JSON.stringify(wanted)];
    const text = await output('valgrind', [...callgrind, `--callgrind-out-file=${out}`, ...child]);
    const kernels = JSON.parse(text) as string[];
    const rows = wanted.map(({ environment, envs, threads, steps }, i) => {
      // Parts begin at 1, and every second one is what lies between a pair of marks.
      const profile = readFileSync(`${out}.${2 * i + 2}`, 'utf8');
      const perStep = instructionsOf(profile, OBJECT) / (envs * steps);
      const kernel = kernels[i];
      const instructions_per_step = Number(perStep.toPrecision(5));
      return { environment, envs, threads, kernel, instructions_per_step };
    });
    return rows.filter((row, i) => rows.findIndex((other) => isSame(row, other)) === i);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** An environment without a kernel that was asked for is stepped, and counted, by another again. */
function isSame(a: InstructionRow, b: InstructionRow): boolean {
  const nameOf = (row: InstructionRow) => [row.environment, row.envs, row.threads, row.kernel];
  return nameOf(a).join() === nameOf(b).join();
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
