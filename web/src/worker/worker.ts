/** The worker: the library, away from the thread that paints. */
import * as Comlink from 'comlink';
import {
  compileTask,
  describeTask,
  familyOf,
  formatSeed,
  type Goldens,
  listTasks,
  loadBackend,
  parseSeed,
  spec,
} from '../../../src/index.browser.js';
import { provideModules } from './backends.js';
import { Episode } from './episode.js';
import type {
  Chunk,
  EpisodeSetup,
  GradeReport,
  Mover,
  Opened,
  TaskEntry,
  TaskVerdict,
} from './messages.js';
import { fetchRecordings } from './recordings.js';
import { verifyTask } from './verdict.js';

provideModules();

const episodes = new Map<number, Episode>();
let lastId = 0;

function episodeOf(id: number): Episode {
  const episode = episodes.get(id);
  if (episode === undefined) throw new Error('the episode has been closed');
  return episode;
}

/** A chunk, its arrays handed over rather than copied. */
function transferred(chunk: Chunk): Chunk {
  const { metrics, observations, actions, rewards, costs, mask } = chunk;
  const arrays = [metrics, observations, actions, rewards, costs, mask];
  return Comlink.transfer(
    chunk,
    arrays.map(({ buffer }) => buffer),
  );
}

const api = {
  tasks(): TaskEntry[] {
    return listTasks().map(({ id, name, difficulty, description }) => {
      return { id, family: familyOf(id).name, name, difficulty, description };
    });
  },

  async open({ task: id, config, seed }: EpisodeSetup): Promise<Opened & { readonly id: number }> {
    await fetchRecordings(spec(id).config, config);
    const task = compileTask(id, config);
    const backend = await loadBackend('auto', task.program);
    const episode = new Episode(task, backend, formatSeed(parseSeed(seed)));
    episodes.set(++lastId, episode);
    const opened = {
      id: lastId,
      task: describeTask(task),
      policies: familyOf(id).policies,
      backend: episode.backend,
      kernel: episode.kernel,
    };
    const reset = episode.resetChunk();
    return Comlink.transfer({ ...opened, reset }, [reset.metrics.buffer]);
  },

  async step(id: number, mover: Mover, steps: number): Promise<Chunk> {
    return transferred(await episodeOf(id).step(mover, steps));
  },

  undo(id: number, steps: number): Uint8Array<ArrayBuffer> {
    const episode = episodeOf(id);
    episode.undo(steps);
    return episode.mask();
  },

  grade(id: number): Promise<GradeReport> {
    return episodeOf(id).grade();
  },

  digest(id: number): string {
    return episodeOf(id).digest();
  },

  verify(task: string, goldens: object): Promise<TaskVerdict> {
    return verifyTask(task, goldens as Goldens);
  },

  close(id: number): void {
    episodes.get(id)?.close();
    episodes.delete(id);
  },
};

/** The calls that the page may make. */
export type WorkerApi = typeof api;

Comlink.expose(api);
