/** Counters and histograms in Prometheus' text format. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Gauges {
  sessions(): number;
  sockets(): number;
  batches(): number;
}

const STEP_SOURCES = ['http', 'openenv', 'mcp', 'vec'] as const;
export type StepSource = (typeof STEP_SOURCES)[number];

export interface ServerMetrics {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<'method' | 'route' | 'status'>;
  /** Environment steps, by the way they came: `steps.http.inc()`. */
  readonly steps: Readonly<Record<StepSource, { inc(count?: number): void }>>;
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
  const counter = new Counter({
    name: 'infragym_env_steps_total',
    help: 'environment steps',
    labelNames: ['via'],
    registers,
  });
  // The labels are looked up here, once, and not at every step.
  const entries = STEP_SOURCES.map((via) => [via, counter.labels(via)]);
  const steps = Object.fromEntries(entries) as ServerMetrics['steps'];
  return {
    registry,
    requestSeconds: new Histogram({
      name: 'infragym_http_request_duration_seconds',
      help: 'time from the request to the end of its reply',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
      registers,
    }),
    steps,
  };
}
