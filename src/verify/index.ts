/**
 * The proof of the first promise: every task gives the same bytes on every backend, with every
 * kernel, batch size, autoreset mode and number of threads. Nothing here needs Node, so that a
 * page can run it in its browser.
 */

import { compileTask, listTasks } from '../api/registry.js';
import { outputChannels } from '../api/snapshot.js';
import type { Backend } from '../backend.js';
import { referenceBackend } from '../backends/reference.js';
import { hasFamily } from '../backends/select.js';
import { Digest } from '../base/digest.js';
import type { CompiledTask } from '../envs/family.js';
import { differenceAfterSnapshot, differenceFromSingles } from './cross-checks.js';
import { differenceInRun } from './difference.js';
import { createBatch, planRows, play, type Row, type Variant, variantsOf } from './plan.js';
import type {
  CrossCheck,
  FirstDifference,
  Goldens,
  TaskGoldens,
  VerifyLevel,
  VerifyOptions,
  VerifyReport,
  VerifyResult,
} from './report.js';

export type * from './report.js';

/** What everything is compared with. */
const SPECIFICATION: Variant = {
  backend: referenceBackend,
  kernel: 'scalar',
  threads: 1,
};

/** The place of a difference that is known by digests only. */
const NOWHERE = { autoreset: null, env: null, step: null };

/** The batches of the cross checks. */
const CROSS_BATCH = { kernel: 'auto', envs: 7, threads: 1, autoreset: 'next-step' };

/**
 * Steps every task on every backend given and compares the digests with the reference's, with
 * each other and with the goldens; then single environments with columns of batches, and episodes
 * that a snapshot takes from one backend to the next.
 *
 * @throws RangeError for no backends and for an unknown task.
 * @example
 * const report = await verify([await loadBackend('native'), await loadBackend('reference')]);
 * if (!report.ok) console.error(report.firstDifference);
 */
export async function verify(
  backends: readonly Backend[],
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  if (backends.length === 0) throw new RangeError('backends is empty: at least one is needed');
  return new Verification(backends, options).run();
}

/** The digests that the reference alone gives: what is committed as goldens. */
export async function makeGoldens(
  tasks: readonly string[] = taskIds(),
  onProgress: VerifyOptions['onProgress'] = () => {},
): Promise<Goldens> {
  const goldens: Record<string, TaskGoldens> = {};
  for (const [done, id] of tasks.entries()) {
    onProgress({ done, total: tasks.length, label: id });
    await breathe();
    const task = compileTask(id);
    const digests = (quick: boolean) =>
      Object.fromEntries(
        planRows(task, quick).map((row) => [row.numEnvs, digestOfRow(row, SPECIFICATION)]),
      );
    const program = task.programDigest;
    goldens[task.spec.id] = { program, quick: digests(true), full: digests(false) };
  }
  return goldens;
}

interface TaskPlan {
  readonly task: CompiledTask;
  /** Those that know the task's family. */
  readonly backends: readonly Backend[];
  /** Between which of them a snapshot changes hands. */
  readonly pairs: readonly (readonly [from: Backend, to: Backend])[];
  readonly rows: readonly Row[];
  readonly variants: readonly Variant[];
}

/** One call of `verify`. */
class Verification {
  private readonly plans: readonly TaskPlan[];
  private readonly level: VerifyLevel;
  private readonly results: VerifyResult[] = [];
  private readonly checks: CrossCheck[] = [];
  private difference: FirstDifference | null = null;
  private isGood = true;
  private readonly total: number;
  private done = 0;

  constructor(
    private readonly backends: readonly Backend[],
    private readonly options: VerifyOptions,
  ) {
    this.level = options.level ?? 'full';
    this.plans = (options.tasks ?? taskIds()).map((id) => {
      const task = compileTask(id);
      const able = backends.filter((backend) => hasFamily(backend, task.program));
      const variants = able.flatMap((backend) => variantsOf(backend));
      const pairs = this.level === 'quick' ? ringOf(able) : pairsOf(able);
      return {
        task,
        backends: able,
        pairs,
        variants,
        rows: planRows(task, this.level === 'quick'),
      };
    });
    this.total = this.plans.reduce((sum, plan) => sum + countParts(plan), 0);
  }

  async run(): Promise<VerifyReport> {
    for (const plan of this.plans) {
      this.checkFamily(plan);
      await this.checkRows(plan);
      await this.checkSingles(plan);
      await this.checkSnapshots(plan);
    }
    const { isGood, results, checks, difference } = this;
    return { ok: isGood, results, checks, firstDifference: difference };
  }

  /** A backend that cannot step a task at all is not equal to the others. */
  private checkFamily({ task, backends }: TaskPlan): void {
    const unable = this.backends.find((backend) => !backends.includes(backend));
    if (unable === undefined) return;
    const place = { task: task.spec.id, backend: unable.name, kernel: '', envs: 0, threads: 0 };
    const names = { expected: task.layout.name, got: 'not in this build' };
    this.report({ ...place, ...NOWHERE, field: 'family', ...names });
  }

