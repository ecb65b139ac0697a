/** Policies that the core plays by their parameters: what they are, and their words. */
import type { CompiledTask } from '../envs/family.js';
import { corePolicy, POLICY_WORDS_MAX } from '../generated/common.js';

/**
 * y = W · observation + b, each row its bias and then its products, added in the order of the
 * observations in f64 and rounded to f32 once. Where actions are real numbers y is the action (the
 * kernel clips it); where they are indices there is a row for each choice, field after field, and
 * the highest of a field wins, the first of equals, of those the task's mask allows.
 */
export interface LinearPolicy {
  readonly kind: 'linear';
  /** f32 [rows, observationDim], row-major; rows: `policyRows(task)`. */
  readonly weights: ArrayLike<number>;
  /** f32 [rows]. Default: zeros. */
  readonly bias?: ArrayLike<number>;
}

/** A number of the observation, cut into as many bins as it has edges, and one more. */
export interface BinnedFeature {
  /** Which number of the observation: its index or its name in `task.observationNames`. */
  readonly observation: number | string;
  /** f32, rising: a value is in bin n where it has reached n of them. */
  readonly edges: ArrayLike<number>;
}

/** A table of actions over binned observations. */
export interface TabularPolicy {
  readonly kind: 'tabular';
  readonly features: readonly BinnedFeature[];
  /**
   * [bins of the first feature, of the second, …, actionDim], row-major: f32 or, where actions are
   * indices, i32. Masks are not looked at.
   */
  readonly table: ArrayLike<number>;
}

/** A policy that the core plays by parameters. */
export type ParametricPolicy = LinearPolicy | TabularPolicy;

/** Rows of a linear policy: the action's numbers, or the choices of its indices together. */
export function policyRows(task: CompiledTask): number {
  return task.actionDtype === 'index' ? task.actionSpace.flatDim : task.actionDim;
}

/** Rows that lie side by side in the words. */
const ROWS = 8;

/**
 * The words of a policy, as `src/reference/policy/parameters.ts` describes them.
 *
 * @throws RangeError naming the field, its value and what is needed.
 */
export function encodePolicy(task: CompiledTask, policy: ParametricPolicy): Uint32Array {
  if (policy.kind === 'linear') return encodeLinear(task, policy);
  if (policy.kind === 'tabular') return encodeTabular(task, policy);
  const { kind } = policy as { kind: unknown };
  throw new RangeError(`policy.kind is ${JSON.stringify(kind)}: linear or tabular is needed`);
}

function encodeLinear(task: CompiledTask, { weights, bias }: LinearPolicy): Uint32Array {
  const { observationDim } = task;
  const rows = policyRows(task);
  const padded = ROWS * Math.ceil(rows / ROWS);
  const shape = `rows × observationDim = ${rows} × ${observationDim}`;
  checkNumbers('weights', weights, rows * observationDim, shape);
  if (bias !== undefined) checkNumbers('bias', bias, rows, `one for each row = ${rows}`);
  const { words, numbers } = allocate(2 + padded * (1 + observationDim));
  words.set([corePolicy.linear, rows]);
  if (bias !== undefined) numbers.set(bias, 2);
  for (let row = 0; row < rows; row++) {
    const group = 2 + padded + Math.floor(row / ROWS) * observationDim * ROWS;
    for (let k = 0; k < observationDim; k++) {
      numbers[group + ROWS * k + (row % ROWS)] = weights[row * observationDim + k];
    }
  }
  return words;
}

function encodeTabular(task: CompiledTask, { features, table }: TabularPolicy): Uint32Array {
  const { actionDim } = task;
  const columns = features.map(({ observation }, f) => columnOf(task, observation, f));
  features.forEach(({ edges }, f) => {
    checkEdges(`features[${f}].edges`, edges);
  });
  const bins = features.map(({ edges }) => edges.length + 1);
  const cells = bins.reduce((product, count) => product * count, 1);
  const shape = `bins × actionDim = ${[...bins, actionDim].join(' × ')}`;
  checkNumbers('table', table, cells * actionDim, shape);
  checkTable(task, table);
  const numEdges = features.reduce((sum, { edges }) => sum + edges.length, 0);
  const { words, numbers } = allocate(2 + 2 * features.length + numEdges + table.length);
  words.set([corePolicy.tabular, features.length]);
  let at = 2 + 2 * features.length;
  features.forEach(({ edges }, f) => {
    words.set([columns[f], edges.length], 2 + 2 * f);
    numbers.set(edges, at);
    at += edges.length;
  });
  if (task.actionDtype === 'index') words.set(table, at);
  else numbers.set(table, at);
  return words;
}

function allocate(length: number): { words: Uint32Array; numbers: Float32Array } {
  if (length > POLICY_WORDS_MAX) {
    throw new RangeError(`the policy has ${length} numbers: at most ${POLICY_WORDS_MAX} have room`);
  }
  const words = new Uint32Array(length);
  return { words, numbers: new Float32Array(words.buffer) };
}

function columnOf(task: CompiledTask, observation: number | string, f: number): number {
  const { observationNames: names, observationDim } = task;
  const column = typeof observation === 'string' ? names.indexOf(observation) : observation;
  if (Number.isInteger(column) && column >= 0 && column < observationDim) return column;
  throw new RangeError(
    `features[${f}].observation is ${JSON.stringify(observation)}: an index below ` +
      `${observationDim} or one of ${names.join(', ')} is needed`,
  );
}

function checkNumbers(
  name: string,
  values: ArrayLike<number>,
  length: number,
  shape: string,
): void {
  if (values.length !== length) {
    throw new RangeError(`${name} has ${values.length} numbers: ${shape} are needed`);
  }
  for (let k = 0; k < length; k++) {
    if (typeof values[k] === 'number' && Number.isFinite(Math.fround(values[k]))) continue;
    throw new RangeError(`${name}[${k}] is ${String(values[k])}: a finite f32 is needed`);
  }
}

function checkEdges(name: string, edges: ArrayLike<number>): void {
  checkNumbers(name, edges, edges.length, '');
  for (let k = 1; k < edges.length; k++) {
    if (Math.fround(edges[k]) > Math.fround(edges[k - 1])) continue;
    const before = `more than the edge before, ${edges[k - 1]},`;
    throw new RangeError(`${name}[${k}] is ${edges[k]}: ${before} is needed`);
  }
}

/** An index has no nearest neighbour to be clipped to, so one outside the space is refused. */
function checkTable(task: CompiledTask, table: ArrayLike<number>): void {
  if (task.actionDtype !== 'index') return;
  const { actionDim, actionSpace } = task;
  for (let k = 0; k < table.length; k += actionDim) {
    const row = Array.from({ length: actionDim }, (_, j) => table[k + j]);
    const problem = actionSpace.describe(actionDim === 1 ? row[0] : row, `table[${k}]`);
    if (problem !== null) throw new RangeError(problem);
  }
}
