/**
 * All of a compiled task but its program, as JSON: what the command line and the server tell of a
 * task, and what another language reads from a bundle. docs/bundles.md lists the entries.
 */

import { digestOf } from '../base/digest.js';
import type { Json, JsonObject } from '../base/json.js';
import type { CompiledTask } from '../envs/family.js';
import type { Report } from '../envs/report.js';
import { actionKindNames } from '../generated/common.js';
import { actionTables } from '../program/actions.js';
import { type Layout, stateSlots } from '../program/layout.js';
import { programScalars } from '../program/program.js';
import type { SpaceJson } from '../spaces/index.js';

/** One number of an action row. */
export interface ActionDescription {
  readonly name: string;
  /** `real` is clipped, `integer` rounded too, `choice` of `choices`; `index` is never clipped. */
  readonly kind: (typeof actionKindNames)[number];
  readonly low: number;
  readonly high: number;
  readonly choices: readonly number[];
  readonly unit: string;
  readonly doc: string;
}

/** One number of an observation row; null where nothing bounds it. */
export interface ObservationDescription {
  readonly name: string;
  readonly low: number | null;
  readonly high: number | null;
  /** '' where there is none and where observations are normalised. */
  readonly unit: string;
  readonly doc: string;
}

/** Slots of the state that follow each other and have one bound, as a snapshot holds them. */
export interface StateDescription {
  readonly name: string;
  readonly dtype: 'u32' | 'f32' | 'f64';
  readonly count: number;
  /** Greatest value of a u32; null for f32 and f64, which may be any finite number. */
  readonly max: number | null;
}

/** The description of a task by its program and its family's layout. */
export interface ProgramDescription {
  readonly family: string;
  readonly layout_version: number;
  readonly layout_hash: number;
  readonly program_digest: string;
  readonly episode_length: number;
  readonly action_dtype: 'real' | 'index';
  readonly action_dim: number;
  readonly observation_dim: number;
  readonly mask_dim: number;
  readonly metrics: readonly { readonly name: string; readonly doc: string }[];
  readonly statistics: Layout['statistics'];
  readonly state: readonly StateDescription[];
  /** The family's own policies that the core plays, in the order of their numbers. */
  readonly heuristics: readonly string[];
}

/** A task, described. */
export interface TaskDescription extends ProgramDescription {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly name: string;
  readonly difficulty: string;
  readonly description: string;
  readonly config: JsonObject;
  readonly action_space: SpaceJson;
  /** Space of an action row: what a batch takes, whatever the task's own action space. */
  readonly action_row_space: SpaceJson;
  readonly observation_space: SpaceJson;
  readonly actions: readonly ActionDescription[];
  readonly observations: readonly ObservationDescription[];
  /** The fixed baseline: an action, its row and, where one plays instead, the core's heuristic. */
  readonly baseline: {
    readonly action: Json;
    readonly row: readonly number[];
    readonly heuristic: string | null;
  };
  readonly report: Report;
  /** Which grader grades, by what, and whether it needs the baseline's return and a bound. */
  readonly grader: CompiledTask['grader'] & {
    readonly needs_baseline: boolean;
    readonly needs_bound: boolean;
  };
}

/** Describes a compiled task. */
export function describeTask(task: CompiledTask): TaskDescription {
  const { id, aliases, name, difficulty, description } = task.spec;
  const actions = describeActions(task);
  return {
    ...{ id, aliases, name, difficulty, description },
    ...describeProgram(task.layout, task.program),
    config: task.config,
    action_space: task.actionSpace.toJSON(),
    action_row_space: rowSpace(task, actions),
    observation_space: task.observationSpace.toJSON(),
    actions,
    observations: describeObservations(task),
    baseline: {
      action: plainJson(task.baselineAction),
      row: baselineRow(task),
      heuristic: task.baselineHeuristic ?? null,
    },
    report: task.report,
    grader: {
      ...task.grader,
      needs_baseline: task.needsBaseline,
      needs_bound: task.bound !== undefined,
    },
  };
}

