/** Seeds as users write them: none, one, or one for each environment of a batch. */

import type { Batch } from '../backend.js';
import { addSeed, parseSeed, type Seed } from '../base/seeding.js';
import type { Layout } from '../program/layout.js';

/** A seed as users write it; see `parseSeed`. */
export type SeedLike = number | bigint | string;

/** Environment i of a batch takes seed + i, or entry i of the list. */
export type BatchSeed = SeedLike | ArrayLike<SeedLike>;

/** A seed nobody chose: 53 random bits, so that it can be read and written as a number. */
export function freshSeed(): number {
  const [hi, lo] = crypto.getRandomValues(new Uint32Array(2));
  return (hi & 0x1fffff) * 2 ** 32 + lo;
}

/** The seeds that a reset begins with: one for all, or one each. */
export interface NextSeeds {
  /** As it was written, or as numbers where only some environments got another one. */
  readonly seed: BatchSeed;
  /** Environment i begins with it plus i, where one was given. */
  readonly base: Seed | null;
  readonly each: readonly Seed[] | null;
}

/** Which seed each environment of a batch has, and how it got there. */
export class SeedBook {
  private current: NextSeeds;

  /** @throws RangeError for an invalid seed, and for a list of another length. */
  constructor(
    seed: BatchSeed,
    private readonly numEnvs: number,
  ) {
    this.current = readSeed(seed, numEnvs);
  }

  get seed(): BatchSeed {
    return this.current.seed;
  }

  /**
   * The seeds after a reset with this one, where the mask is set. Changes nothing.
   *
   * @throws As the constructor.
   */
  with(seed: BatchSeed, mask?: ArrayLike<number | boolean>): NextSeeds {
    const next = readSeed(seed, this.numEnvs);
    if (mask === undefined) return next;
    const [before, after] = [this.current, next].map((seeds) => eachOf(seeds, this.numEnvs));
    const each = after!.map((own, i) => (Number(mask[i]) === 1 ? own : before![i]!));
    return { seed: readable(each), base: null, each };
  }

  /** Resets the batch by them; those that agree on seed − i are reset in one call. */
  begin(batch: Batch, next: NextSeeds, mask?: ArrayLike<number | boolean>): void {
    this.current = next;
    const { resetMask } = batch.channels;
    if (mask === undefined && next.base !== null) {
      batch.reset(next.base, false);
      return;
    }
    const groups = groupSeeds(eachOf(next, this.numEnvs), (i) => mask === undefined || !!mask[i]);
    groups.forEach(({ base, members }, k) => {
      // Where all are reset, the first call does it for all, and the others correct it.
      const isWhole = mask === undefined && k === 0;
      resetMask.fill(0);
      for (const i of members) resetMask[i] = 1;
      batch.reset(base, !isWhole);
    });
  }

  /** Takes the seeds of a state that was restored. */
  read({ words }: Layout, state: Uint8Array): void {
    const slots = ['seed_lo', 'seed_hi'].map((name) => words.findIndex((w) => w.name === name));
    const view = new DataView(state.buffer, state.byteOffset);
    const word = (slot: number, i: number) => view.getUint32(4 * (slot * this.numEnvs + i), true);
    const each = Array.from({ length: this.numEnvs }, (_, i): Seed => {
      return { lo: word(slots[0]!, i), hi: word(slots[1]!, i) };
    });
    this.current = { seed: readable(each), base: null, each };
  }
}

/** @throws RangeError for a list of another length, and for an invalid entry, naming it. */
function readSeed(seed: BatchSeed, numEnvs: number): NextSeeds {
  if (typeof seed !== 'object') return { seed, base: parseSeed(seed), each: null };
  if (typeof seed?.length !== 'number') {
    throw new TypeError('seed is an object: an integer, BigInt, text or a list of them is needed');
  }
  if (seed.length !== numEnvs) {
    throw new RangeError(`seed is a list of ${seed.length}: ${numEnvs} are needed, one each`);
  }
  const list = Array.from(seed);
  return { seed: list, base: null, each: list.map(parseEntry) };
}

function parseEntry(seed: SeedLike, i: number): Seed {
  try {
    return parseSeed(seed);
  } catch (error) {
    throw new RangeError((error as Error).message.replace(/^seed/, `seed[${i}]`), { cause: error });
  }
}

function eachOf({ base, each }: NextSeeds, numEnvs: number): readonly Seed[] {
  return each ?? Array.from({ length: numEnvs }, (_, i) => addSeed(base!, i));
}

/** Environments whose seeds agree on seed − i, which is the base of their common reset. */
function groupSeeds(seeds: readonly Seed[], isMember: (i: number) => boolean) {
  const groups = new Map<bigint, { base: Seed; members: number[] }>();
  seeds.forEach((seed, i) => {
    if (!isMember(i)) return;
    const key = BigInt.asUintN(64, toBigInt(seed) - BigInt(i));
    const group = groups.get(key) ?? { base: parseSeed(key), members: [] };
    group.members.push(i);
    groups.set(key, group);
  });
  return [...groups.values()];
}

/** One number where environment i has it plus i, else a list; BigInts only beyond 2^53 − 1. */
function readable(each: readonly Seed[]): BatchSeed {
  const first = toBigInt(each[0]!);
  const isRun = each.every((seed, i) => toBigInt(seed) === BigInt.asUintN(64, first + BigInt(i)));
  return isRun ? narrow(first) : each.map((seed) => narrow(toBigInt(seed)));
}

function toBigInt({ lo, hi }: Seed): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}

function narrow(seed: bigint): number | bigint {
  return seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed;
}
