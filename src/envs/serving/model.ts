/** The results that a serving step would have, by the reference's dynamics from an observation. */

import {
  dynamics,
  observation as field,
  GRID_METRICS,
  metric,
  type ServingScalars,
  type ServingTables,
  SPEC_LENGTH_CHOICES,
} from '../../generated/serving.js';
import { decodeProgram } from '../../program/program.js';
import type { Outputs } from '../../reference/environment.js';
import { type Configuration, ServingProgram } from '../../reference/serving/decode.js';
import { advanceMeasured } from '../../reference/serving/measured.js';
import { advanceOrigin } from '../../reference/serving/origin.js';
import { ServingEnvironment } from '../../reference/serving/serving.js';
import type { ServingState, StepScratch } from '../../reference/serving/state.js';
import type { CompiledTask } from '../family.js';
import { observationScales } from './family.js';

/** The state a step begins in. */
export interface ServingSituation {
  /** Requests waiting. */
  readonly queue: number;
  /** Requests that will arrive. */
  readonly arrivals: number;
  /** Tokens. */
  readonly promptLen: number;
  /** The configuration in force: kv, batch, draft length, disagg, tier. */
  readonly row: readonly number[];
  /** Steps until the last slow change is rolled out. */
  readonly rolloutLeft: number;
}

/**
 * Predicts the reward of the next step of a serving task for any configuration: with full
 * knowledge of the table and of what is observed, as many arrivals as their running mean says,
 * the prompt unchanged and no noise.
 */
export class ServingModel {
  private readonly program: ServingProgram;
  private readonly scales: Float32Array;
  private readonly state: ServingState;
  private readonly next: ServingState;
  private readonly scratch: StepScratch;
  private readonly out: Outputs;

  constructor(task: CompiledTask) {
    const decoded = decodeProgram<ServingScalars, ServingTables>(task.layout, task.program);
    const environment = new ServingEnvironment(decoded);
    this.program = new ServingProgram(decoded.scalars, decoded.tables);
    this.scales = observationScales(task);
    this.state = environment.createState();
    this.next = environment.createState();
    this.scratch = {
      wanted: { kvBudget: 0, batchSize: 0, specIndex: 0, prefillDisagg: 0, quantTier: 0 },
      grid: new Float32Array(GRID_METRICS),
      arrivals: 0,
      promptLen: 0,
      noiseTtftP50: 1,
      noiseTtftP99: 1,
      noiseTpot: 1,
      capacityRps: 0,
      violationRate: 0,
    };
    this.out = {
      observation: new Float32Array(0),
      metrics: new Float32Array(task.layout.metrics.length),
      mask: new Uint8Array(0),
      reward: 0,
      cost: 0,
      terminated: false,
      truncated: false,
    };
  }

  /** Takes over a state: an observation row and the metrics row that belongs to it. */
  observe(observation: Float32Array, metrics: Float32Array): void {
    const read = (i: number) => observation[i] / this.scales[i];
    const isMeasured = this.program.s.dynamics === dynamics.measured;
    this.assume({
      queue: read(field.queueDepth),
      arrivals: read(field.arrivalRate),
      promptLen: read(field.meanPromptLen),
      row: [
        metrics[metric.appliedKvBudget],
        metrics[metric.appliedBatchSize],
        metrics[metric.appliedSpecLength],
        metrics[metric.appliedPrefillDisagg],
        metrics[metric.appliedQuantTier],
      ],
      rolloutLeft: isMeasured ? Math.round(read(field.rolloutStepsLeft)) : 0,
    });
  }

  /** Takes over a state that nobody observed. */
  assume({ queue, arrivals, promptLen, row, rolloutLeft }: ServingSituation): void {
    configure(this.state, row);
    this.state.queue = queue;
    this.state.rolloutLeft = rolloutLeft;
    // Service credit is not observed: half a request is its mean.
    this.state.credit = 0.5;
    this.scratch.arrivals = arrivals;
    this.scratch.promptLen = Math.fround(promptLen);
  }

  /** The reward of the next step with a configuration: kv, batch, draft length, disagg, tier. */
  predictReward(row: readonly number[]): number {
    const { program, scratch, next, out } = this;
    Object.assign(next, this.state);
    configure(scratch.wanted, row);
    if (program.s.dynamics === dynamics.origin) advanceOrigin(program, next, scratch, out);
    else advanceMeasured(program, next, scratch, out);
    return out.reward;
  }
}

/** Writes a configuration row into a configuration. */
function configure(target: Configuration, row: readonly number[]): void {
  target.kvBudget = Math.fround(row[0]);
  target.batchSize = row[1];
  target.specIndex = SPEC_LENGTH_CHOICES.findLastIndex((choice) => choice <= row[2]);
  target.prefillDisagg = row[3];
  target.quantTier = row[4];
}
