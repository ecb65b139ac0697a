/** The autoscaler against decisions that Kubernetes publishes, and against its rules one by one. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HorizontalPodAutoscaler, type PodSample, runHpaCases } from '../../src/index.js';

const casesFile = new URL('../vectors/hpa-cases.json', import.meta.url);
const cases = runHpaCases(JSON.parse(readFileSync(casesFile, 'utf8')));

interface Spec {
  readonly metrics?: readonly object[];
  readonly min?: number;
  readonly max?: number;
  readonly behavior?: object;
}

function autoscaler({ metrics, min, max = 1000, behavior }: Spec, flags = {}) {
  const object = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    spec: { minReplicas: min, maxReplicas: max, metrics, behavior },
  };
  return new HorizontalPodAutoscaler(object, { downscaleStabilization_s: 0, ...flags });
}

const resource = (name: string, averageUtilization: number) => ({
  type: 'Resource',
  resource: { name, target: { type: 'Utilization', averageUtilization } },
});
const perPod = (averageValue: string) => ({
  type: 'Pods',
  pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue } },
});
const external = (target: object) => ({
  type: 'External',
  external: { metric: { name: 'queue' }, target },
});
const object = (target: object) => ({
  type: 'Object',
  object: { metric: { name: 'hits' }, describedObject: { kind: 'Ingress', name: 'a' }, target },
});

/** Pods that use some millicores (or thousandths of rps) of a request of 1000. */
function pods(usages: readonly (number | null)[], more: PodSample = {}): PodSample[] {
  return usages.map((usage) => ({
    usage: { cpu: usage, memory: usage, rps: usage },
    requests: { cpu: 1000, memory: 1000 },
    ...more,
  }));
}

describe('published decisions', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, { desired, expected }) => {
    expect(expected).not.toBeNull();
    expect(desired).toBe(expected);
  });

  it('are 29', () => expect(cases).toHaveLength(29));
});

describe('pods that start', () => {
  const cpu60 = { metrics: [resource('cpu', 60)] };
  const decide = (hpa: HorizontalPodAutoscaler, list: PodSample[]) =>
    hpa.sync({ now_s: 1000, replicas: list.length, pods: list }).desired;

  it('count only with a whole window of CPU while ready', () => {
    const hot = { started_s: 970, ready_changed_s: 980, metric_window_s: 30 };
    // Two cold pods at 90 %, two hot ones at 95 %: the hot ones count as 0 upwards.
    const list = [...pods([900, 900]), ...pods([950, 950], hot)];
    expect(decide(autoscaler(cpu60), list)).toBe(4);
    const whole = [...pods([900, 900]), ...pods([950, 950], { ...hot, metric_window_s: 20 })];
    expect(decide(autoscaler(cpu60), whole)).toBe(7);
  });

  it('keep counting once they have been ready, after the initialisation period', () => {
    const fallen = { started_s: 0, ready_changed_s: 900, ready: false };
    expect(decide(autoscaler(cpu60), [...pods([900, 900]), ...pods([900], fallen)])).toBe(5);
    const never = { started_s: 0, ready_changed_s: 10, ready: false };
    expect(decide(autoscaler(cpu60), [...pods([900, 900]), ...pods([900], never)])).toBe(3);
    const flags = { initialReadinessDelay_s: 5 };
    expect(decide(autoscaler(cpu60, flags), [...pods([900, 900]), ...pods([900], never)])).toBe(5);
  });

  it('count for other resources than CPU, ready or not', () => {
    const list = pods([900, 900, 900], { ready: false });
    expect(decide(autoscaler({ metrics: [resource('memory', 60)] }), list)).toBe(5);
    expect(decide(autoscaler(cpu60), list)).toBe(3);
  });

  it('are left out while pending, and ignored when failed or deleted', () => {
    const list = [...pods([300, 300]), ...pods([null, null], { phase: 'Pending' })];
    expect(decide(autoscaler(cpu60), list)).toBe(1);
    const gone = [...pods([300]), ...pods([null], { phase: 'Failed' })];
    expect(decide(autoscaler(cpu60), gone)).toBe(1);
  });
});

