/** Runs the command line from its sources, here or as a process of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, vi } from 'vitest';
import { main } from '../../src/cli/program.js';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `infragym …args` in this process, which is quicker than one of its own. */
export async function infragym(args: readonly string[]): Promise<Finished> {
  const texts = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      texts[name] += String(text);
      return true;
    }),
  );
  try {
    return { code: await main(args), signal: null, ...texts };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** `infragym …args` as a process; `interruptAfterMs` sends Ctrl-C. */
export function infragymProcess(
  args: readonly string[],
  options: { interruptAfterMs?: number } = {},
): Promise<Finished> {
  return runScript(join(root, 'src/cli/main.ts'), args, options);
}

export function runScript(
  script: string,
  args: readonly string[] = [],
  { interruptAfterMs }: { interruptAfterMs?: number } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer =
      interruptAfterMs === undefined
        ? undefined
        : setTimeout(() => child.kill('SIGINT'), interruptAfterMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/** The one JSON document that a command with `--json` prints. */
export async function json<T>(args: readonly string[], code = 0): Promise<T> {
  const finished = await infragym([...args, '--json']);
  if (finished.code !== code) {
    throw new Error(`exit code ${finished.code} instead of ${code}: ${finished.stderr}`);
  }
  return JSON.parse(finished.stdout) as T;
}

/** A folder that is gone after the tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'infragym-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
