/** A run, in a thread of its own: plays what is left of a job and posts each chunk of episodes. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  type BackendName,
  type CompiledTask,
  compileTask,
  createPolicy,
  type EpisodeResult,
  evaluateEpisodes,
  type Policy,
} from '../../index.js';
import { type Episode, episodeKey, type Pool, type WorkerInput } from './types.js';

/** Episodes between two checkpoints. */
const CHUNK = 8;

function episodeOf(agent: string, pool: Pool, result: EpisodeResult): Episode {
  const { seed, score, length, breakdown, statistics } = result;
  const episode_return = result.return;
  return { agent, pool, seed: Number(seed), score, episode_return, length, breakdown, statistics };
}

async function play(
  task: CompiledTask,
  policy: Policy,
  agent: string,
  pool: Pool,
  seeds: readonly number[],
): Promise<void> {
  const { backend } = workerData as WorkerInput;
  for (let from = 0; from < seeds.length; from += CHUNK) {
    const chunk = seeds.slice(from, from + CHUNK);
    const options = { backend: backend as BackendName | 'auto' };
    const results = await evaluateEpisodes(task, policy, chunk, options);
    parentPort!.postMessage(results.map((result) => episodeOf(agent, pool, result)));
  }
}

async function runJob({ job, done }: WorkerInput): Promise<void> {
  const finished = new Set(done);
  const task = compileTask(job.task, job.config);
  for (const agent of job.agents) {
    const left = (pool: Pool, seeds: readonly number[]) =>
      seeds.filter((seed) => !finished.has(episodeKey(agent, pool, seed)));
    const train = left('train', job.train_seeds);
    const test = left('test', job.test_seeds);
    if (train.length + test.length === 0) continue;
    const policy = await createPolicy(agent, task);
    await play(task, policy, agent, 'train', train);
    await play(task, policy, agent, 'test', test);
  }
}

await runJob(workerData as WorkerInput);
