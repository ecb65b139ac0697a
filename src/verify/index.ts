/**
 * The proof of the first promise: every task gives the same bytes on every backend, with every
 * kernel, batch size, autoreset mode and number of threads. Nothing here needs Node, so that a
 * page can run it in its browser.
 */

import { compileTask } from '../api/registry.js';
import type { Backend } from '../backend.js';
import { hasFamily } from '../backends/select.js';
import type { CompiledTask } from '../envs/family.js';
import { differenceAfterSnapshot, differenceFromSingles } from './cross-checks.js';
import type { PlaceInTime } from './difference.js';
import { breathe, taskIds } from './pace.js';
import { planRows, type Row, type Variant, variantsOf } from './plan.js';
import type {
  CrossCheck,
  FirstDifference,
  TaskGoldens,
  VerifyLevel,
  VerifyOptions,
  VerifyReport,
  VerifyResult,
} from './report.js';
import { locate, NOWHERE, type Outcome, outcomeOf, SPECIFICATION, standardOf } from './rows.js';
import { differenceInSelfCheck, SELF_CHECK } from './self-check.js';

export { type BackendsToVerify, backendsToVerify } from './backends.js';
export { makeGoldens } from './goldens.js';
export type * from './report.js';

/** The batches of the cross checks, and of what no batch shows. */
const NO_BATCH = { kernel: '', envs: 0, threads: 0 };
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
  if (backends.length === 0 && (options.unloaded ?? []).length === 0) {
    throw new RangeError('backends is empty: at least one is needed');
  }
  return new Verification(backends, options).run();
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
  /** By implementation; the first that was found stands first. */
  private readonly differences = new Map<string, FirstDifference>();
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
    const parts = this.plans.reduce((sum, plan) => sum + countParts(plan), 0);
    this.total = parts + backends.length;
  }

  async run(): Promise<VerifyReport> {
    for (const { name, reason } of this.options.unloaded ?? []) {
      const names = { expected: 'a backend that loads', got: reason };
      this.report({ ...NO_BATCH, ...NOWHERE, task: '', backend: name, field: 'backend', ...names });
    }
    for (const plan of this.plans) {
      this.checkFamily(plan);
      await this.checkRows(plan);
      await this.checkSingles(plan);
      await this.checkSnapshots(plan);
    }
    await this.checkSelfChecks();
    const { results, checks } = this;
    const differences = [...this.differences.values()];
    const firstDifference = differences[0] ?? null;
    const ok = firstDifference === null && checks.every((check) => check.ok);
    return { ok, results, checks, firstDifference, differences };
  }

  /** A backend that cannot step a task at all is not equal to the others. */
  private checkFamily({ task, backends }: TaskPlan): void {
    const unable = this.backends.find((backend) => !backends.includes(backend));
    if (unable === undefined) return;
    const place = { task: task.spec.id, backend: unable.name, ...NO_BATCH };
    const names = { expected: task.layout.name, got: 'not in this build' };
    this.report({ ...place, ...NOWHERE, field: 'family', ...names });
  }

  private async checkRows(plan: TaskPlan): Promise<void> {
    const goldens = this.goldensOf(plan.task);
    for (const row of plan.rows) {
      await this.checkRow(plan, row, goldens?.[this.level][row.numEnvs] ?? null);
    }
  }

  private async checkRow({ task, variants }: TaskPlan, row: Row, golden: string | null) {
    const { numEnvs } = row;
    const { id } = task.spec;
    await this.advance(`${id}, ${numEnvs} envs, reference`);
    const reference = outcomeOf(row, SPECIFICATION);
    const outcomes = [reference];
    for (const variant of variants) {
      const { backend, kernel, threads } = variant;
      await this.advance(`${id}, ${numEnvs} envs, ${backend.name} ${kernel}`);
      const isReference = backend === SPECIFICATION.backend;
      const outcome = isReference ? reference : outcomeOf(row, variant);
      if (!isReference) outcomes.push(outcome);
      const place = { task: id, backend: backend.name, kernel, envs: numEnvs, threads };
      this.results.push({ ...place, digest: outcome.digest, golden });
    }
    const standard = standardOf(outcomes, golden);
    for (const outcome of outcomes) {
      if (outcome.digest !== standard.digest) this.locate(id, row, standard, outcome);
    }
    if (golden === null || standard.digest === golden) return;
    // All agree on another digest than the golden one: there is nothing to play it against.
    const place = { task: id, backend: 'every backend', ...NO_BATCH, envs: numEnvs, ...NOWHERE };
    this.report({ ...place, field: 'golden', expected: golden, got: standard.digest });
  }

  /** Goldens count for the program they were made with; another program is a difference itself. */
  private goldensOf(task: CompiledTask): TaskGoldens | undefined {
    const goldens = this.options.goldens?.[task.spec.id];
    if (goldens === undefined || goldens.program === task.programDigest) return goldens;
    const place = { task: task.spec.id, backend: 'compiler', ...NO_BATCH };
    const digests = { expected: goldens.program, got: task.programDigest };
    this.report({ ...place, ...NOWHERE, field: 'program', ...digests });
    return undefined;
  }

  /** Finds where an implementation leaves the standard; the first time only: it costs a replay. */
  private locate(task: string, row: Row, standard: Outcome, outcome: Outcome): void {
    const { backend, kernel } = outcome.variant;
    if (this.differences.has(keyOf({ backend: backend.name, kernel }))) return;
    this.report({ task, ...locate(row, standard, outcome) });
  }

  private async checkSingles({ task, backends }: TaskPlan): Promise<void> {
    const steps = this.level === 'quick' ? 24 : task.horizonSteps + 20;
    for (const backend of backends) {
      await this.advance(`${task.spec.id}, ${backend.name}, singles against columns`);
      const find = () => differenceFromSingles(task, backend, steps);
      this.crossCheck('singles', task, backend.name, find);
    }
  }

  private async checkSnapshots({ task, pairs }: TaskPlan): Promise<void> {
    // The snapshot is taken shortly before an episode ends, so that the next begins elsewhere.
    const late = task.horizonSteps - 5;
    const steps: [number, number] = this.level === 'quick' ? [late, 8] : [late, 40];
    for (const [from, to] of pairs) {
      const backend = `${from.name} -> ${to.name}`;
      await this.advance(`${task.spec.id}, a snapshot ${backend}`);
      this.crossCheck('snapshot', task, backend, () => {
        const found = differenceAfterSnapshot(task, from, to, steps);
        return found && { env: null, field: 'snapshot', ...found };
      });
    }
  }

  /** Notes what came of a check; a damaged backend may throw instead of differing. */
  private crossCheck(
    check: 'singles' | 'snapshot',
    { spec }: CompiledTask,
    backend: string,
    find: () => PlaceInTime | null,
  ): void {
    const found = findOrError(find);
    this.checks.push({ check, task: spec.id, backend, ok: found === null });
    if (found === null) return;
    this.report({ task: spec.id, backend, ...CROSS_BATCH, ...found });
  }

  /** A backend that auto refuses for its self-check is no better for having passed the rest. */
  private async checkSelfChecks(): Promise<void> {
    for (const backend of this.backends) {
      await this.advance(`${backend.name}, self-check`);
      const found = differenceInSelfCheck(backend);
      const where = { task: SELF_CHECK, backend: backend.name };
      this.checks.push({ check: 'self-check', ...where, ok: found === null });
      if (found !== null) this.report(found);
    }
  }

  private report(difference: FirstDifference): void {
    const key = keyOf(difference);
    if (!this.differences.has(key)) this.differences.set(key, difference);
  }

  private async advance(label: string): Promise<void> {
    this.options.onProgress?.({ done: this.done, total: this.total, label });
    this.done++;
    await breathe();
  }
}

function findOrError(find: () => PlaceInTime | null) {
  const nowhere = { env: null, step: null, field: 'error', expected: 'no error' };
  try {
    return find();
  } catch (error) {
    return { ...nowhere, got: error instanceof Error ? error.message : String(error) };
  }
}

/** An implementation: a backend with a kernel, or two backends of a cross check. */
function keyOf({ backend, kernel }: Pick<FirstDifference, 'backend' | 'kernel'>): string {
  return `${backend} ${kernel}`;
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
