/** The document of a run: what `bench.json` holds, and how samples become its entries. */

import type { Definition } from '../definitions.js';
import { CALIBRATION } from './calibration.js';
import type { InstructionRow } from './instructions.js';
import type { Machine } from './machine.js';
import type { Samples } from './measure.js';
import type { MemoryRow } from './memory.js';
import type { PeerRow } from './peers.js';
import { median, pairedRatio } from './statistics.js';
import type { Prepared, Skipped } from './workload.js';

export const FORMAT = 1;

export interface Measurement {
  readonly id: string;
  readonly group: string;
  readonly environment: string;
  readonly task: string;
  readonly envs: number;
  readonly threads: number;
  readonly backend: string;
  /** As asked for: `auto` or a kernel's name. */
  readonly kernel_asked: string;
  /** As taken. */
  readonly kernel: string;
  readonly timed: string;
  /** The unit of a nanosecond figure: a step, an environment or a call. */
  readonly unit: 'step' | 'environment' | 'call';
  readonly digest: string;
  /** Nanoseconds a unit, round by round; round i of a group's entries ran side by side. */
  readonly ns_rounds: readonly number[];
  readonly ns_median: number;
  readonly ns_min: number;
  readonly ns_max: number;
  /** Median of time ÷ time of the calibration in the same round, both for a unit. */
  readonly to_calibration: number;
}

export interface Results {
  readonly format: typeof FORMAT;
  /** False where the run was stopped: what had been measured by then is here. */
  complete: boolean;
  readonly quick: boolean;
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly sample_seconds: number;
  /** How long the run has waited for a calm machine, see `--patience`. */
  waited_seconds?: number;
  measurements: Measurement[];
  /** Measurements that this machine could not make, and why. */
  skipped: Skipped[];
  memory: MemoryRow[];
  instructions: InstructionRow[];
  peers: PeerRow[];
}

/** The entries of a group's samples; workloads that were not reached are left out. */
export function measurementsOf(prepared: readonly Prepared[], samples: Samples): Measurement[] {
  const calibration = samples.get(CALIBRATION) ?? [];
  return prepared.flatMap(({ id, prefix, definition, kernel, digest }) => {
    const rounds = samples.get(id) ?? [];
    if (rounds.length === 0 || calibration.length === 0) return [];
    const { group, environment, task, envs, threads, backend, timed } = definition;
    return [
      {
        id: id.slice(prefix.length),
        group,
        environment,
        task,
        envs,
        threads,
        backend,
        kernel_asked: definition.kernel,
        kernel,
        timed,
        unit: unitOf(definition),
        digest,
        ns_rounds: rounds.map((ns) => Number(ns.toPrecision(6))),
        ns_median: Number(median(rounds).toPrecision(6)),
        ns_min: Number(Math.min(...rounds).toPrecision(6)),
        ns_max: Number(Math.max(...rounds).toPrecision(6)),
        to_calibration: Number(pairedRatio(rounds, calibration).toPrecision(6)),
      },
    ];
  });
}

function unitOf({ timed }: Definition): Measurement['unit'] {
  if (timed === 'compile' || timed === 'empty') return 'call';
  return timed === 'create' || timed === 'reset' ? 'environment' : 'step';
}

export function stepsPerSecond({ ns_median }: Pick<Measurement, 'ns_median'>): number {
  return 1e9 / ns_median;
}
