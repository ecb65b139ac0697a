/** Compiles a recording of jobs: columns, an index by tick, and the windows that can be drawn. */
import type { JobTrace } from '../../data/job-trace.js';
import type { RecordedWorkload } from './workload.js';

/** The place of a recording in a program without one: nothing, in one window. */
export const noTrace = {
  scalars: { traceTicks: 2, traceJobs: 1, windowStartMax: 0, numWindows: 1, warmSlots: 0 },
  tables: {
    traceFirst: new Uint32Array(2),
    traceCpu: new Uint32Array(1),
    traceMem: new Uint32Array(1),
    traceDuration: new Uint32Array(1),
    traceEnd: new Uint32Array(1),
    runningFirst: new Uint32Array(2),
    windowStarts: new Uint32Array(1),
  },
};

/** Every job takes a unit of CPU at least, so no more than `fleetCpu` can run. */
export function traceTables(
  { trace, warmStart }: RecordedWorkload,
  horizonSteps: number,
  fleetCpu: number,
) {
  const { arrival, cpu, mem, duration } = trace;
  const numTicks = arrival[arrival.length - 1] + 1;
  const traceFirst = new Uint32Array(numTicks + 1);
  for (const tick of arrival) traceFirst[tick + 1] += 1;
  for (let tick = 0; tick < numTicks; tick++) traceFirst[tick + 1] += traceFirst[tick];
  const windowStartMax = numTicks > horizonSteps ? numTicks - horizonSteps : 0;
  const running = warmStart ? runningJobs(trace, numTicks) : new Uint32Array(numTicks + 1);
  const windowStarts = new Uint32Array(windowStartMax + 1)
    .map((_, tick) => tick)
    .filter((tick) => {
      const end = tick + horizonSteps < numTicks ? tick + horizonSteps : numTicks;
      return running[tick] > 0 || traceFirst[end] > traceFirst[tick];
    });
  const most = windowStarts.reduce((m, tick) => (running[tick] > m ? running[tick] : m), 0);
  const warmSlots = most < fleetCpu ? most : fleetCpu;
  return {
    scalars: {
      fromTrace: 1,
      traceTicks: traceFirst.length,
      traceJobs: arrival.length,
      windowStartMax,
      numWindows: windowStarts.length,
      warmSlots,
    },
    tables: {
      traceFirst,
      traceCpu: Uint32Array.from(cpu),
      traceMem: Uint32Array.from(mem),
      traceDuration: Uint32Array.from(duration),
      traceEnd: Uint32Array.from(arrival, (tick, i) => tick + duration[i]),
      runningFirst: warmStart ? firstRunning(trace, traceFirst, windowStarts) : traceFirst,
      windowStarts,
    },
  };
}

/** [ticks + 1] jobs that arrived before a tick and end after it. */
function runningJobs({ arrival, duration }: JobTrace, numTicks: number): Uint32Array {
  const changes = new Int32Array(numTicks + 2);
  arrival.forEach((tick, i) => {
    const end = tick + duration[i];
    changes[tick + 1] += 1;
    changes[end <= numTicks ? end : numTicks + 1] -= 1;
  });
  let running = 0;
  return Uint32Array.from(changes.subarray(0, numTicks + 1), (change) => {
    running += change;
    return running;
  });
}

/** [ticks + 1] at the start of each window the first job that still runs; others are not read. */
function firstRunning(
  { arrival, duration }: JobTrace,
  traceFirst: Uint32Array,
  windowStarts: Uint32Array,
): Uint32Array {
  const first = traceFirst.slice();
  let oldest = 0;
  // Among the jobs that arrived before a tick the first that runs on never moves back.
  for (const tick of windowStarts) {
    while (oldest < traceFirst[tick] && arrival[oldest] + duration[oldest] <= tick) oldest += 1;
    first[tick] = oldest;
  }
  return first;
}
