/**
 * Serving: an LLM inference server's knobs under changing traffic. What a step computes is said in
 * docs/environments/serving.md; this file and its companions (the program, the origin's dynamics,
 * the measured dynamics) are the specification that every backend follows bit for bit.
 *
 * The table part (samplers, cell fractions, interpolation, factors) is f32: every operation is
 * rounded by `f`. State, queues, averages and rewards are f64.
 */

import { stream } from '../../generated/common.js';
import type { ServingScalars, ServingTables } from '../../generated/serving.js';
import * as generated from '../../generated/serving.js';
import type { DecodedProgram } from '../../program/program.js';
import { sampleQuantile } from '../../program/sample.js';
import { drawBlock, wordBelow } from '../draws.js';
import type { ActionRow, Outputs, ReferenceEnvironment } from '../environment.js';
import { scaleRow } from '../rows.js';
import { kvOccupancy, ORIGIN_METRICS, ServingProgram } from './decode.js';
import { advanceMeasured } from './measured.js';
import { advanceOrigin } from './origin.js';
import type { ServingState, StepScratch } from './state.js';

// Held here: V8 folds a constant of the module itself, but reads an imported one at every use.
const { dynamics, GRID_METRICS, metric, observation, promptKind, SPEC_LENGTH_CHOICES } = generated;

const f = Math.fround;

export class ServingEnvironment implements ReferenceEnvironment<ServingState> {
  private readonly program: ServingProgram;
  private readonly words = new Uint32Array(4);
  private readonly scratch: StepScratch;

  constructor({ scalars, tables }: DecodedProgram<ServingScalars, ServingTables>) {
    this.program = new ServingProgram(scalars, tables);
    this.scratch = {
      wanted: { kvBudget: 0, batchSize: 0, specIndex: 0, prefillDisagg: 0, quantTier: 0 },
      grid: new Float32Array(scalars.dynamics === dynamics.origin ? ORIGIN_METRICS : GRID_METRICS),
      arrivals: 0,
      promptLen: 0,
      noiseTtftP50: 0,
      noiseTtftP99: 0,
      noiseTpot: 0,
      capacityRps: 0,
      violationRate: 0,
    };
  }

  createState(): ServingState {
    return {
      seedLo: 0,
      seedHi: 0,
      episode: 0,
      step: 0,
      finished: 0,
      windowStart: 0,
      specIndex: 0,
      prefillDisagg: 0,
      quantTier: 0,
      rolloutLeft: 0,
      queue: 0,
      arrivalEma: 0,
      promptMean: 0,
      costSoFar: 0,
      credit: 0,
      batchSize: 0,
      kvBudget: 0,
    };
  }

  previousMetrics(state: ServingState, row: Float64Array): void {
    row[metric.appliedBatchSize] = state.batchSize;
    row[metric.appliedKvBudget] = state.kvBudget;
  }

  reset(state: ServingState, out: Outputs): void {
    const { s, t } = this.program;
    const words = drawBlock(state, stream.reset, 0, this.words);
    state.step = 0;
    state.windowStart = wordBelow(words[0], s.windowStartMax + 1);
    state.specIndex = s.defaultSpecIndex;
    state.prefillDisagg = s.defaultPrefillDisagg;
    state.quantTier = s.defaultQuantTier;
    state.batchSize = s.defaultBatchSize;
    state.kvBudget = f(s.defaultKvBudget);
    state.rolloutLeft = 0;
    state.queue = 0;
    state.arrivalEma = t.levelRate[t.profileLevel[state.windowStart]];
    const fromProfile = s.promptKind === promptKind.profile;
    state.promptMean = fromProfile ? t.profilePrompt[state.windowStart] : s.promptStart;
    state.costSoFar = 0;
    state.credit = 0;
    out.metrics.set(t.resetMetrics);
    this.scratch.capacityRps = s.resetCapacityRps;
    this.scratch.violationRate = 0;
    this.observe(state, out);
  }

