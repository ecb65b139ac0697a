/** The arrays shared with the caller, row-major [num_envs, ...]. */
import {
  CHANNEL_ACTIONS,
  CHANNEL_COSTS,
  CHANNEL_FINAL_OBSERVATIONS,
  CHANNEL_FINAL_STATISTICS,
  CHANNEL_MASKS,
  CHANNEL_METRICS,
  CHANNEL_OBSERVATIONS,
  CHANNEL_RESET_MASK,
  CHANNEL_REWARDS,
  CHANNEL_TERMINATED,
  CHANNEL_TRUNCATED,
} from './generated/common';
import { allocate, allocateRows } from './memory';
import { Common } from './program';

export class Channels {
  static actions: usize = 0;
  static observations: usize = 0;
  static rewards: usize = 0;
  static costs: usize = 0;
  static terminated: usize = 0;
  static truncated: usize = 0;
  static metrics: usize = 0;
  static finalObservations: usize = 0;
  static finalStatistics: usize = 0;
  static masks: usize = 0;
  static resetMask: usize = 0;
  /** Numbers in an action row. */
  static actionDim: i32 = 0;
  static observationBytes: usize = 0;
  /** Bytes from row to row of the metrics, 0 where all environments write the one row. */
  static metricsBytes: usize = 0;

  /** Allocates every channel for the program that `loadCommon` took. */
  static allocateAll(n: u32, hasMetrics: bool, numMetrics: u32, numStatistics: u32): void {
    const actionDim = Common.actionDim;
    const observationDim = Common.observationDim;
    Channels.actionDim = actionDim;
    Channels.observationBytes = 4 * observationDim;
    Channels.metricsBytes = hasMetrics ? 4 * numMetrics : 0;
    Channels.actions = allocateRows(n, 4 * actionDim);
    Channels.observations = allocateRows(n, 4 * observationDim);
    Channels.rewards = allocateRows(n, 4);
    Channels.costs = allocateRows(n, 4);
    Channels.terminated = allocateRows(n, 1);
    Channels.truncated = allocateRows(n, 1);
    // Without the channel there is still a row: statistics are folded from it.
    Channels.metrics = hasMetrics ? allocateRows(n, 4 * numMetrics) : allocate(4 * numMetrics);
    Channels.finalObservations = allocateRows(n, 4 * observationDim);
    Channels.finalStatistics = allocateRows(n, 8 * numStatistics);
    Channels.masks = allocateRows(n, Common.maskDim);
    Channels.resetMask = allocateRows(n, 1);
  }

  @inline
  static actionsOf(i: i32): usize {
    return Channels.actions + <usize>(i * Channels.actionDim << 2);
  }

  @inline
  static observationsOf(i: i32): usize {
    return Channels.observations + <usize>i * Channels.observationBytes;
  }

  @inline
  static metricsOf(i: i32): usize {
    return Channels.metrics + <usize>i * Channels.metricsBytes;
  }
}

/** Where a channel is. */
export function channelAt(channel: i32): usize {
  switch (channel) {
    case CHANNEL_ACTIONS: return Channels.actions;
    case CHANNEL_OBSERVATIONS: return Channels.observations;
    case CHANNEL_REWARDS: return Channels.rewards;
    case CHANNEL_COSTS: return Channels.costs;
    case CHANNEL_TERMINATED: return Channels.terminated;
    case CHANNEL_TRUNCATED: return Channels.truncated;
    case CHANNEL_METRICS: return Channels.metrics;
    case CHANNEL_FINAL_OBSERVATIONS: return Channels.finalObservations;
    case CHANNEL_FINAL_STATISTICS: return Channels.finalStatistics;
    case CHANNEL_MASKS: return Channels.masks;
    case CHANNEL_RESET_MASK: return Channels.resetMask;
    default: return 0;
  }
}