/** Describes a program that has been validated. */
export function describeProgram(layout: Layout, program: Uint8Array): ProgramDescription {
  const scalars = programScalars(layout, program);
  const scalar = (name: string) => scalars[scalarIndex(layout, name)];
  const kinds = actionTables(layout, program).actionKind;
  const areIndices = kinds.every((kind) => actionKindNames[kind] === 'index');
  return {
    family: layout.name,
    layout_version: layout.version,
    layout_hash: layout.hash,
    program_digest: digestOf(program),
    episode_length: scalar('horizon'),
    action_dtype: areIndices ? 'index' : 'real',
    action_dim: scalar('action_dim'),
    observation_dim: scalar('observation_dim'),
    mask_dim: scalar('mask_dim'),
    metrics: layout.metrics.map(({ name, doc }) => ({ name, doc })),
    statistics: layout.statistics,
    state: describeState(layout, scalars),
    heuristics: layout.heuristics,
  };
}

function describeState(layout: Layout, scalars: readonly number[]): StateDescription[] {
  const described: StateDescription[] = [];
  for (const slot of stateSlots(layout, scalars)) {
    const name = slot.name.replace(/\[\d+\]$/, '');
    const bound = typeof slot.max === 'number' ? slot.max : scalars[scalarIndex(layout, slot.max)];
    const last = described.at(-1);
    if (last?.name === name) described[described.length - 1] = { ...last, count: last.count + 1 };
    else {
      const max = slot.dtype === 'u32' ? bound : null;
      described.push({ name, dtype: slot.dtype, count: 1, max });
    }
  }
  return described;
}

const scalarIndex = (layout: Layout, name: string): number =>
  layout.scalars.findIndex((scalar) => scalar.name === name);

/** The numbers of a task's action row. */
export function describeActions({
  layout,
  program,
  actionNames,
}: CompiledTask): ActionDescription[] {
  const tables = actionTables(layout, program);
  const width = tables.actionChoices.length / tables.actionKind.length;
  return actionNames.map((name, i) => {
    const field = layout.actions.find((action) => action.name === name);
    const kind = actionKindNames[tables.actionKind[i]];
    const from = i * width;
    const choices = [...tables.actionChoices.slice(from, from + tables.actionNumChoices[i])];
    const isChoice = kind === 'choice';
    return {
      name,
      kind,
      low: isChoice ? Math.min(...choices) : tables.actionRanges[2 * i],
      high: isChoice ? Math.max(...choices) : tables.actionRanges[2 * i + 1],
      choices: isChoice ? choices : [],
      unit: field?.unit ?? '',
      doc: field?.doc ?? '',
    };
  });
}

/** Fields of an observation row; those of numbered things are named `<thing>_<number>_<field>`. */
function describeObservations(task: CompiledTask): ObservationDescription[] {
  const { items, prefixItems } = task.observationSpace.toJSON() as {
    items?: Bounds;
    prefixItems?: Bounds[];
  };
  const isNormalised = task.config['normalize_observation'] === true;
  return task.observationNames.map((name, i) => {
    const { minimum = null, maximum = null } = prefixItems?.[i] ?? items ?? {};
    const stem = name.replace(/^[a-z]+_\d+_/, '');
    const field = task.layout.observations.find((o) => o.name === name || o.name === stem);
    const unit = isNormalised ? '' : (field?.unit ?? '');
    return { name, low: minimum, high: maximum, unit, doc: field?.doc ?? '' };
  });
}

interface Bounds {
  readonly minimum?: number;
  readonly maximum?: number;
}

function rowSpace(task: CompiledTask, fields: readonly ActionDescription[]): SpaceJson {
  const space = task.actionSpace.toJSON();
  if (space.type !== 'object') return space;
  return {
    space: 'Box',
    type: 'array',
    dtype: 'float32',
    shape: [fields.length],
    minItems: fields.length,
    maxItems: fields.length,
    prefixItems: fields.map(({ low, high }) => ({ type: 'number', minimum: low, maximum: high })),
  };
}

/** The fixed baseline as a row of actions. */
function baselineRow(task: CompiledTask): number[] {
  const isIndex = task.actionDtype === 'index';
  const row = isIndex ? new Int32Array(task.actionDim) : new Float32Array(task.actionDim);
  task.encodeAction(task.baselineAction, row);
  return [...row];
}

const plainJson = (value: unknown): Json =>
  (ArrayBuffer.isView(value) ? [...(value as Float32Array)] : value) as Json;
