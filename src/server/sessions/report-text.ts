/** A step's report as JSON text, without making the objects. */
import {
  type CompiledTask,
  overwrittenNames,
  type Report,
  type ReportedValue,
  type StepRows,
} from '../../index.js';
import { type JsonPart, type JsonText, jsonPart } from './json-text.js';

type Varying = Exclude<ReportedValue, { kind: 'list' | 'object' }>;

/** A value that differs from step to step, and the text between the one before it and itself. */
interface Slot {
  readonly before: JsonPart;
  readonly value: Varying;
  /** In quotes, where the value is a label. */
  readonly labels: readonly JsonPart[];
}

/** A task's report: text and values in turns. */
interface Frame {
  readonly slots: readonly Slot[];
  readonly after: JsonPart;
}

const NONE = jsonPart('[]');
const frames = new WeakMap<CompiledTask, Frame>();

/** Writes the entries of a step's report, each with a comma before it. */
export function writeReport(text: JsonText, task: CompiledTask, rows: StepRows): void {
  let frame = frames.get(task);
  if (frame === undefined) {
    frame = new FrameMaker().make(task.report);
    frames.set(task, frame);
  }
  const { slots, after } = frame;
  for (let i = 0; i < slots.length; i++) {
    text.raw(slots[i].before);
    writeValue(text, slots[i], rows);
  }
  text.raw(after);
}

function writeValue(text: JsonText, { value, labels }: Slot, rows: StepRows): void {
  const { kind } = value;
  if (kind === 'number') text.number(rows[value.row][value.index] / value.scale);
  else if (kind === 'flag') text.flag(rows.metrics[value.index] === value.value);
  else if (kind === 'label') text.raw(labels[rows.metrics[value.index]]);
  else writeNames(text, overwrittenNames(value.fields, rows));
}

function writeNames(text: JsonText, names: readonly string[]): void {
  if (names.length === 0) text.raw(NONE);
  else text.json(names);
}

/** Gathers what is the same at every step into the text between the values that are not. */
class FrameMaker {
  private readonly slots: Slot[] = [];
  private before = '';

  make(report: Report): Frame {
    this.entries(report, ',');
    return { slots: this.slots, after: jsonPart(this.before) };
  }

  /** `first` is what stands before the first entry. */
  private entries(report: Report, first: string): void {
    report.forEach((entry, i) => {
      this.before += `${i === 0 ? first : ','}${JSON.stringify(entry.name)}:`;
      this.value(entry);
    });
  }

  private value(value: ReportedValue): void {
    if (value.kind === 'list') this.before += JSON.stringify(value.items);
    else if (value.kind === 'object') this.object(value.report);
    else this.slot(value);
  }

  private object(report: Report): void {
    if (report.length === 0) this.before += '{';
    this.entries(report, '{');
    this.before += '}';
  }

  private slot(value: Varying): void {
    const labels = value.kind === 'label' ? value.labels : [];
    this.slots.push({
      before: jsonPart(this.before),
      value,
      labels: labels.map((label) => jsonPart(JSON.stringify(label))),
    });
    this.before = '';
  }
}
