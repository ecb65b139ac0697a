/** Kubernetes' quantities ("250m", "1.5", "2Gi") in thousandths, as its metrics are compared. */
import { DataError, quote } from '../data/errors.js';

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const FORM = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkMGTPE]|[KMGTPE]i)?$/;

/**
 * A quantity in thousandths, rounded up like Kubernetes' `MilliValue`.
 *
 * @param path of the value, for the error.
 * @throws DataError where it is neither a finite number nor a quantity.
 */
export function milliOf(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return ceilMilli(value);
  if (typeof value === 'string') {
    const match = FORM.exec(value.trim());
    if (match !== null) return ceilMilli(Number(match[1]) * SUFFIXES[match[2] ?? '']!);
  }
  const found = typeof value === 'string' ? quote(value) : String(JSON.stringify(value));
  throw new DataError(`${path} is ${found}: a quantity is needed, like 0.5, "250m" or "2Gi"`);
}

/** 0.57 · 1000 is a little less than 570 in binary: 15 digits say which whole number is meant. */
function ceilMilli(value: number): number {
  return Math.ceil(Number((value * 1000).toPrecision(15)));
}
