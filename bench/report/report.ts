/** A run as Markdown: what is printed, saved and put into docs/PERFORMANCE.md. */

import { BACKEND_NAMES } from '../../src/backend.js';
import { BATCH_ENVS, SUBJECTS } from '../definitions.js';
import { type Measurement, type Results, stepsPerSecond } from '../harness/results.js';
import { median, pairedRatio, spread } from '../harness/statistics.js';
import type { ComparisonReport } from './compare.js';
import { goalRows } from './goals.js';
import { count, figure, table } from './markdown.js';

/** Rounds that lie further apart than this, relative to their median, deserve a warning. */
const NOISY_SPREAD = 0.25;

/** The whole report. */
export function resultsText(results: Results): string {
  const sections: [title: string, body: string][] = [
    ['Goals', goalText(results)],
    [`Backends and kernels, ${count(BATCH_ENVS)} environments, one thread`, kernelText(results)],
    ['Environments in a batch: ns a step', environmentText(results)],
    ['Threads', threadText(results)],
    ['Create, reset, step and rollout', callText(results)],
    ['A call: one environment in a loop', singleText(results)],
    ['Memory for each environment, bytes', memoryText(results)],
    ['Instructions a step, native', instructionText(results)],
    ['Peers, one core', peerText(results)],
    ['Not measured here', skippedText(results)],
  ];
  const written = sections.filter(([, body]) => body !== '');
  return [
    machineText(results),
    noiseText(results),
    ...written.map(([title, body]) => `### ${title}\n\n${body}`),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function machineText(results: Results): string {
  const { machine, rounds, date, quick, complete, waited_seconds: waited = 0 } = results;
  const { cpu, cores, flags, memory_gb, os, arch, node, rustc, commit, dirty, load } = machine;
  const kind = [
    ...(quick ? ['quick'] : []),
    ...(complete ? [] : ['stopped early']),
    ...(waited > 0 ? [`${waited} s of waiting for a calm machine`] : []),
  ];
  return table(
    ['measured on', date],
    [
      ['processor', `${cpu}, ${cores} cores, ${arch}: ${flags.join(', ')}`],
      ['memory', `${memory_gb} GB`],
      ['system', [os, `Node ${node}`, rustc ?? 'no rustc'].join(', ')],
      ['commit', `${commit ?? 'unknown'}${dirty ? ', changed' : ''}`],
      ['rounds', [`${rounds}, all variants in turns`, ...kind].join(', ')],
      ['load average before', load],
    ],
  );
}

/** A warning where the machine was not quiet; empty where it was. */
export function noiseText({ measurements }: Results): string {
  const noisy = measurements.filter(({ ns_rounds }) => spread(ns_rounds) > NOISY_SPREAD);
  if (noisy.length === 0) return '';
  const worst = noisy.reduce((a, b) => (spread(a.ns_rounds) > spread(b.ns_rounds) ? a : b));
  const share = `${noisy.length} of ${measurements.length} measurements`;
  const bound = `${100 * NOISY_SPREAD} %`;
  const most = `${worst.id}, ${figure(worst.ns_min)} to ${figure(worst.ns_max)} ns`;
  return `**Noise:** the rounds of ${share} lie more\nthan ${bound} apart, the most of ${most}.`;
}

function goalText(results: Results): string {
  const measured = goalRows(results).filter(({ figure: value }) => value !== null);
  if (measured.length === 0) return '';
  const rows = measured.map(({ name, wanted, figure: value, isMet }) => {
    return [name, wanted, String(value), isMet ? 'met' : '**missed**'];
  });
  return table(['goal', 'wanted', 'measured', ''], rows);
}

function kernelText({ measurements }: Results): string {
  const rows = of(measurements, 'kernels').map((row) => {
    const { environment, backend, kernel, ns_median, ns_min, ns_max } = row;
    const reference = measurements.find((other) => {
      const isSame = other.group === 'kernels' && other.environment === environment;
      return isSame && other.backend === 'reference';
    });
    const ratio = reference === undefined ? '' : `${figure(faster(row, reference))} ×`;
    const range = `${figure(ns_min)} – ${figure(ns_max)}`;
    const rate = figure(stepsPerSecond(row) / 1e6);
    return [`${environment}, ${backend}, ${kernel}`, rate, figure(ns_median), range, ratio];
  });
  if (rows.length === 0) return '';
  return table(['', 'M steps/s', 'ns a step', 'min – max', 'of the reference'], rows);
}

function environmentText({ measurements }: Results): string {
  const members = of(measurements, 'environments');
  const columnOf = (row: Measurement) => `${row.environment}, ${row.backend}${way(row)}`;
  const columns = unique(members.map(columnOf));
  const sizes = unique(members.map(({ envs }) => envs)).sort((a, b) => a - b);
  const rows = sizes.map((envs) => [
    count(envs),
    ...columns.map((column) => {
      const row = members.find((m) => m.envs === envs && columnOf(m) === column);
      return row === undefined ? '' : figure(row.ns_median);
    }),
  ]);
  return rows.length === 0 ? '' : table(['environments', ...columns], rows);
}

/** The mark of a row that took its steps in one call. */
function way({ timed }: Measurement): string {
  return timed === 'hold' ? ', in the core' : '';
}

function threadText({ measurements }: Results): string {
  const members = of(measurements, 'threads');
  const rows = members.map((row) => {
    const one = members.find(
      (m) => m.environment === row.environment && m.timed === row.timed && m.threads === 1,
    );
    const ratio = one === undefined ? '' : `${figure(faster(row, one))} ×`;
    const name = `${row.environment}${way(row)}, ${count(row.envs)} environments, ${row.threads}`;
    return [name, figure(stepsPerSecond(row) / 1e6), figure(row.ns_median), ratio];
  });
  return rows.length === 0 ? '' : table(['threads', 'M steps/s', 'ns a step', 'of one'], rows);
}

function callText({ measurements }: Results): string {
  const members = of(measurements, 'calls');
  const timed = ['compile', 'create', 'reset', 'step', 'rollout'];
  const rows = pairs(members).map(([environment, backend]) => [
    `${environment}, ${backend}`,
    ...timed.map((name) => {
      const row = members.find((m) => {
        return m.environment === environment && m.backend === backend && m.timed === name;
      });
      if (row === undefined) return '';
      return figure(name === 'compile' ? row.ns_median / 1e6 : row.ns_median);
    }),
  ]);
  const units = ['compile, ms', 'create, ns/env', 'reset, ns/env', 'step, ns', 'rollout, ns/step'];
  return rows.length === 0 ? '' : table(['', ...units], rows);
}

function singleText({ measurements }: Results): string {
  const members = of(measurements, 'single');
  const rows = pairs(members).map(([environment, backend]) => [
    `${environment}, ${backend}`,
    ...['empty', 'step', 'env-step'].map((timed) => {
      const row = members.find((m) => {
        return m.environment === environment && m.backend === backend && m.timed === timed;
      });
      return row === undefined ? '' : figure(row.ns_median / 1e3);
    }),
  ]);
  const header = ['', 'empty call, µs', 'VectorEnv.step, µs', 'Env.step with info, µs'];
  return rows.length === 0 ? '' : table(header, rows);
}

function memoryText({ memory }: Results): string {
  const rows = memory.map(({ environment, backend, envs, ...bytes }) => [
    `${environment}, ${backend}, ${count(envs)} environments`,
    count(bytes.state_bytes),
    count(bytes.channel_bytes),
    count(bytes.rss_bytes),
  ]);
  return rows.length === 0 ? '' : table(['', 'state', 'channels', 'process grew by'], rows);
}

function instructionText({ instructions }: Results): string {
  const rows = instructions.map(({ environment, kernel, envs, threads, ...row }) => [
    `${environment}, ${kernel}, ${count(envs)} environments`,
    threads,
    count(row.instructions_per_step),
  ]);
  return rows.length === 0 ? '' : table(['', 'threads', 'instructions a step'], rows);
}

function peerText({ peers, measurements }: Results): string {
  const ours = of(measurements, 'peers');
  const own = ours.map((row) => [
    `InfraGym ${row.environment}, ${row.backend} ${row.kernel}${way(row)}`,
    count(row.envs),
    figure(stepsPerSecond(row) / 1e6),
    ...ours.map((other) => (other === row ? '1 ×' : '')),
  ]);
  const theirs = peers.map((peer) => [
    `${peer.name}: ${peer.computes} (${peer.version})`,
    count(peer.envs),
    figure(median(peer.steps_per_second_rounds) / 1e6),
    ...ours.map(({ ns_rounds }) => {
      const ns = peer.steps_per_second_rounds.map((rate) => 1e9 / rate);
      return `${figure(pairedRatio(ns, ns_rounds))} ×`;
    }),
  ]);
  if (theirs.length === 0) return '';
  const ratios = ours.map((row) => `${row.environment}${way(row)} ÷ it`);
  const header = ['', 'envs', 'M steps/s', ...ratios];
  return table(header, [...own, ...theirs]);
}

function skippedText({ skipped }: Results): string {
  if (skipped.length === 0) return '';
  return table(
    ['', 'reason'],
    skipped.map(({ id, reason }) => [id, reason]),
  );
}

/** The findings of `--compare`: the slowest first. */
export function comparisonText(report: ComparisonReport, tolerance: number): string {
  const rows = [...report.rows]
    .sort((a, b) => a.ratio - b.ratio)
    .map(({ id, ratio, isRegression }) => {
      return [id, `${figure(ratio)} ×`, isRegression ? '**regression**' : ''];
    });
  const { onlyHere, onlyInBase } = report;
  const found = rows.filter(([, , mark]) => mark !== '').length;
  return [
    '### Compared with the base',
    `${found} of ${rows.length} are slower by more than ${figure(100 * tolerance)} %.`,
    table(['', 'speed now ÷ then', ''], rows),
    onlyHere.length === 0 ? '' : `Not in the base: ${onlyHere.length} measurements.`,
    onlyInBase.length === 0 ? '' : `Only in the base: ${onlyInBase.length} measurements.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function of(measurements: readonly Measurement[], group: string): Measurement[] {
  return measurements.filter((row) => row.group === group);
}

/** Environments in their usual order, and for each the backends that were measured. */
function pairs(members: readonly Measurement[]): [environment: string, backend: string][] {
  return SUBJECTS.flatMap(({ environment }) =>
    BACKEND_NAMES.filter((backend) => {
      return members.some((m) => m.environment === environment && m.backend === backend);
    }).map((backend): [string, string] => [environment, backend]),
  );
}

/** How many times as fast `row` is as `other`. */
function faster(row: Measurement, other: Measurement): number {
  return pairedRatio(other.ns_rounds, row.ns_rounds);
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