  private async checkRows({ task, rows, variants }: TaskPlan): Promise<void> {
    const goldens = this.goldensOf(task);
    for (const row of rows) {
      const { numEnvs } = row;
      const golden = goldens?.[this.level][numEnvs] ?? null;
      await this.advance(`${task.spec.id}, ${numEnvs} envs, reference`);
      const expected = digestOfRow(row, SPECIFICATION);
      for (const variant of variants) {
        const { backend, kernel, threads } = variant;
        await this.advance(`${task.spec.id}, ${numEnvs} envs, ${backend.name} ${kernel}`);
        const isReference = backend === referenceBackend;
        const digest = isReference ? expected : digestOfRow(row, variant);
        const place = { task: task.spec.id, backend: backend.name, kernel, envs: numEnvs, threads };
        this.results.push({ ...place, digest, golden });
        if (digest !== expected) this.locate(place, row, variant, { expected, got: digest });
        else if (golden !== null && digest !== golden) {
          this.report({ ...place, ...NOWHERE, field: 'golden', expected: golden, got: digest });
        }
      }
    }
  }

  /** Goldens count for the program they were made with; another program is a difference itself. */
  private goldensOf(task: CompiledTask): TaskGoldens | undefined {
    const goldens = this.options.goldens?.[task.spec.id];
    if (goldens === undefined || goldens.program === task.programDigest) return goldens;
    const place = { task: task.spec.id, backend: 'compiler', kernel: '', envs: 0, threads: 0 };
    const digests = { expected: goldens.program, got: task.programDigest };
    this.report({ ...place, ...NOWHERE, field: 'program', ...digests });
    return undefined;
  }

  /** Finds where a variant leaves the reference; only the first time, for it costs a replay. */
  private locate(
    place: Pick<FirstDifference, 'task' | 'backend' | 'kernel' | 'envs' | 'threads'>,
    { numEnvs, runs }: Row,
    variant: Variant,
    digests: { expected: string; got: string },
  ): void {
    this.isGood = false;
    if (this.difference !== null) return;
    for (const run of runs) {
      const found = differenceInRun(run, numEnvs, SPECIFICATION, variant);
      if (found === null) continue;
      this.report({ ...place, autoreset: run.autoreset, ...found });
      return;
    }
    // The replay agrees: what differed is not a function of its inputs.
    this.report({ ...place, ...NOWHERE, field: 'digest', ...digests });
  }

  private async checkSingles({ task, backends }: TaskPlan): Promise<void> {
    const steps = this.level === 'quick' ? 24 : task.horizonSteps + 20;
    for (const backend of backends) {
      await this.advance(`${task.spec.id}, ${backend.name}, singles against columns`);
      const found = differenceFromSingles(task, backend, steps);
      const where = { task: task.spec.id, backend: backend.name };
      this.checks.push({ check: 'singles', ...where, ok: found === null });
      if (found !== null) this.report({ ...where, ...CROSS_BATCH, ...found });
    }
  }

  private async checkSnapshots({ task, pairs }: TaskPlan): Promise<void> {
    // The snapshot is taken shortly before an episode ends, so that the next begins elsewhere.
    const late = task.horizonSteps - 5;
    const steps: [number, number] = this.level === 'quick' ? [late, 8] : [late, 40];
    for (const [from, to] of pairs) {
      const backend = `${from.name} -> ${to.name}`;
      await this.advance(`${task.spec.id}, a snapshot ${backend}`);
      const found = differenceAfterSnapshot(task, from, to, steps);
      const where = { task: task.spec.id, backend };
      this.checks.push({ check: 'snapshot', ...where, ok: found === null });
      if (found === null) continue;
      this.report({ ...where, ...CROSS_BATCH, env: null, field: 'snapshot', ...found });
    }
  }

  private report(difference: FirstDifference): void {
    this.isGood = false;
    this.difference ??= difference;
  }

  private async advance(label: string): Promise<void> {
    this.options.onProgress?.({ done: this.done, total: this.total, label });
    this.done++;
    await breathe();
  }
}

/** The digest of everything that the runs of a row put out. */
function digestOfRow({ numEnvs, runs }: Row, variant: Variant): string {
  const digest = new Digest();
  for (const run of runs) {
    const batch = createBatch(variant, run, numEnvs);
    for (const _step of play(batch, run)) {
      for (const name of outputChannels) digest.update(batch.channels[name]);
    }
    digest.update(batch.exportState());
    batch.close();
  }
  return digest.hex();
}

/** Parts of the work on a task, as `advance` counts them. */
function countParts({ rows, variants, backends, pairs }: TaskPlan): number {
  return rows.length * (1 + variants.length) + backends.length + pairs.length;
}

/** Each with the next. */
function ringOf(backends: readonly Backend[]): [Backend, Backend][] {
  if (backends.length < 2) return [];
  return backends.map((from, i) => [from, backends[(i + 1) % backends.length]]);
}

/** Each with every other. */
function pairsOf(backends: readonly Backend[]): [Backend, Backend][] {
  return backends.flatMap((from) =>
    backends.filter((to) => to !== from).map((to): [Backend, Backend] => [from, to]),
  );
}

function taskIds(): string[] {
  return listTasks().map((task) => task.id);
}

/** Lets a page paint and a terminal hear Ctrl-C. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
