/** Whether measurements of a server can be true. */
import { TABLE_AXES } from './perf-table.js';

/** Rows that no server gives: a first token sooner than any token after it. */
export function impossible(
  metrics: readonly Float64Array[],
): { row: number; column: string; problem: string }[] {
  const [ttft, , tpot] = metrics;
  const rows = Array.from(ttft.keys()).filter((i) => ttft[i] < tpot[i]);
  if (rows.length * 4 < ttft.length) return [];
  const first = rows[0];
  const problem =
    `is ${ttft[first]}, below one tpot of ${tpot[first]}, and so in ${rows.length} rows: ` +
    'a first token takes longer; is it in seconds? give milliseconds';
  return [{ row: first + 1, column: 'ttft_p50', problem }];
}

/** A factor between rows that measurements of one server do not have. */
const FALL_MAX = 2;
const BATCH = TABLE_AXES.findIndex((axis) => axis.column === 'batch_size');

/** Remarks about rows that may be true, but are likely measured wrong. */
export function unlikely(
  nodes: readonly Float64Array[],
  metrics: readonly Float64Array[],
): string[] {
  return [...falls(nodes, metrics[0]), ...perGpu(nodes, metrics)];
}

/** TTFT that falls as concurrency rises was measured on a backed-up server. */
function falls(nodes: readonly Float64Array[], ttft: Float64Array): string[] {
  // The ends of each line along the batch axis, by the other nodes.
  const lines = new Map<string, { first: number; last: number }>();
  const batch = nodes[BATCH];
  ttft.forEach((_, i) => {
    const key = nodes.map((column, a) => (a === BATCH ? '' : column[i])).join('/');
    const line = lines.get(key) ?? { first: i, last: i };
    if (batch[i] < batch[line.first]) line.first = i;
    if (batch[i] > batch[line.last]) line.last = i;
    lines.set(key, line);
  });
  let worst = { ratio: 1, from: 0, to: 0 };
  for (const { first, last } of lines.values()) {
    const ratio = ttft[first] / ttft[last];
    if (ratio > worst.ratio) worst = { ratio, from: batch[first], to: batch[last] };
  }
  if (worst.ratio < FALL_MAX) return [];
  const range = `from batch_size ${worst.from} to ${worst.to}`;
  return [
    `ttft_p50 falls ${worst.ratio.toFixed(1)} times ${range}: was the server backed up before?`,
  ];
}

/** A throughput far from what the batch and the time per token give. */
function perGpu(nodes: readonly Float64Array[], metrics: readonly Float64Array[]): string[] {
  const [, , tpot, tps] = metrics;
  const shares = tps.map((x, i) => (x * tpot[i]) / (1000 * nodes[BATCH][i])).sort();
  const middle = shares[shares.length >> 1];
  if (middle > 1.3) {
    const times = middle.toFixed(1);
    return [`tps * tpot is ${times} times what batch_size gives: more than the server can`];
  }
  if (middle > 0.3) return [];
  const part = `1/${Math.round(1 / middle)}`;
  return [`tps * tpot is ${part} of what batch_size gives: is tps of one GPU of several?`];
}
