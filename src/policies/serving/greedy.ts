/** One-step look-ahead over the discrete grid. */
import {
  type CompiledTask,
  type Policy,
  ServingModel,
  servingAction,
  servingGrid,
} from '../../library.js';

/**
 * Takes the configuration whose next reward is highest, as the reference's own dynamics predict
 * it from the table and the present state. Short-sighted: it does not see what a queue or a
 * rollout will cost later. Needs the metrics channel, which evaluations keep.
 */
export function greedyPolicy(): Policy {
  let player: GreedyPlayer | null = null;
  return {
    name: 'greedy',
    act({ task, numEnvs, observations, metrics, actions }) {
      player = player?.task === task ? player : new GreedyPlayer(task);
      const { observationDim, actionDim } = task;
      const numMetrics = task.layout.metrics.length;
      for (let i = 0; i < numEnvs; i++) {
        const action = player.choose(
          observations.subarray(i * observationDim, (i + 1) * observationDim),
          metrics.subarray(i * numMetrics, (i + 1) * numMetrics),
        );
        task.encodeAction(action, actions.subarray(i * actionDim, (i + 1) * actionDim));
      }
    },
  };
}

/** States in which candidates are looked for: prompt in tokens, queue and arrivals in requests. */
const PROBE_PROMPTS = [64, 256, 700, 1500, 3000, 6000];
const PROBE_QUEUES = [0, 10, 100, 1000];
const PROBE_ARRIVALS = [1, 4, 16, 64];

class GreedyPlayer {
  private readonly model: ServingModel;
  private readonly candidates: { row: readonly number[]; action: unknown }[];

  constructor(readonly task: CompiledTask) {
    this.model = new ServingModel(task);
    const rows = usefulRows(this.model, servingGrid(task));
    this.candidates = rows.map((row) => ({ row, action: servingAction(task, row) }));
  }

  choose(observation: Float32Array, metrics: Float32Array): unknown {
    this.model.observe(observation, metrics);
    let best = this.candidates[0];
    let bestReward = Number.NEGATIVE_INFINITY;
    for (const candidate of this.candidates) {
      const reward = this.model.predictReward(candidate.row);
      if (reward > bestReward) {
        best = candidate;
        bestReward = reward;
      }
    }
    return best.action;
  }
}

/**
 * The configurations that are best in some probed state, each where it is in force already: a grid
 * of 1,350 has too many to try them all at every step.
 */
function usefulRows(model: ServingModel, grid: readonly number[][]): number[][] {
  const useful = new Set<number[]>();
  for (const promptLen of PROBE_PROMPTS) {
    for (const queue of PROBE_QUEUES) {
      for (const arrivals of PROBE_ARRIVALS) {
        const rewards = grid.map((row) => {
          model.assume({ queue, arrivals, promptLen, row, rolloutLeft: 0 });
          return model.predictReward(row);
        });
        useful.add(grid[rewards.indexOf(Math.max(...rewards))]);
      }
    }
  }
  return [...useful];
}
