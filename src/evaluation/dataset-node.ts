/** Writes data sets to files, in Node: streamed, and taken up again where they were interrupted. */
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { checkInteger } from '../api/options.js';
import type { SeedLike } from '../api/seeds.js';
import { TaskVectorEnv } from '../api/task-vector-env.js';
import type { BackendName } from '../backend.js';
import { loadBackend } from '../backends/select.js';
import { Digest } from '../base/digest.js';
import { formatSeed, parseSeed } from '../base/seeding.js';
import { DataError } from '../data/errors.js';
import type { CompiledTask } from '../envs/family.js';
import { DatasetEncoder, datasetHeader } from './dataset.js';
import type { Policy } from './policy.js';
import { recordTransitions } from './transitions.js';

export interface DatasetOptions {
  /** Episodes, 1 .. 2^31 - 1. */
  readonly episodes: number;
  /** Episode k is episode 0 of seed + k. Default 0. */
  readonly seed?: SeedLike;
  /** Default `auto`; the file does not depend on it. */
  readonly backend?: BackendName | 'auto';
  /** Told after every row group how many episodes are in the file. */
  readonly onProgress?: (episodes: number) => void;
}

export interface DatasetResult {
  readonly file: string;
  readonly episodes: number;
  readonly transitions: number;
  /** First 16 hex digits of the file's SHA-256: the same wherever and however it was made. */
  readonly digest: string;
}

/** A row group holds whole episodes, about this many rows of them. */
const GROUP_ROWS = 32_768;
const GROUP_EPISODES_MAX = 1024;
const SEED_MODULUS = 2n ** 64n;

/**
 * Plays a policy and writes every transition to a parquet file, see `Transitions` for its columns.
 * Until it is whole the file is `<path>.part`, with `<path>.progress.json` beside it; called again
 * with the same task, policy, seed and number of episodes it goes on from there, to the same bytes.
 *
 * @throws RangeError for an invalid number of episodes or seed; DataError where the progress
 * beside the file is damaged or belongs to another data set
 * @example
 * const task = compileTask('provisioning/medium-v1');
 * await writeDataset('medium.parquet', task, randomPolicy(), { episodes: 1000 });
 */
export async function writeDataset(
  path: string,
  task: CompiledTask,
  policy: Policy,
  { episodes, seed = 0, backend = 'auto', onProgress }: DatasetOptions,
): Promise<DatasetResult> {
  checkInteger('episodes', episodes, 1, 2 ** 31 - 1);
  const first = formatSeed(parseSeed(seed));
  const header = datasetHeader(task, { policy: policy.name, seed: first, episodes });
  const draft = new Draft(path);
  const encoder = draft.begin(task, new DatasetEncoder(task, header));
  const implementation = await loadBackend(backend, task.program);
  const perGroup = Math.floor(GROUP_ROWS / task.horizonSteps);
  const most = Math.max(1, Math.min(perGroup, GROUP_EPISODES_MAX));
  onProgress?.(encoder.episodes);
  while (encoder.episodes < episodes) {
    const from = encoder.episodes;
    const numEnvs = Math.min(most, episodes - from);
    const env = new TaskVectorEnv(task, implementation, { numEnvs, infos: true });
    const seeds = Array.from(
      { length: numEnvs },
      (_, i) => (BigInt(first) + BigInt(from + i)) % SEED_MODULUS,
    );
    try {
      const rows = recordTransitions(env, policy, seeds, from);
      draft.append(encoder.encode(rows, numEnvs), encoder.checkpoint());
    } finally {
      env.close();
    }
    onProgress?.(encoder.episodes);
    // Whoever waits for something else gets a turn between two groups.
    await new Promise(setImmediate);
  }
  draft.complete(encoder.finish());
  return { file: path, episodes, transitions: encoder.transitions, digest: await fileDigest(path) };
}

/** A file that is not whole yet, and how far it has come. */
class Draft {
  private readonly part: string;
  private readonly progress: string;

  constructor(private readonly path: string) {
    this.part = `${path}.part`;
    this.progress = `${path}.progress.json`;
  }

  /** The fresh encoder over an empty draft, or one that goes on from what is there. */
  begin(task: CompiledTask, fresh: DatasetEncoder): DatasetEncoder {
    if (!existsSync(this.progress)) {
      writeFileSync(this.part, '');
      return fresh;
    }
    const { header } = fresh;
    try {
      const encoder = DatasetEncoder.resume(task, header, readFileSync(this.progress, 'utf8'));
      const size = existsSync(this.part) ? statSync(this.part).size : 0;
      if (size < encoder.bytes) {
        const found = `${this.part} has ${size} bytes: ${encoder.bytes} are needed to go on`;
        throw new DataError(found);
      }
      // Transitions after the last checkpoint are written again.
      truncateSync(this.part, encoder.bytes);
      return encoder;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const advice = `delete ${this.progress} to begin anew, or choose another file`;
      throw new DataError(`${this.progress}: ${error.message}; ${advice}`);
    }
  }

  /** Keeps bytes, and only then says so. */
  append(bytes: Uint8Array, checkpoint: string): void {
    appendDurably(this.part, bytes);
    writeFileSync(`${this.progress}.new`, checkpoint);
    renameSync(`${this.progress}.new`, this.progress);
  }

  complete(bytes: Uint8Array): void {
    appendDurably(this.part, bytes);
    renameSync(this.part, this.path);
    rmSync(this.progress, { force: true });
  }
}

function appendDurably(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'a');
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

async function fileDigest(path: string): Promise<string> {
  const digest = new Digest();
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer);
  return digest.hex();
}
