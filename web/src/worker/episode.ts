/** One episode in the worker: stepped by hand or by policies, taken back, graded. */
import {
  type Backend,
  type CompiledTask,
  createPolicy,
  gradeContext,
  TaskVectorEnv,
} from '../../../src/index.browser.js';
import { ActionLog } from './action-log.js';
import type { Chunk, Ending, GradeReport, Mover } from './messages.js';
import { Player } from './player.js';

/** Steps between two snapshots: taking back replays at most as many. */
const SNAPSHOT_STEPS = 64;

export class Episode {
  private readonly env: TaskVectorEnv;
  private readonly log: ActionLog;
  private readonly snapshots: Uint8Array[];
  private player: { readonly name: string; readonly player: Player } | null = null;

  constructor(
    readonly task: CompiledTask,
    backend: Backend,
    private readonly seed: string,
  ) {
    this.env = new TaskVectorEnv(task, backend, { numEnvs: 1, infos: true, autoreset: 'disabled' });
    this.log = new ActionLog(task);
    this.env.reset({ seed });
    this.snapshots = [this.env.snapshot()];
  }

  get backend(): string {
    return this.env.backend;
  }

  get kernel(): string {
    return this.env.kernel;
  }

  /** The row of the reset. */
  resetChunk(): Chunk {
    const writer = new ChunkWriter(this.env, 0, 1);
    writer.take(false);
    return writer.finish(this.ending);
  }

  /** Steps until `steps` are taken or the episode ends. */
  async step(mover: Mover, steps: number): Promise<Chunk> {
    const player = 'policy' in mover ? await this.playerOf(mover.policy) : null;
    if ('row' in mover) {
      this.player = null;
      this.checkRow(mover.row);
    }
    const writer = new ChunkWriter(this.env, this.log.length + 1, steps);
    for (let taken = 0; taken < steps && this.ending === null; taken++) {
      if (player !== null) player.step();
      else {
        this.env.actions.set((mover as { row: readonly number[] }).row);
        this.env.step();
      }
      this.log.add(this.env.actions);
      writer.take(true);
      if (this.log.length % SNAPSHOT_STEPS === 0) this.snapshots.push(this.env.snapshot());
    }
    return writer.finish(this.ending);
  }

  /** Goes back to the state after `steps` steps. */
  undo(steps: number): void {
    const index = Math.floor(steps / SNAPSHOT_STEPS);
    this.snapshots.length = index + 1;
    this.env.restore(this.snapshots[index]);
    this.player = null;
    for (let at = index * SNAPSHOT_STEPS; at < steps; at++) {
      this.env.actions.set(this.log.row(at));
      this.env.step();
    }
    this.log.truncate(steps);
  }

  /** The mask after the last step. */
  mask(): Uint8Array<ArrayBuffer> {
    return this.env.masks.slice();
  }

  async grade(): Promise<GradeReport> {
    const isFinished = this.ending !== null;
    const statistics = isFinished ? this.env.statisticsOf(0) : this.env.runningStatistics(0);
    const grade = this.task.grade(statistics!, await gradeContext(this.task, this.seed));
    return { ...grade, isFinished, digest: this.env.digest() };
  }

  digest(): string {
    return this.env.digest();
  }

  snapshot(): Uint8Array {
    return this.env.snapshot();
  }

  close(): void {
    this.env.close();
  }

  private get ending(): Ending {
    if (this.env.terminated[0] === 1) return 'terminated';
    return this.env.truncated[0] === 1 ? 'truncated' : null;
  }

  private checkRow(row: readonly number[]): void {
    if (row.length === this.task.actionDim && row.every(Number.isFinite)) return;
    throw new RangeError(`action is [${row}]: ${this.task.actionDim} numbers are needed`);
  }

  /** The policy, told of what has happened where it takes over in the middle. */
  private async playerOf(name: string): Promise<Player> {
    if (this.player?.name === name) return this.player.player;
    const policy = await createPolicy(name, this.task);
    const player = new Player(policy, this.env, this.seed);
    if (this.log.length > 0) player.catchUp(this.log);
    this.player = { name, player };
    return player;
  }
}

/** Copies what a batch of one shows, step by step. */
class ChunkWriter {
  private rows = 0;
  private readonly metrics: Float32Array<ArrayBuffer>;
  private readonly observations: Float32Array<ArrayBuffer>;
  private readonly actions: Float32Array<ArrayBuffer>;
  private readonly rewards: Float32Array<ArrayBuffer>;
  private readonly costs: Float32Array<ArrayBuffer>;

  constructor(
    private readonly env: TaskVectorEnv,
    private readonly from: number,
    rowsMax: number,
  ) {
    this.metrics = new Float32Array(rowsMax * env.metrics.length);
    this.observations = new Float32Array(rowsMax * env.observations.length);
    this.actions = new Float32Array(rowsMax * env.actions.length);
    this.rewards = new Float32Array(rowsMax);
    this.costs = new Float32Array(rowsMax);
  }

  take(isStep: boolean): void {
    const { env, rows } = this;
    this.metrics.set(env.metrics, rows * env.metrics.length);
    this.observations.set(env.observations, rows * env.observations.length);
    const actions = this.actions.subarray(rows * env.actions.length);
    if (isStep) actions.set(env.actions);
    else actions.fill(Number.NaN);
    this.rewards[rows] = isStep ? env.rewards[0] : Number.NaN;
    this.costs[rows] = isStep ? env.costs[0] : 0;
    this.rows++;
  }

  finish(ending: Ending): Chunk {
    const { env, from, rows } = this;
    return {
      from,
      rows,
      metrics: this.metrics.slice(0, rows * env.metrics.length),
      observations: this.observations.slice(0, rows * env.observations.length),
      actions: this.actions.slice(0, rows * env.actions.length),
      rewards: this.rewards.slice(0, rows),
      costs: this.costs.slice(0, rows),
      mask: env.masks.slice(),
      ending,
    };
  }
}
