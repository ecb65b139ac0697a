/** A number of an action row, and how a person sets it. */
import type { ActionDescription } from '../../../src/index.browser.js';

export interface ActionField extends ActionDescription {
  readonly label: string;
  /** Smallest change of a real number. Default: a hundredth of its range. */
  readonly step?: number;
  readonly scale?: 'linear' | 'log2';
  readonly format?: (value: number) => string;
}
