/** The options that commands share, and how their values are read. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  BACKEND_NAMES,
  type BackendName,
  type JsonObject,
  parseSeedRange,
  type SeedLike,
} from '../index.js';
import { UsageError } from './output.js';

export type BackendChoice = BackendName | 'auto';

/** Reads a whole number from `min` to `max`. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`A whole number from ${min} to ${max} is needed.`);
  };
}

/** Reads names separated by commas, each once. */
export function nameList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) {
    throw new InvalidArgumentError('Names separated by commas are needed, e.g. baseline,random.');
  }
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated === undefined) return names;
  throw new InvalidArgumentError(`"${repeated}" is given more than once.`);
}

export function seedRange(text: string): SeedLike[] {
  try {
    return parseSeedRange(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

export function backendList(text: string): BackendName[] {
  return nameList(text).map((name) => {
    const known = BACKEND_NAMES.find((backend) => backend === name);
    if (known !== undefined) return known;
    throw new InvalidArgumentError(
      `"${name}" is no backend; there are ${BACKEND_NAMES.join(', ')}.`,
    );
  });
}

export const backendOption = (): Option =>
  new Option('--backend <name>', 'what steps the environments')
    .choices(['auto', ...BACKEND_NAMES])
    .default('auto');

/** Adds `--json` and an example to a command. */
export function finish(command: Command, example: string): Command {
  return command
    .option('--json', 'print one JSON document and nothing else')
    .addHelpText('after', `\nExample:\n  ${example}`);
}

/** A configuration given as JSON, or as the name of a file that holds it. */
export function readConfig(text: string): JsonObject {
  const isJson = text.trimStart().startsWith('{');
  let parsed: unknown;
  try {
    parsed = JSON.parse(isJson ? text : readFileSync(text, 'utf8'));
  } catch (error) {
    throw new UsageError(`--config is ${JSON.stringify(text)}: ${(error as Error).message}`);
  }
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  if (isObject) return parsed as JsonObject;
  throw new UsageError(`--config is ${JSON.stringify(text)}: a JSON object is needed`);
}
