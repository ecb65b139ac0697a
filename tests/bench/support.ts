/** Measurements and runs to reason about, without measuring. */
import type { Measurement, Results } from '../../bench/harness/results.js';

/** Rounds of 10 ns in the group `kernels`, unless told otherwise. */
export function measurement(change: Partial<Measurement> = {}): Measurement {
  const ns_rounds = change.ns_rounds ?? [10, 10, 10];
  return {
    id: 'a',
    group: 'kernels',
    environment: 'serving',
    task: 'serving/static-uniform-v1',
    envs: 4096,
    threads: 1,
    backend: 'native',
    kernel_asked: 'auto',
    kernel: 'avx2',
    timed: 'step',
    unit: 'step',
    digest: '0123456789abcdef',
    ns_rounds,
    ns_median: [...ns_rounds].sort((a, b) => a - b)[ns_rounds.length >> 1],
    ns_min: Math.min(...ns_rounds),
    ns_max: Math.max(...ns_rounds),
    to_calibration: 5,
    ...change,
  };
}

export function results(measurements: Measurement[], change: Partial<Results> = {}): Results {
  return {
    format: 1,
    complete: true,
    quick: false,
    date: '2026-01-02',
    machine: {
      cpu: 'Test CPU',
      cores: 2,
      flags: ['avx2'],
      memory_gb: 8,
      os: 'Linux 6',
      arch: 'x64',
      node: 'v20.0.0',
      rustc: null,
      commit: 'abcdef',
      dirty: false,
      load: 0,
    },
    rounds: 3,
    sample_seconds: 0.04,
    measurements,
    skipped: [],
    memory: [],
    instructions: [],
    peers: [],
    ...change,
  };
}