  step(state: ServingState, action: ActionRow, out: Outputs): void {
    const { s } = this.program;
    this.program.decodeAction(action, this.scratch.wanted);
    this.admitArrivals(state, out);
    if (s.dynamics === dynamics.origin) advanceOrigin(this.program, state, this.scratch, out);
    else advanceMeasured(this.program, state, this.scratch, out);
    state.step += 1;
    this.reportConfiguration(state, out);
    this.observe(state, out);
    out.terminated = false;
    out.truncated = state.step >= s.horizon;
  }

  act(): boolean {
    return false;
  }

  /**
   * Draws the step's traffic. One Philox block: a word for the arrivals, the top 24 bits of the
   * other three for the noises, their low bytes together for the prompt.
   */
  private admitArrivals(state: ServingState, out: Outputs): void {
    const { program, scratch } = this;
    const { s, t } = program;
    const words = drawBlock(state, stream.step, 0, this.words);
    const now = state.windowStart + state.step;
    scratch.arrivals = program.sampleArrivals(t.profileLevel[now], words[0]);
    scratch.noiseTtftP50 = sampleQuantile(t.noise, words[1]);
    scratch.noiseTtftP99 = sampleQuantile(t.noise, words[2]);
    scratch.noiseTpot = sampleQuantile(t.noise, words[3]);
    const low = ((words[1] & 255) << 24) | ((words[2] & 255) << 16) | ((words[3] & 255) << 8);
    const drawn = program.samplePrompt(low >>> 0, now);
    state.arrivalEma += (scratch.arrivals - state.arrivalEma) * s.arrivalGain;
    if (s.promptKind === promptKind.profile) state.promptMean = drawn;
    else state.promptMean += (drawn - state.promptMean) * s.promptGain;
    scratch.promptLen = f(state.promptMean);
    out.metrics[metric.arrivals] = scratch.arrivals;
    out.metrics[metric.phase] = t.profilePhase[now];
  }

  private reportConfiguration(state: ServingState, out: Outputs): void {
    out.metrics[metric.appliedBatchSize] = state.batchSize;
    out.metrics[metric.appliedKvBudget] = state.kvBudget;
    out.metrics[metric.appliedSpecLength] = SPEC_LENGTH_CHOICES[state.specIndex];
    out.metrics[metric.appliedPrefillDisagg] = state.prefillDisagg;
    out.metrics[metric.appliedQuantTier] = state.quantTier;
  }

  /** The observation row: rounded to f32, then scaled by the program's fixed scalings. */
  private observe(state: ServingState, out: Outputs): void {
    const { s, t } = this.program;
    const m = out.metrics;
    const row = out.observation;
    row[observation.queueDepth] = state.queue;
    row[observation.meanPromptLen] = state.promptMean;
    row[observation.arrivalRate] = state.arrivalEma;
    row[observation.kvCacheOccupancy] = kvOccupancy(state.queue, m[metric.evictionEvents]);
    row[observation.ttftP50] = m[metric.ttftP50Ms];
    row[observation.tpotP50] = m[metric.tpotMs];
    row[observation.sloViolationRate] = this.scratch.violationRate;
    row[observation.gpuMemoryUsedGb] = m[metric.gpuMemoryGb];
    row[observation.specAcceptRate] = m[metric.specAcceptRate];
    row[observation.priorityInteractive] = s.shareInteractive;
    row[observation.priorityBatch] = s.shareBatch;
    row[observation.priorityBestEffort] = s.shareBestEffort;
    row[observation.timestep] = state.step;
    row[observation.costSoFar] = state.costSoFar;
    if (s.dynamics === dynamics.measured) this.observeMeasured(state, row);
    scaleRow(row, t.observationScale);
  }

  private observeMeasured(state: ServingState, row: Float32Array): void {
    row[observation.capacityRps] = this.scratch.capacityRps;
    row[observation.activeSpecLength] = SPEC_LENGTH_CHOICES[state.specIndex];
    row[observation.activePrefillDisagg] = state.prefillDisagg;
    row[observation.activeQuantTier] = state.quantTier;
    row[observation.rolloutStepsLeft] = state.rolloutLeft;
    row[observation.windowPosition] = (state.windowStart + state.step) * this.program.s.profileInv;
  }
}
