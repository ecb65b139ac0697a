/** Sums over groups of pods against the same rules pod by pod, as the controller keeps them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HorizontalPodAutoscaler, type PodSample } from '../../src/index.js';

interface Pod {
  readonly usage: number | null;
  readonly request: number;
  readonly ready: boolean;
  readonly state: 'Running' | 'Pending' | 'Failed' | 'deleted';
}

const pod = fc.record<Pod>({
  usage: fc.option(fc.integer({ min: 0, max: 2000 }), { freq: 4 }),
  request: fc.integer({ min: 1, max: 1500 }),
  ready: fc.boolean(),
  state: fc.constantFrom('Running', 'Running', 'Running', 'Pending', 'Failed', 'deleted'),
});

/** Size that utilization asks for, with a map of samples that is filled and emptied by name. */
function byPod(pods: readonly Pod[], replicas: number, target: number): number {
  const samples = new Map<number, number>();
  const lists = { unready: [] as number[], missing: [] as number[] };
  let numReady = 0;
  pods.forEach(({ usage, ready, state }, i) => {
    if (state === 'Failed' || state === 'deleted') return;
    if (state === 'Pending') lists.unready.push(i);
    else if (usage === null) lists.missing.push(i);
    else if (!ready) lists.unready.push(i);
    else {
      samples.set(i, usage);
      numReady++;
    }
  });
  if (samples.size === 0) return replicas;
  const ratio = () => {
    const sum = (of: (i: number) => number) => [...samples.keys()].reduce((s, i) => s + of(i), 0);
    const usage = sum((i) => samples.get(i)!);
    return Math.floor((100 * usage) / sum((i) => pods[i]!.request)) / target;
  };
  const near = (r: number) => r >= 0.9 && r <= 1.1;
  const first = ratio();
  if (lists.missing.length === 0 && !(lists.unready.length > 0 && first > 1)) {
    return near(first) ? replicas : Math.ceil(first * numReady);
  }
  for (const i of lists.missing) {
    if (first < 1) {
      samples.set(i, Math.floor((pods[i]!.request * Math.max(100, target)) / 100));
    }
    if (first > 1) samples.set(i, 0);
  }
  if (first > 1) for (const i of lists.unready) samples.set(i, 0);
  const second = ratio();
  if (near(second) || (first < 1 && second > 1) || (first > 1 && second < 1)) return replicas;
  const size = Math.ceil(second * samples.size);
  if ((second < 1 && size > replicas) || (second > 1 && size < replicas)) return replicas;
  return size;
}

describe('utilization', () => {
  it('asks for the size that a count pod by pod asks for', () => {
    const arbitrary = fc.tuple(
      fc.array(pod, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 180 }),
    );
    fc.assert(
      fc.property(arbitrary, ([pods, replicas, target]) => {
        const averageUtilization = target;
        const metric = { name: 'cpu', target: { type: 'Utilization', averageUtilization } };
        const hpa = new HorizontalPodAutoscaler({
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          spec: { maxReplicas: 1e6, metrics: [{ type: 'Resource', resource: metric }] },
        });
        const samples = pods.map(({ usage, request, ready, state }): PodSample => {
          const phase = state === 'deleted' ? 'Running' : state;
          const deleted = state === 'deleted';
          return { phase, deleted, ready, usage: { cpu: usage }, requests: { cpu: request } };
        });
        const { metrics } = hpa.sync({ now_s: 0, replicas, pods: samples });
        expect(metrics[0]!.replicas ?? replicas).toBe(byPod(pods, replicas, target));
      }),
      { numRuns: 2000 },
    );
  });
});
