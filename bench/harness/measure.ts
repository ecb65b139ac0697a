/**
 * Times the workloads of a group in turns: a benny suite for each round, which goes through all of
 * them, so that whatever else the machine does in some minute hits them all alike.
 */
import { add, cycle, suite } from 'benny';
import type { Workload } from './workload.js';

export interface Settings {
  /** How often each workload is timed. */
  readonly rounds: number;
  /** The shortest time that one sample takes, in seconds. */
  readonly sampleSeconds: number;
}

/** Nanoseconds for one unit of a workload, by its name, round by round. */
export type Samples = ReadonlyMap<string, readonly number[]>;

/** Called after each sample with the workload's name and its nanoseconds. */
export type OnSample = (id: string, ns: number, done: number, total: number) => void;

/**
 * Times workloads in turns and adds what came of each to `samples`, as it comes, so that a run that
 * is stopped keeps it. The names of the workloads must differ. Each round begins when `ready` lets
 * it.
 */
export async function measure(
  group: string,
  workloads: readonly Workload[],
  settings: Settings,
  samples: Map<string, number[]>,
  onSample: OnSample = () => {},
  ready: () => Promise<void> = async () => {},
): Promise<void> {
  const { rounds, sampleSeconds } = settings;
  const byName = new Map(workloads.map((workload) => [workload.id, workload]));
  const counts = workloads.map((workload) => callsIn(workload, sampleSeconds));
  const total = rounds * workloads.length;
  let done = 0;
  for (let round = 1; round <= rounds; round++) {
    await ready();
    await suite(
      rounds === 1 ? group : `${group}, round ${round} of ${rounds}`,
      ...workloads.map(({ id, run }, i) => {
        // `async` lets Ctrl-C be heard between the samples.
        const once = { minTime: sampleSeconds, maxTime: 0, minSamples: 1, delay: 0 };
        return add(id, () => run(), { ...once, ...{ initCount: counts[i], async: true } });
      }),
      cycle(({ name, details }) => {
        const { id, units } = byName.get(name)!;
        const ns = (details.median * 1e9) / units;
        samples.set(id, [...(samples.get(id) ?? []), ns]);
        done++;
        onSample(id, ns, done, total);
        return '';
      }),
    );
  }
}

/** Warms a workload up and tells how many calls fill a sample. */
function callsIn({ run }: Workload, sampleSeconds: number): number {
  const start = performance.now();
  let calls = 0;
  let ms = 0;
  while (ms < sampleSeconds * 1000) {
    run();
    calls++;
    ms = performance.now() - start;
  }
  return Math.max(1, Math.ceil((calls * sampleSeconds * 1000) / ms));
}