describe('pods without a metric', () => {
  const decide = (metric: object, usages: (number | null)[]) =>
    autoscaler({ metrics: [metric] }).sync({
      now_s: 0,
      replicas: usages.length,
      pods: pods(usages),
    }).desired;

  it('count as the higher of 100 % and the target downwards', () => {
    // 20 % and a missing one at 100 % or 150 %: (200 + 1500) / 2000 = 85 % of 150 %.
    expect(decide(resource('cpu', 150), [200, null])).toBe(2);
    expect(decide(resource('cpu', 150), [200, 200, 200, null])).toBe(2);
  });

  it('count as nothing upwards', () => {
    expect(decide(resource('cpu', 50), [900, 900, null])).toBe(4);
    expect(decide(perPod('500m'), [900, 900, null])).toBe(4);
  });

  it('count as the target for plain metrics downwards, and as 0 at exactly the target', () => {
    expect(decide(perPod('1'), [100, 100, 100, null])).toBe(2);
    expect(decide(perPod('1'), [1000, 1000, null, null])).toBe(2);
    expect(decide(resource('cpu', 100), [1000, 1000, null, null])).toBe(4);
  });
});

describe('several metrics', () => {
  const both = { metrics: [resource('cpu', 60), external({ averageValue: '10' })] };
  const at = (usage: number, queue: number | null, replicas = 4) =>
    autoscaler(both).sync({
      now_s: 0,
      replicas,
      pods: pods(Array(replicas).fill(usage)),
      values: { queue },
    });

  it('lets the highest proposal win', () => {
    expect(at(900, 10_000).desired).toBe(6);
    expect(at(300, 70_000).desired).toBe(7);
  });

  it('scales up without the invalid ones, and never down', () => {
    expect(at(900, null).desired).toBe(6);
    const kept = at(300, null);
    expect(kept).toMatchObject({ desired: 4, recommendation: null });
    expect(kept.metrics[1]!.error).toContain('queue');
    expect(at(300, Number.NaN).desired).toBe(4);
  });

  it('keeps the size where none is usable', () => {
    const hpa = autoscaler(both);
    const decision = hpa.sync({ now_s: 0, replicas: 4, pods: pods([null, null]) });
    expect(decision).toMatchObject({ desired: 4, reason: 'no usable metric' });
  });

  it('is invalid where a pod has no request', () => {
    const list: PodSample[] = [...pods([900, 900]), { usage: { cpu: 900 } }];
    const hpa = autoscaler({ metrics: [resource('cpu', 60)] });
    expect(hpa.sync({ now_s: 0, replicas: 3, pods: list }).desired).toBe(3);
  });
});

describe('metrics of the whole deployment', () => {
  const decide = (metric: object, value: number, replicas: number, numReady = replicas) =>
    autoscaler({ metrics: [metric], min: 0 }).sync({
      now_s: 0,
      replicas,
      pods: Array.from({ length: replicas }, (_, i) => ({ ready: i < numReady })),
      values: { queue: value, hits: value },
    }).desired;

  it('multiply the ready pods by the ratio to a value', () => {
    expect(decide(object({ type: 'Value', value: '10' }), 50_000, 3, 1)).toBe(5);
    expect(decide(external({ value: '10' }), 20_000, 3)).toBe(6);
    expect(decide(external({ value: '10' }), 10_900, 3)).toBe(3);
  });

  it('divide by an average value, whatever is ready', () => {
    expect(decide(object({ type: 'AverageValue', averageValue: '5' }), 20_000, 3, 1)).toBe(4);
    expect(decide(external({ averageValue: '5' }), 15_900, 3)).toBe(3);
  });

  it('scale to and from zero', () => {
    expect(decide(external({ averageValue: '5' }), 0, 3)).toBe(0);
    expect(decide(external({ averageValue: '5' }), 0, 0)).toBe(0);
    expect(decide(object({ type: 'Value', value: '10' }), 20_000, 0)).toBe(2);
    const off = autoscaler({ metrics: [external({ value: '1' })], min: 1 });
    expect(off.sync({ now_s: 0, replicas: 0, values: { queue: 9000 } }).desired).toBe(0);
  });
});

