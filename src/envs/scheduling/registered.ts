/** The job traces and demand samples a scheduling task can name. */

import type { DemandSamples } from '../../data/demand-samples.js';
import type { JobTrace } from '../../data/job-trace.js';
import { Named } from '../../data/named.js';

/** Traces by name; Node's entry also finds CSV files by their paths. */
export const jobTraces = new Named<JobTrace>('job trace');

/** Demands of jobs, by name; Node's entry finds the shipped ones. */
export const demandSamples = new Named<DemandSamples>('demand samples');

/**
 * Makes a job trace known under a name, for `config.trace` of scheduling tasks with
 * `workload: 'trace'`. `readJobTrace` makes one from a table of jobs.
 */
export function registerJobTrace(name: string, trace: JobTrace): void {
  jobTraces.register(name, trace);
}

/** Makes demand samples known under a name; a browser page registers `google_v2_sampled` so. */
export function registerDemandSamples(name: string, samples: DemandSamples): void {
  demandSamples.register(name, samples);
}
