/**
 * Waits until nobody else is at the processor or the memory: on a shared machine a figure says
 * little that was taken while another's work had the other half of the core.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { calibration } from './calibration.js';

/** The machine is calm while its probes take no more than this many times their shortest. */
const SLACK = 1.2;
const CALIBRATIONS = 100;
const PAUSE_MS = 100;
/** More than a core's caches hold. */
const MEMORY_BYTES = 2 ** 25;
const LINE_BYTES = 64;

/** Tells whether the machine is calm. */
interface Probe {
  isQuick(): boolean;
}

/** Work of some milliseconds, and the least that it has taken. */
class TimedWork implements Probe {
  private shortestMs = Number.POSITIVE_INFINITY;

  constructor(private readonly work: () => void) {}

  isQuick(): boolean {
    const started = performance.now();
    this.work();
    const took = performance.now() - started;
    this.shortestMs = Math.min(this.shortestMs, took);
    return took <= SLACK * this.shortestMs;
  }
}

export class Calm {
  /** All waiting so far. */
  waitedSeconds = 0;

  /** @param patienceSeconds longest wait at a time; 0 never waits */
  constructor(
    private readonly patienceSeconds: number,
    private readonly probes: readonly Probe[] = patienceSeconds === 0
      ? []
      : [processorProbe(), memoryProbe()],
  ) {}

  /** Resolves when the machine is calm, or when patience is over. */
  async wait(): Promise<void> {
    const started = performance.now();
    let waited = 0;
    while (!this.isCalm() && waited < this.patienceSeconds) {
      await sleep(PAUSE_MS);
      waited = (performance.now() - started) / 1000;
    }
    this.waitedSeconds += waited;
  }

  private isCalm(): boolean {
    return this.probes.map((probe) => probe.isQuick()).every(Boolean);
  }
}

function processorProbe(): Probe {
  const { run } = calibration();
  return new TimedWork(() => {
    for (let i = 0; i < CALIBRATIONS; i++) run();
  });
}

/** Reads and writes a number of every cache line. */
function memoryProbe(): Probe {
  const numbers = new Float64Array(MEMORY_BYTES / 8);
  return new TimedWork(() => {
    for (let i = 0; i < numbers.length; i += LINE_BYTES / 8) numbers[i] += 1;
  });
}
