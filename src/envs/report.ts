/**
 * The `info` of a step, as data: which number of which row stands under which name. So it
 * can be made into an object here, and into text, without the object, by the server.
 */

import type { Json, JsonObject } from '../base/json.js';
import type { Layout } from '../program/layout.js';

/** A step's rows: what the environment measured, what it showed and what it was told. */
export interface StepRows {
  /** f32 [number of metrics] */
  readonly metrics: Float32Array;
  /** f32 [observationDim] */
  readonly observation: Float32Array;
  /** f32 or i32 [actionDim] */
  readonly action: Float32Array | Int32Array;
}

/** Where a reported value comes from; `index` counts in the metrics row, unless `row` says else. */
export type ReportedValue =
  /** A number, divided by `scale`. */
  | {
      readonly kind: 'number';
      readonly row: 'metrics' | 'observation';
      readonly index: number;
      readonly scale: number;
    }
  /** Whether a metric has a value. */
  | { readonly kind: 'flag'; readonly index: number; readonly value: number }
  /** The label with a metric's number. */
  | { readonly kind: 'label'; readonly index: number; readonly labels: readonly string[] }
  /** The names of the numbers in which the action is not what the metrics say was applied. */
  | { readonly kind: 'overwritten'; readonly fields: readonly OverwrittenField[] }
  /** The same at every step; each report has a list of its own. */
  | { readonly kind: 'list'; readonly items: readonly (string | number)[] }
  | { readonly kind: 'object'; readonly report: Report };

export interface OverwrittenField {
  readonly name: string;
  /** In the action row. */
  readonly asked: number;
  /** In the metrics row. */
  readonly applied: number;
}

/** The entries of an object, in their order. */
export type Report = readonly (ReportedValue & { readonly name: string })[];
type Entry = Report[number];

/** A metric as it is. */
export function metricEntry(name: string, index: number): Entry {
  return { name, kind: 'number', row: 'metrics', index, scale: 1 };
}

/** Whether a metric has a value, 1 unless given. */
export function flagEntry(name: string, index: number, value = 1): Entry {
  return { name, kind: 'flag', index, value };
}

export function objectEntry(name: string, report: Report): Entry {
  return { name, kind: 'object', report };
}

/** Some of a layout's metrics, all unless named, under `metrics`. */
export function metricsEntry(
  layout: Layout,
  names: readonly string[] = layout.metrics.map(({ name }) => name),
): Entry {
  const entries = names.map((name) => {
    return metricEntry(
      name,
      layout.metrics.findIndex((metric) => metric.name === name),
    );
  });
  return objectEntry('metrics', entries);
}

/** A step's report as an object of its own. */
export function describeStep(report: Report, rows: StepRows): JsonObject {
  const described: Record<string, Json> = {};
  // By assignment, for this runs at every step of an `Env` and `fromEntries` takes longer.
  for (const entry of report) described[entry.name] = reportedValue(entry, rows);
  return described;
}

function reportedValue(value: ReportedValue, rows: StepRows): Json {
  switch (value.kind) {
    case 'number':
      return rows[value.row][value.index] / value.scale;
    case 'flag':
      return rows.metrics[value.index] === value.value;
    case 'label':
      return value.labels[rows.metrics[value.index]];
    case 'overwritten':
      return overwrittenNames(value.fields, rows);
    case 'list':
      return [...value.items];
    case 'object':
      return describeStep(value.report, rows);
  }
}

/** Whether a report reads more of a step than its metrics. */
export function readsRow(report: Report, row: 'observation' | 'action'): boolean {
  return report.some((entry) => {
    if (entry.kind === 'object') return readsRow(entry.report, row);
    if (entry.kind === 'overwritten') return row === 'action';
    return entry.kind === 'number' && entry.row === row;
  });
}

/** The names of the fields in which the action asked for something else than was applied. */
export function overwrittenNames(
  fields: readonly OverwrittenField[],
  { action, metrics }: StepRows,
): string[] {
  const names: string[] = [];
  for (const { name, asked, applied } of fields) {
    if (action[asked] !== metrics[applied]) names.push(name);
  }
  return names;
}
