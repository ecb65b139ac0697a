/**
 * Reads publishers' recordings of jobs into traces for scheduling: Google's cluster trace v2
 * (task_events), Alibaba's openb pods, and the Standard Workload Format. Browser-safe.
 */

import { rowCount } from './columns.js';
import { readCsv } from './csv.js';
import { DataError, quote } from './errors.js';
import type { JobTrace } from './job-trace.js';
import { numbersOf, readJobTrace } from './job-trace.js';

/** How a recording's quantities become steps and units of capacity. */
export interface JobImportOptions {
  readonly name: string;
  /** Seconds that a step lasts. Default 60. */
  readonly stepSeconds?: number;
  /** The recording's CPU in a unit of capacity; the default is said with each importer. */
  readonly cpuPerUnit?: number;
  /** The recording's memory in a unit of capacity. */
  readonly memPerUnit?: number;
}

/** A trace, and how many records could not become jobs of it, by reason. */
export interface JobImport {
  readonly trace: JobTrace;
  readonly skipped: Readonly<Record<string, number>>;
}

/** A job in the recording's own quantities. */
interface RecordedJob {
  readonly submitS: number;
  readonly runtimeS: number;
  readonly cpu: number;
  readonly mem: number;
}

const TASK_EVENT_COLUMNS = [
  ...['time_us', 'missing_info', 'job_id', 'task_index', 'machine_id', 'event_type', 'user'],
  ...['scheduling_class', 'priority', 'cpu_request', 'mem_request', 'disk_request', 'constraint'],
].join(',');
const SUBMIT = 0;
const SCHEDULE = 1;
const FINISH = 4;
const LAST_END_EVENT = 6; // evict 2, fail 3, finish 4, kill 5, lost 6

/**
 * Google's cluster trace v2, `task_events` (CSV without a header, thirteen columns, microseconds).
 * A job is one run of a task, from its submission to its finish; runs that end otherwise, have no
 * submission or no finish in the file, or ask for nothing, are skipped. Demands are fractions of
 * the largest machine. Defaults: 1/160 of it a unit.
 *
 * @throws DataError naming row and column of what is no number, and where no job is left
 */
export function importTaskEvents(input: string | Uint8Array, options: JobImportOptions): JobImport {
  const text = typeof input === 'string' ? input : new TextDecoder().decode(input);
  const columns = readCsv(`${TASK_EVENT_COLUMNS}\n${text}`);
  const [time, job, task, event] = ['time_us', 'job_id', 'task_index', 'event_type'].map((name) =>
    numbersOf(columns, name),
  );
  const cpu = optionalNumbers(columns['cpu_request']);
  const mem = optionalNumbers(columns['mem_request']);
  const open = new Map<string, { submit: number; start: number }>();
  const skipped = new Tally();
  const jobs: RecordedJob[] = [];
  for (let i = 0; i < rowCount(columns); i++) {
    const key = `${job[i]}/${task[i]}`;
    const run = open.get(key);
    if (event[i] === SUBMIT) open.set(key, { submit: time[i], start: Number.NaN });
    else if (event[i] === SCHEDULE && run !== undefined) run.start = time[i];
    else if (event[i] > SCHEDULE && event[i] <= LAST_END_EVENT) {
      open.delete(key);
      if (run === undefined) skipped.add('no submission');
      else if (event[i] !== FINISH || Number.isNaN(run.start)) skipped.add('did not finish');
      else if (!(cpu[i] > 0 && mem[i] > 0)) skipped.add('no demand');
      else {
        const runtimeS = (time[i] - run.start) / 1e6;
        jobs.push({ submitS: run.submit / 1e6, runtimeS, cpu: cpu[i], mem: mem[i] });
      }
    }
  }
  skipped.add('still open', open.size);
  return toTrace(jobs, skipped, { cpuPerUnit: 1 / 160, memPerUnit: 1 / 160, ...options });
}

/**
 * Alibaba's openb pods (`openb_pod_list_*.csv`). A job runs from `scheduled_time` to
 * `deletion_time`; pods that were never scheduled are skipped. Defaults: 1000 milli-CPU and 4096
 * MiB a unit. GPUs are not modelled.
 *
 * @throws DataError naming row and column
 */
