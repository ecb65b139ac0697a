/** The three action spaces of serving and how their members become action rows. */

import {
  configurationGrid,
  type ServingAction,
  type ServingConfig,
} from '../../compile/serving/serving.js';
import { SPEC_LENGTH_CHOICES, UNIT_STEPS } from '../../generated/serving.js';
import { Box, Choice, Dict, Discrete, type Space } from '../../spaces/index.js';
import { isNumberArray, show } from '../../spaces/space.js';
import { ACTION_FIELDS } from './common.js';

/** One of the three action spaces. */
interface ActionCodec {
  readonly space: Space<unknown>;
  readonly dtype: 'real' | 'index';
  readonly dim: number;
  /** The fixed baseline as an action of the space. */
  readonly baseline: unknown;
  encode(action: unknown, row: Float32Array | Int32Array): void;
}

export function actionCodec(config: ServingConfig): ActionCodec {
  if (config.actionSpace === 'normalised') return normalisedCodec(config);
  return config.actionSpace === 'discrete' ? discreteCodec(config) : structuredCodec(config);
}

const FIELD_SPACES: Record<keyof ServingAction, Space<unknown>> = {
  kv_budget: new Box({ low: 0.1, high: 1 }),
  batch_size: new Discrete(512, 1),
  spec_length: new Choice(SPEC_LENGTH_CHOICES),
  prefill_disagg: new Discrete(2),
  quant_tier: new Discrete(3),
};

/** The five fields by name; an absent one reads the baseline's value. */
function structuredCodec({ defaultAction }: ServingConfig): ActionCodec {
  return {
    space: new Dict(FIELD_SPACES),
    dtype: 'real',
    dim: ACTION_FIELDS.length,
    baseline: { ...defaultAction, prefill_disagg: Number(defaultAction.prefill_disagg) },
    encode: (action, row) => encodeFields(action, defaultAction, row),
  };
}

/** Writes an action's five numbers into a row; an absent field reads the default's. */
export function encodeFields(
  action: unknown,
  defaults: ServingAction,
  row: Float32Array | Int32Array,
): void {
  const fields = fieldsOf(action);
  for (let i = 0; i < ACTION_FIELDS.length; i++) {
    const name = ACTION_FIELDS[i];
    row[i] = fieldNumber(name, name in fields ? fields[name] : defaults[name]);
  }
}

/** An action's fields by name, from an object or an array of five numbers. */
function fieldsOf(action: unknown): Readonly<Record<string, unknown>> {
  if (isNumberArray(action)) {
    if (action.length === ACTION_FIELDS.length) {
      return Object.fromEntries(ACTION_FIELDS.map((name, i) => [name, action[i]]));
    }
  } else if (typeof action === 'object' && action !== null && !Array.isArray(action)) {
    const unknown = Object.keys(action).find((key) => !Object.hasOwn(FIELD_SPACES, key));
    if (unknown === undefined) return action as Readonly<Record<string, unknown>>;
    const value = show((action as Record<string, unknown>)[unknown]);
    const known = ACTION_FIELDS.join(', ');
    throw new RangeError(`action.${unknown} is ${value}, an unknown field: ${known} are known`);
  }
  const needed = `an object of ${ACTION_FIELDS.join(', ')}, or these five numbers in an array,`;
  throw new RangeError(`action is ${show(action)}: ${needed} is needed`);
}

/** A field's value as a number: a boolean counts as 0 or 1, a Box's member as its one number. */
function fieldNumber(name: keyof ServingAction, value: unknown): number {
  const space = FIELD_SPACES[name];
  const number = isNumberArray(value) && value.length === 1 ? value[0] : value;
  const plain = name === 'prefill_disagg' && typeof number === 'boolean' ? Number(number) : number;
  const member = space instanceof Box && typeof plain === 'number' ? [plain] : plain;
  if (space.contains(member)) return plain as number;
  const problem = space.describe(member, `action.${name}`) as string;
  throw new RangeError(problem.replace('[0] is', ' is'));
}

/** Five numbers in [-1, 1]: KV linear, batch in log2, the choices by equal parts. */
function normalisedCodec({ defaultAction }: ServingConfig): ActionCodec {
  const space = new Box({ low: -1, high: 1, shape: [ACTION_FIELDS.length] });
  return {
    space,
    dtype: 'real',
    dim: ACTION_FIELDS.length,
    baseline: normaliseAction(defaultAction),
    encode(action, row) {
      const problem = space.describe(action, 'action');
      if (problem !== null) throw new RangeError(problem);
      row.set(action as ArrayLike<number>);
    },
  };
}

/** The normalised action of a configuration: the middle of its part, where there are parts. */
export function normaliseAction(action: ServingAction): Float32Array {
  const middle = (index: number, parts: number) => (2 * index + 1) / parts - 1;
  const doublings = Math.log2(action.batch_size) / 9;
  return Float32Array.of(
    (action.kv_budget - 0.1) / 0.45 - 1,
    middle(Math.round(doublings * (UNIT_STEPS - 1)), UNIT_STEPS),
    middle(SPEC_LENGTH_CHOICES.indexOf(action.spec_length), SPEC_LENGTH_CHOICES.length),
    middle(Number(action.prefill_disagg), 2),
    middle(action.quant_tier, 3),
  );
}

/** An index into `configurationGrid`. */
function discreteCodec(config: ServingConfig): ActionCodec {
  const grid = configurationGrid(config);
  const space = new Discrete(grid.length);
  return {
    space,
    dtype: 'index',
    dim: 1,
    baseline: nearestConfiguration(grid, config.defaultAction),
    encode(action, row) {
      const problem = space.describe(action, 'action');
      if (problem !== null) throw new RangeError(problem);
      row[0] = action as number;
    },
  };
}

/** The grid's configuration nearest to an action: itself where the grid has it. */
export function nearestConfiguration(grid: number[][], action: ServingAction): number {
  const wanted = ACTION_FIELDS.map((name) => Number(action[name]));
  const distances = grid.map((row) =>
    // Batch and KV by their ratio, the choices by their difference.
    row.reduce((sum, value, i) => {
      const ratio = i < 2 ? Math.abs(Math.log(value / wanted[i])) : Math.abs(value - wanted[i]);
      return sum + ratio;
    }, 0),
  );
  return distances.indexOf(Math.min(...distances));
}