describe('limits on the change', () => {
  const busy = (hpa: HorizontalPodAutoscaler, now_s: number, replicas: number, usage = 900) =>
    hpa.sync({ now_s, replicas, pods: pods(Array(replicas).fill(usage)) }).desired;
  const metrics = [resource('cpu', 10)];

  it('double, or reach 4, without a behavior; add 4 or double with one', () => {
    expect(busy(autoscaler({ metrics }), 0, 3)).toBe(6);
    expect(busy(autoscaler({ metrics }), 0, 1)).toBe(4);
    expect(busy(autoscaler({ metrics, behavior: {} }), 0, 3)).toBe(7);
    expect(busy(autoscaler({ metrics, max: 5 }), 0, 3)).toBe(5);
  });

  it('count what was changed within their period', () => {
    const policies = [{ type: 'Pods', value: 4, periodSeconds: 60 }];
    const hpa = autoscaler({ metrics, behavior: { scaleUp: { policies } } });
    expect(busy(hpa, 0, 3)).toBe(7);
    expect(busy(hpa, 15, 7)).toBe(7);
    expect(busy(hpa, 60, 7)).toBe(11);
  });

  it('switch a direction off', () => {
    const behavior = { scaleDown: { selectPolicy: 'Disabled' } };
    expect(busy(autoscaler({ metrics, behavior }), 0, 6, 10)).toBe(6);
    expect(busy(autoscaler({ metrics }), 0, 6, 10)).toBe(1);
  });

  it('hold downwards for the window, and upwards for its own', () => {
    const down = autoscaler({ metrics }, { downscaleStabilization_s: 300 });
    expect(busy(down, 0, 6, 100)).toBe(6);
    expect(busy(down, 15, 6, 10)).toBe(6);
    expect(busy(down, 299, 6, 10)).toBe(6);
    expect(busy(down, 315, 6, 10)).toBe(1);
    const up = autoscaler({ metrics, behavior: { scaleUp: { stabilizationWindowSeconds: 60 } } });
    expect(busy(up, 0, 3)).toBe(3);
    expect(busy(up, 59, 3)).toBe(3);
    expect(busy(up, 60, 3)).toBe(7);
  });

  it('takes a tolerance of its own for each direction', () => {
    const behavior = { scaleUp: { tolerance: 0 }, scaleDown: { tolerance: '500m' } };
    const hpa = autoscaler({ metrics: [resource('cpu', 50)], behavior });
    expect(busy(hpa, 0, 10, 510)).toBe(11);
    expect(busy(hpa, 15, 10, 260)).toBe(10);
  });
});

describe('objects', () => {
  it('are refused with path, value and what would be right', () => {
    expect(() => autoscaler({ metrics: [resource('cpu', 0)] })).toThrow(
      /^spec.metrics\[0\].resource.target.averageUtilization is 0: a whole number from 1/,
    );
    expect(() => autoscaler({ max: 2, min: 3 })).toThrow(/maxReplicas is 2: at least minReplicas/);
    expect(() => autoscaler({ metrics: [external({})] })).toThrow(/states no target: averageValue/);
    expect(() => new HorizontalPodAutoscaler({ kind: 'Deployment' })).toThrow(/kind is/);
    expect(() => autoscaler({}, { tolerence: 1 })).toThrow(/tolerence is no flag/);
    expect(() => autoscaler({}).sync({ now_s: 0, replicas: -1 })).toThrow(/replicas is -1/);
  });

  it('get the defaults of the API server', () => {
    const { spec } = autoscaler({ behavior: { scaleUp: {} } });
    expect(spec.metrics).toMatchObject([{ name: 'cpu', target: 'Utilization', value: 80 }]);
    expect(spec.min_replicas).toBe(1);
    expect(spec.behavior!.up.policies).toHaveLength(2);
    expect(autoscaler({ min: 0 }).spec.warnings).toHaveLength(1);
  });
});
