/** One run of the benchmark: prepares, times and keeps what came of it. */

import type { Definition } from '../definitions.js';
import { idOf } from '../definitions.js';
import { calibration } from './calibration.js';
import { measure, type OnSample, type Settings } from './measure.js';
import { PeerRunner, peerIds, withAnswer } from './peers.js';
import type { Progress } from './progress.js';
import { Calm } from './quiet-machine.js';
import { type Measurement, measurementsOf, type Results } from './results.js';
import { type Build, type Prepared, prepare, reasonToSkip } from './workload.js';

const PEER_ROUNDS = 5;
const PEER_SECONDS = 0.5;
const PEER_WARM_UP_SECONDS = 0.1;

/** The group that is being timed. */
interface Current {
  readonly prepared: readonly Prepared[];
  readonly samples: Map<string, number[]>;
}

export class Session {
  /** Measurements of the other build, where there is one. */
  readonly base: Measurement[] = [];
  private current: Current | null = null;

  /** The first build is the one that is reported. */
  constructor(
    private readonly builds: readonly Build[],
    readonly results: Results,
    private readonly settings: Settings,
    private readonly progress: Progress,
    private readonly calm = new Calm(0),
  ) {}

  /** Times definitions in turns. @throws DigestMismatchError before anything is timed. */
  async measureGroup(name: string, definitions: readonly Definition[]): Promise<void> {
    const current = await this.open(definitions);
    const workloads = [calibration(), ...current.prepared];
    if (current.prepared.length > 0) {
      await measure(name, workloads, this.settings, current.samples, this.onSample, this.ready);
    }
    this.settle();
  }

  /** Ours and the peers' in turns. */
  async measurePeers(definitions: readonly Definition[]): Promise<void> {
    const current = await this.open(definitions);
    const workloads = [calibration(), ...current.prepared];
    const runner = new PeerRunner();
    try {
      const ids = await this.startPeers(runner);
      const once = { rounds: 1, sampleSeconds: PEER_SECONDS / 2 };
      for (let round = 0; round < PEER_ROUNDS; round++) {
        const name = `peers, round ${round + 1} of ${PEER_ROUNDS}`;
        await measure(name, workloads, once, current.samples, this.onSample, this.ready);
        for (const id of ids) {
          await this.ready();
          this.progress.show(id);
          const answer = await runner.ask(id, PEER_SECONDS);
          this.results.peers = withAnswer(this.results.peers, answer);
        }
      }
    } finally {
      runner.close();
      this.settle();
    }
  }

  /** Starts and warms up every peer; returns those that are there, and notes why others are not. */
  private async startPeers(runner: PeerRunner): Promise<string[]> {
    const started: string[] = [];
    for (const id of peerIds()) {
      this.progress.show(`starting ${id}`);
      try {
        await runner.ask(id, PEER_WARM_UP_SECONDS);
        started.push(id);
      } catch (error) {
        const reason = (error as Error).message.split('\n')[0];
        this.results.skipped.push({ id: `peers: ${id}`, reason });
      }
    }
    return started;
  }

  /** Takes what has been timed so far into the results. */
  settle(): void {
    if (this.current === null) return;
    const { prepared, samples } = this.current;
    for (const [i, { prefix }] of this.builds.entries()) {
      const own = prepared.filter((workload) => workload.prefix === prefix);
      const rows = measurementsOf(own, samples);
      if (i === 0) this.results.measurements.push(...rows);
      else this.base.push(...rows);
    }
    for (const workload of prepared) workload.close();
    this.current = null;
    this.progress.clear();
  }

  /** Makes and checks the batches of all builds; notes what this machine cannot measure. */
  private async open(definitions: readonly Definition[]): Promise<Current> {
    const prepared: Prepared[] = [];
    this.current = { prepared, samples: new Map() };
    for (const build of this.builds) {
      for (const definition of definitions) {
        this.progress.show(`checking ${build.prefix}${idOf(definition)}`);
        const reason = await this.tryToOpen(definition, build, prepared);
        if (reason !== null && build === this.builds[0]) {
          this.results.skipped.push({ id: idOf(definition), reason });
        }
      }
    }
    this.progress.clear();
    return this.current;
  }

  /** Adds what a definition needs to `prepared`, or tells why it is not measured. */
  private async tryToOpen(
    definition: Definition,
    build: Build,
    prepared: Prepared[],
  ): Promise<string | null> {
    const reason = reasonToSkip(definition, build);
    if (reason !== null) return reason;
    const workload = await prepare(definition, build);
    if (prepared.some((other) => isSame(workload, other))) {
      workload.close();
      return `its kernel here, ${workload.kernel}, is measured under another name`;
    }
    prepared.push(workload);
    return null;
  }

  private readonly ready = async () => {
    this.progress.show('waiting for a calm machine');
    await this.calm.wait();
    this.results.waited_seconds = Math.round(this.calm.waitedSeconds);
  };

  private readonly onSample: OnSample = (id, ns, done, total) => {
    this.progress.show(`${done}/${total}  ${id}: ${Number(ns.toPrecision(3))} ns`);
  };
}

/** Whether two workloads differ by the name of their kernel only, as `auto` and what it takes. */
function isSame(a: Prepared, b: Prepared): boolean {
  const nameOf = ({ prefix, definition, kernel }: Prepared) =>
    prefix + idOf({ ...definition, kernel: 'auto' }) + kernel;
  return nameOf(a) === nameOf(b);
}
