/**
 * The environments of others (`bench/peers`), which take turns with ours: the runner there keeps
 * them warm and answers a line `ID SECONDS` with one line of figures.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The runner's answer, as far as it is kept. */
interface PeerAnswer {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** Which environment the peer steps; most are simpler than ours. */
  readonly environment: string;
  readonly computes: string;
  readonly envs: number;
  readonly steps_per_second: number;
}

export interface PeerRow extends Omit<PeerAnswer, 'steps_per_second'> {
  /** Round i was timed right after round i of the measurements of the group `peers`. */
  readonly steps_per_second_rounds: readonly number[];
}

const TEXT_FIELDS = ['id', 'name', 'version', 'environment', 'computes'] as const;

const pathOf = (name: string) => fileURLToPath(new URL(`../peers/${name}`, import.meta.url));

/** The ids of all peers. */
export function peerIds(): string[] {
  const peers = JSON.parse(readFileSync(pathOf('peers.json'), 'utf8')) as { id: string }[];
  return peers.map(({ id }) => id);
}

/** The runner, as long as it is needed. */
export class PeerRunner {
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;

  constructor() {
    const args = [pathOf('run.mjs'), '--serve'];
    this.child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.answers = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** Times a peer for so many seconds. @throws Error where it is not installed or fails. */
  async ask(id: string, seconds: number): Promise<PeerAnswer> {
    this.child.stdin!.write(`${id} ${seconds}\n`);
    const { value, done } = await this.answers.next();
    if (done === true) throw new Error(`${id}: bench/peers/run.mjs has ended without an answer`);
    return readAnswer(value);
  }

  close(): void {
    this.child.stdin!.end();
  }
}

/** @throws Error saying what the runner said, or naming the field that is not as agreed. */
export function readAnswer(line: string): PeerAnswer {
  const answer = JSON.parse(line) as Partial<PeerAnswer> & { error?: string };
  if (answer.error !== undefined) throw new Error(answer.error);
  for (const field of TEXT_FIELDS) {
    if (typeof answer[field] !== 'string') throw new Error(`a peer's answer has no ${field}`);
  }
  for (const field of ['envs', 'steps_per_second'] as const) {
    const value = answer[field];
    if (Number(value) > 0) continue;
    throw new Error(`${answer.id}: ${field} is ${String(value)}, a number above 0 is needed`);
  }
  return answer as PeerAnswer;
}

/** The rows so far with another answer. */
export function withAnswer(rows: readonly PeerRow[], answer: PeerAnswer): PeerRow[] {
  const { id, name, version, environment, computes, envs, steps_per_second: rate } = answer;
  const known = rows.find((row) => row.id === id);
  const steps_per_second_rounds = [...(known?.steps_per_second_rounds ?? []), rate];
  const row = { id, name, version, environment, computes, envs, steps_per_second_rounds };
  return known === undefined ? [...rows, row] : rows.map((old) => (old === known ? row : old));
}
