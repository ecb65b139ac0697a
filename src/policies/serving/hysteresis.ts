/** Two configurations and thresholds on the queue and on the arrival rate. */
import {
  type CompiledTask,
  type HysteresisRule,
  observationScales,
  type Policy,
  servingAction,
} from '../../library.js';

/** The rule at work in some environments: which of them are busy. */
export class HysteresisState {
  private readonly isBusy: Uint8Array;
  private readonly calm: Float32Array | Int32Array;
  private readonly busy: Float32Array | Int32Array;
  private readonly queueAt: number;
  private readonly rateAt: number;
  private readonly queueScale: number;
  private readonly rateScale: number;

  constructor(
    private readonly task: CompiledTask,
    private readonly rule: HysteresisRule,
    numEnvs: number,
  ) {
    this.isBusy = new Uint8Array(numEnvs);
    this.calm = rowOf(task, rule.calm);
    this.busy = rowOf(task, rule.busy);
    this.queueAt = task.observationNames.indexOf('queue_depth');
    this.rateAt = task.observationNames.indexOf('arrival_rate');
    const scales = observationScales(task);
    this.queueScale = scales[this.queueAt];
    this.rateScale = scales[this.rateAt];
  }

  /** Reads [numEnvs, observationDim] and writes [numEnvs, actionDim]. */
  act(observations: Float32Array, actions: Float32Array | Int32Array): void {
    const { observationDim, actionDim } = this.task;
    for (let i = 0; i < this.isBusy.length; i++) {
      const queue = observations[i * observationDim + this.queueAt] / this.queueScale;
      const rate = observations[i * observationDim + this.rateAt] / this.rateScale;
      this.isBusy[i] = this.decide(this.isBusy[i] === 1, queue, rate) ? 1 : 0;
      actions.set(this.isBusy[i] === 1 ? this.busy : this.calm, i * actionDim);
    }
  }

  private decide(isBusy: boolean, queue: number, rate: number): boolean {
    const { queueHigh, queueLow, rateHighRps, rateLowRps } = this.rule;
    if (!isBusy) {
      return (
        (queueHigh !== null && queue >= queueHigh) || (rateHighRps !== null && rate >= rateHighRps)
      );
    }
    return (queueLow !== null && queue > queueLow) || (rateLowRps !== null && rate > rateLowRps);
  }
}

function rowOf(task: CompiledTask, configuration: readonly number[]): Float32Array | Int32Array {
  const row = task.actionDtype === 'index' ? new Int32Array(1) : new Float32Array(task.actionDim);
  task.encodeAction(servingAction(task, configuration), row);
  return row;
}

/** Changes between a rule's two configurations. */
export function hysteresisPolicy(rule: HysteresisRule): Policy {
  let state: HysteresisState | null = null;
  return {
    name: 'hysteresis',
    reset() {
      state = null;
    },
    act({ task, numEnvs, observations, actions }) {
      state ??= new HysteresisState(task, rule, numEnvs);
      state.act(observations, actions);
    },
  };
}
