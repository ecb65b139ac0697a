/** Servers in processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ServerConfig } from '../../src/server/index.js';

const script = fileURLToPath(new URL('./fixtures/serve.ts', import.meta.url));

export interface ServerProcess {
  readonly process: ChildProcess;
  readonly base: string;
  /** Sends a signal and resolves to the exit code, null where the signal itself ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export async function startServer(options: Partial<ServerConfig>): Promise<ServerProcess> {
  const args = ['--import', 'tsx', script, JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const base = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (data: Buffer) => resolve(String(data).trim()));
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal);
    return exit;
  };
  return { process: child, base, end };
}
