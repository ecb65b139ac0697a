/** Counters and histograms in Prometheus' text format. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { RequestTimes } from './request-times.js';

interface Gauges {
  sessions(): number;
  sockets(): number;
  batches(): number;
}

export type StepSource = 'http' | 'openenv' | 'mcp' | 'vec';

export interface ServerMetrics {
  readonly registry: Registry;
  readonly requests: RequestTimes;
  /** Environment steps so far, by the way they came: `steps.http++`. */
  readonly steps: Record<StepSource, number>;
}

/** Metrics of one server; each has a registry of its own. */
export function createMetrics(gauges: Gauges): ServerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('infragym_sessions', 'HTTP sessions that are kept', gauges.sessions);
  gauge('infragym_sockets', 'open WebSocket connections', gauges.sockets);
  gauge('infragym_batches', 'batches of environments', gauges.batches);
  // Counted by plain numbers, which are put into labels when somebody asks.
  const steps = { http: 0, openenv: 0, mcp: 0, vec: 0 };
  new Counter({
    name: 'infragym_env_steps_total',
    help: 'environment steps',
    labelNames: ['via'],
    registers,
    collect() {
      this.reset();
      for (const [via, count] of Object.entries(steps)) this.inc({ via }, count);
    },
  });
  return {
    registry,
    requests: new RequestTimes(),
    steps,
  };
}
