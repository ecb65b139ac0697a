/** Spaces from their descriptions: the inverse of `toJSON`. */
import { Box } from './box.js';
import { Choice } from './choice.js';
import { Dict } from './dict.js';
import { Discrete } from './discrete.js';
import { MultiDiscrete } from './multi-discrete.js';
import { type Space, show, sizeOf } from './space.js';

type Fields = Readonly<Record<string, unknown>>;

/** Most numbers of a space, so that a description of a few bytes cannot ask for a gigabyte. */
const SIZE_MAX = 2 ** 24;
const DEPTH_MAX = 4;

/**
 * The space that a description of `toJSON` describes.
 *
 * @param name - how errors name the description. Default: `space`.
 * @throws RangeError naming the entry that is missing or wrong.
 */
export function spaceFromJson(json: unknown, name = 'space', depth = 0): Space<unknown> {
  const fields = fieldsOf(json, name);
  if (depth > DEPTH_MAX) throw new RangeError(`${name} is nested more than ${DEPTH_MAX} deep`);
  switch (fields['space']) {
    case 'Box':
      return boxOf(fields, name);
    case 'Choice':
      return new Choice(numbersOf(fields['enum'], `${name}.enum`));
    case 'Discrete':
      return new Discrete(
        numberOf(fields['n'], `${name}.n`),
        numberOf(fields['start'], `${name}.start`),
      );
    case 'MultiDiscrete':
      return multiDiscreteOf(fields, name);
    case 'Dict': {
      const entries = Object.entries(fieldsOf(fields['properties'], `${name}.properties`));
      return new Dict(
        Object.fromEntries(
          entries.map(([key, field]) => [key, spaceFromJson(field, `${name}.${key}`, depth + 1)]),
        ),
      );
    }
    default: {
      const needed = 'Box, Choice, Dict, Discrete or MultiDiscrete is needed';
      throw new RangeError(`${name}.space is ${show(fields['space'])}: ${needed}`);
    }
  }
}

function boxOf(fields: Fields, name: string): Box {
  const shape = shapeOf(fields, name);
  const size = sizeOf(shape);
  const elements = fields['prefixItems'] ?? Array(size).fill(fields['items']);
  const bounds = listOf(elements, size, `${name}.prefixItems`).map((element, i) => {
    const { minimum = -Infinity, maximum = Infinity } = fieldsOf(element, `${name} element ${i}`);
    return {
      low: numberOf(minimum, `${name}.minimum`),
      high: numberOf(maximum, `${name}.maximum`),
    };
  });
  return new Box({
    low: bounds.map(({ low }) => low),
    high: bounds.map(({ high }) => high),
    shape,
  });
}

function multiDiscreteOf(fields: Fields, name: string): MultiDiscrete {
  const shape = shapeOf(fields, name);
  const elements = listOf(fields['prefixItems'], sizeOf(shape), `${name}.prefixItems`);
  const ranges = elements.map((element, i) => {
    const { minimum, maximum } = fieldsOf(element, `${name} element ${i}`);
    const low = numberOf(minimum, `${name}.minimum`);
    return { low, count: numberOf(maximum, `${name}.maximum`) - low + 1 };
  });
  const start = ranges.map(({ low }) => low);
  return new MultiDiscrete(
    ranges.map(({ count }) => count),
    { start, shape },
  );
}

function shapeOf(fields: Fields, name: string): number[] {
  const shape = numbersOf(fields['shape'], `${name}.shape`);
  const isShape = shape.every((size) => Number.isSafeInteger(size) && size >= 1);
  if (isShape && sizeOf(shape) <= SIZE_MAX) return shape;
  throw new RangeError(`${name}.shape is ${show(shape)}: sizes from 1 on are needed`);
}

function fieldsOf(json: unknown, name: string): Fields {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Fields;
  throw new RangeError(`${name} is ${show(json)}: an object is needed`);
}

function listOf(json: unknown, length: number, name: string): unknown[] {
  if (Array.isArray(json) && json.length === length) return json;
  throw new RangeError(`${name} is ${show(json)}: an array of ${length} is needed`);
}

function numbersOf(json: unknown, name: string): number[] {
  if (Array.isArray(json) && json.every((value) => typeof value === 'number')) return json;
  throw new RangeError(`${name} is ${show(json)}: an array of numbers is needed`);
}

function numberOf(json: unknown, name: string): number {
  if (typeof json === 'number') return json;
  throw new RangeError(`${name} is ${show(json)}: a number is needed`);
}
