/** The contents of a chart: curves, and ranges of values that mean something. */
import type { Track } from './track.js';

/** A curve of a chart. */
export interface Curve {
  readonly name: string;
  readonly track: Track;
  /** A name of the palette. */
  readonly color: string;
  readonly isStepped?: boolean;
  readonly isDashed?: boolean;
}

/** A range of values that means something; a line where `low` is `high`. */
export interface Zone {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly kind: 'target' | 'limit';
}

/** A number, rounded for a reader. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  return size >= 100 || Number.isInteger(value)
    ? value.toFixed(0)
    : value.toFixed(size < 1 ? 3 : 1);
}
