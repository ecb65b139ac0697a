/**
 * The contract of the reference's environments. The reference is the specification: one
 * environment at a time, named state, no batching and no tricks. Every other backend must give
 * the bits this one gives.
 */

/** The part of the state every environment has. */
export interface CommonState {
  seedLo: number;
  seedHi: number;
  episode: number;
  step: number;
  finished: number;
}

/**
 * Where an environment writes what a step or a reset produced. The rows are the batch's and serve
 * one environment after the other, so every step and every reset writes them in full.
 */
export interface Outputs {
  readonly observation: Float32Array;
  readonly metrics: Float32Array;
  readonly mask: Uint8Array;
  reward: number;
  cost: number;
  terminated: boolean;
  truncated: boolean;
}

/** The action row of the environment that steps, as f32 and as i32. */
export interface ActionRow {
  readonly real: Float32Array;
  readonly index: Int32Array;
}

/** One environment family over one program. */
export interface ReferenceEnvironment<State extends CommonState> {
  /** Writes into a metrics row those whose change is a statistic, as they stand in the state. */
  previousMetrics(state: State, row: Float64Array): void;
  /**
   * A state with every slot at zero. Written as one literal, so that all states have one shape
   * and V8 finds their fields without searching.
   */
  createState(): State;
  /** Begins the episode that `seedLo`, `seedHi` and `episode` name. */
  reset(state: State, out: Outputs): void;
  /** Advances by one step, `state.step` included. */
  step(state: State, action: ActionRow, out: Outputs): void;
  /** Adds to the statistics of an episode that ends here what its metrics do not tell. */
  foldEnd?(state: State, statistics: Float64Array, at: number): void;
  /** Writes the action of a policy of the core; false where the family has no such policy. */
  act(policy: number, state: State, action: ActionRow): boolean;
}