export function importOpenbPods(input: string | Uint8Array, options: JobImportOptions): JobImport {
  const columns = readCsv(input);
  const [cpu, mem, created, deleted] = [
    ...['cpu_milli', 'memory_mib', 'creation_time', 'deletion_time'],
  ].map((name) => numbersOf(columns, name));
  if (columns['scheduled_time'] === undefined) numbersOf(columns, 'scheduled_time');
  const scheduled = optionalNumbers(columns['scheduled_time']);
  const skipped = new Tally();
  const jobs: RecordedJob[] = [];
  for (let i = 0; i < rowCount(columns); i++) {
    if (!(scheduled[i] >= created[i])) skipped.add('never scheduled');
    else if (!(deleted[i] >= scheduled[i])) skipped.add('no end');
    else {
      const runtimeS = deleted[i] - scheduled[i];
      jobs.push({ submitS: created[i], runtimeS, cpu: cpu[i], mem: mem[i] });
    }
  }
  return toTrace(jobs, skipped, { cpuPerUnit: 1000, memPerUnit: 4096, ...options });
}

/**
 * The Standard Workload Format of the Parallel Workloads Archive (Feitelson): lines of eighteen
 * numbers, comments after `;`. CPU is the requested processors, else the allocated ones; memory
 * the requested or used KB a processor, where it is known, times the processors. Jobs that did not
 * run are skipped. Defaults: a processor and 1 GiB a unit.
 *
 * @throws DataError naming the line and the field
 */
export function importSwf(input: string | Uint8Array, options: JobImportOptions): JobImport {
  const text = typeof input === 'string' ? input : new TextDecoder().decode(input);
  const skipped = new Tally();
  const jobs: RecordedJob[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    const content = line.split(';')[0].trim();
    if (content === '') return;
    const fields = content.split(/\s+/);
    const field = (index: number, name: string): number => {
      const value = Number(fields[index]);
      if (fields[index] !== undefined && Number.isFinite(value)) return value;
      const shown = quote(fields[index] ?? '');
      throw new DataError(`${shown} is not a number`, { row: i + 1, column: name });
    };
    const runtimeS = field(3, 'run time');
    const allocated = field(4, 'allocated processors');
    const usedKb = field(6, 'used memory');
    const requested = field(7, 'requested processors');
    const requestedKb = field(9, 'requested memory');
    const cpu = requested > 0 ? requested : allocated;
    const kb = requestedKb > 0 ? requestedKb : usedKb;
    if (!(runtimeS > 0 && cpu > 0)) {
      skipped.add('did not run');
      return;
    }
    jobs.push({ submitS: field(1, 'submit time'), runtimeS, cpu, mem: kb > 0 ? kb * cpu : 0 });
  });
  return toTrace(jobs, skipped, { cpuPerUnit: 1, memPerUnit: 2 ** 20, ...options });
}

/** Counts by reason. */
class Tally {
  readonly counts: Record<string, number> = {};

  add(reason: string, count = 1): void {
    if (count > 0) this.counts[reason] = (this.counts[reason] ?? 0) + count;
  }
}

/** A column in which cells may be empty: those read NaN. */
function optionalNumbers(column: Float64Array | string[] | undefined): Float64Array {
  if (column instanceof Float64Array) return column;
  return Float64Array.from(column ?? [], (text) => (text.trim() === '' ? NaN : Number(text)));
}

/** Jobs by submission, from step 0 on; everything is rounded up to at least one step or unit. */
function toTrace(
  jobs: RecordedJob[],
  skipped: Tally,
  options: Required<Pick<JobImportOptions, 'cpuPerUnit' | 'memPerUnit'>> & JobImportOptions,
): JobImport {
  const { name, stepSeconds = 60, cpuPerUnit, memPerUnit } = options;
  for (const [key, value] of Object.entries({ stepSeconds, cpuPerUnit, memPerUnit })) {
    if (value > 0 && value < Infinity) continue;
    throw new RangeError(`${key} is ${value}: a number above 0 is needed`);
  }
  if (jobs.length === 0) {
    const reasons = Object.entries(skipped.counts).map(([reason, n]) => `${n} ${reason}`);
    throw new DataError(`no job is left (${reasons.join(', ') || 'the file has no records'})`);
  }
  const sorted = [...jobs].sort((a, b) => a.submitS - b.submitS);
  const unit = (amount: number, per: number) => Math.max(1, Math.ceil(amount / per));
  const first = sorted[0].submitS;
  const column = (value: (job: RecordedJob) => number) => Float64Array.from(sorted, value);
  const columns = {
    arrival: column(({ submitS }) => Math.floor((submitS - first) / stepSeconds)),
    cpu: column(({ cpu }) => unit(cpu, cpuPerUnit)),
    mem: column(({ mem }) => unit(mem, memPerUnit)),
    duration: column(({ runtimeS }) => unit(runtimeS, stepSeconds)),
  };
  return { trace: readJobTrace(columns, name), skipped: skipped.counts };
}
