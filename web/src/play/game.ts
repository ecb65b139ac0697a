/** An episode as the page sees it: what has happened, drawn from columns; what may happen next. */
import { Track } from '../charts/track.js';
import { library } from '../worker/client.js';
import type {
  Chunk,
  Ending,
  EpisodeSetup,
  GradeReport,
  Mover,
  Opened,
} from '../worker/messages.js';
import { Rows } from './rows.js';

/** Who moved at each step: hand, or a policy's name. */
type By = string;
export const HAND = 'hand';

export class Game {
  readonly metrics: Rows;
  readonly observations: Rows;
  readonly actions: Rows;
  readonly rewards: Rows;
  readonly by: By[] = [];
  mask: Uint8Array;
  ending: Ending = null;
  grade: GradeReport | null = null;
  /** Grows with every change. */
  version = 0;
  /** Why the last request was refused. */
  problem: string | null = null;
  private readonly tracks = new Map<string, { readonly track: Track; readonly read: Reader }>();
  private readonly listeners = new Set<() => void>();
  private isBusy = false;

  private constructor(
    readonly setup: EpisodeSetup,
    readonly opened: Opened & { readonly id: number },
  ) {
    const { task, reset } = opened;
    this.metrics = new Rows(task.metrics.map(({ name }) => name));
    this.observations = new Rows(task.observations.map(({ name }) => name));
    this.actions = new Rows(task.actions.map(({ name }) => name));
    this.rewards = new Rows(['reward', 'cost', 'return']);
    this.mask = reset.mask;
    this.take(reset, HAND);
  }

  static async open(setup: EpisodeSetup): Promise<Game> {
    return new Game(setup, await library().open(setup));
  }

  /** Steps taken. */
  get steps(): number {
    return this.metrics.length - 1;
  }

  get hasEnded(): boolean {
    return this.ending !== null;
  }

  /** A series that follows the episode: a column of one of the tables, or a function of a row. */
  track(name: string, read: Reader): Track {
    const known = this.tracks.get(name);
    if (known !== undefined) return known.track;
    const track = new Track();
    this.tracks.set(name, { track, read });
    for (let row = 0; row < this.metrics.length; row++) track.push(read(this, row));
    return track;
  }

  /** Takes steps; none while others are being taken. Resolves to how many were. */
  async step(mover: Mover, steps: number): Promise<number> {
    if (this.hasEnded || this.isBusy) return 0;
    return this.ask(async () => {
      const chunk = await library().step(this.opened.id, mover, steps);
      this.take(chunk, 'policy' in mover ? mover.policy : HAND);
      if (this.hasEnded) this.grade = await library().grade(this.opened.id);
      return chunk.rows;
    }, 0);
  }

  /** Takes back the last steps. */
  async undo(steps: number): Promise<void> {
    const left = Math.max(0, this.steps - steps);
    if (this.isBusy || left === this.steps) return;
    await this.ask(async () => {
      this.mask = await library().undo(this.opened.id, left);
      for (const rows of [this.metrics, this.observations, this.actions, this.rewards]) {
        rows.length = left + 1;
      }
      this.by.length = left + 1;
      this.ending = null;
      this.grade = null;
      for (const { track, read } of this.tracks.values()) {
        track.clear();
        for (let row = 0; row <= left; row++) track.push(read(this, row));
      }
    }, undefined);
  }

  /** Grades what has been played so far. */
  async gradeNow(): Promise<void> {
    if (this.steps === 0) return;
    await this.ask(async () => {
      this.grade = await library().grade(this.opened.id);
    }, undefined);
  }

  digest(): Promise<string> {
    return library().digest(this.opened.id);
  }

  close(): void {
    void library().close(this.opened.id);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private async ask<T>(request: () => Promise<T>, refused: T): Promise<T> {
    this.isBusy = true;
    this.problem = null;
    try {
      return await request();
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
      return refused;
    } finally {
      this.isBusy = false;
      this.version++;
      for (const listener of this.listeners) listener();
    }
  }

  private take(chunk: Chunk, by: By): void {
    const before = this.metrics.length;
    this.metrics.append(chunk.metrics, chunk.rows);
    this.observations.append(chunk.observations, chunk.rows);
    this.actions.append(chunk.actions, chunk.rows);
    let total = before === 0 ? 0 : this.rewards.at(before - 1, 'return');
    for (let row = 0; row < chunk.rows; row++) {
      const reward = chunk.rewards[row];
      if (!Number.isNaN(reward)) total += reward;
      this.rewards.append([reward, chunk.costs[row], total], 1);
      this.by.push(by);
    }
    for (const { track, read } of this.tracks.values()) {
      for (let row = before; row < this.metrics.length; row++) track.push(read(this, row));
    }
    this.mask = chunk.mask;
    this.ending = chunk.ending;
  }
}

/** A number of a row of an episode. */
export type Reader = (game: Game, row: number) => number;

/** A metric by its name in the layout. */
export const metric =
  (name: string): Reader =>
  (game, row) =>
    game.metrics.at(row, name);
