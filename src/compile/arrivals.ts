/** Poisson arrivals as alias tables. */
import { buildAlias, poissonProbabilities } from './samplers.js';

/** An alias table for each rate, all with as many columns as the widest needs. */
export interface ArrivalTables {
  /** Columns of a table, as a power of two. */
  readonly bits: number;
  /** [rate][2^bits] */
  readonly columns: Uint32Array;
  /** [rate], the arrivals that column 0 stands for. */
  readonly offsets: Uint32Array;
}

/** @param rates mean arrivals per step */
export function arrivalTables(rates: readonly number[]): ArrivalTables {
  const outcomes = rates.map((rate) => poissonProbabilities(rate));
  const bits = outcomes.reduce((most, { probabilities }) => {
    const needed = bitsFor(probabilities.length);
    return needed > most ? needed : most;
  }, 1);
  const columns = new Uint32Array(rates.length << bits);
  outcomes.forEach(({ offset, probabilities }, level) => {
    columns.set(buildAlias(probabilities, offset, bits).columns, level << bits);
  });
  return { bits, columns, offsets: Uint32Array.from(outcomes, ({ offset }) => offset) };
}

/**
 * As `arrivalTables`, with arrivals from 0 on and at most `most` of them: what is more counts as
 * it.
 */
export function clippedArrivalTables(
  rates: readonly number[],
  most: number,
): Omit<ArrivalTables, 'offsets'> {
  const bits = bitsFor(most + 1);
  const columns = new Uint32Array(rates.length << bits);
  rates.forEach((rate, level) => {
    const { offset, probabilities } = poissonProbabilities(rate);
    const weights = new Array<number>(most + 1).fill(0);
    probabilities.forEach((probability, i) => {
      weights[offset + i < most ? offset + i : most] += probability;
    });
    columns.set(buildAlias(weights, 0, bits).columns, level << bits);
  });
  return { bits, columns };
}

/** Columns that hold so many outcomes, as a power of two. */
export function bitsFor(outcomes: number): number {
  return outcomes <= 2 ? 1 : 32 - Math.clz32(outcomes - 1);
}
