/** Jobs as they were recorded, before they are cut to a fleet's steps and units. */

/** One entry a job, in the order of the file. */
export interface RecordedJobs {
  readonly name: string;
  /** Seconds; [jobs]. */
  readonly submit_s: Float64Array;
  /** When it began to run; NaN where the recording does not say, then it is its submission. */
  readonly start_s: Float64Array;
  /** Seconds that it ran; Infinity where it still ran when the recording ended. */
  readonly runtime_s: Float64Array;
  /** In the recording's own units. */
  readonly cpu: Float64Array;
  readonly mem: Float64Array;
  readonly gpus: Float64Array;
  /** Of the recording's units, what makes one unit of a fleet unless it is said otherwise. */
  readonly cpuPerUnit: number;
  readonly memPerUnit: number;
}
