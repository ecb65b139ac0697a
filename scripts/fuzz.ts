/**
 * Differential fuzzing without end: random programs of every family on every backend and kernel,
 * byte for byte against the reference.
 *
 *     npm run fuzz [-- --seconds N] [--seed S] [--families serving,provisioning] [--backends B,…]
 *     npm run fuzz -- --replay CASE…
 *
 * Progress goes to stderr, Ctrl-C prints the summary. Exits with 1 on a difference, which it prints
 * with the command that plays it again, and with 2 on a wrong argument.
 */

import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Backend } from '../src/backend.js';
import { BACKEND_NAMES } from '../src/backend.js';
import { loadBackend } from '../src/index.js';
import {
  compareCase,
  describeDifference,
  type FuzzDifference,
  type FuzzVariant,
  fuzz,
  parseCase,
  variantsOf,
} from '../tests/support/fuzz.js';
import { FUZZ_FAMILIES } from '../tests/support/fuzz-families.js';

const BACKENDS = BACKEND_NAMES.filter((name) => name !== 'reference');
/** Cases between two looks at the clock and at Ctrl-C. */
const CHUNK = 20;
const REPORT_EVERY_MS = 5000;

interface Arguments {
  readonly seconds: number;
  readonly seed: number;
  readonly families: readonly string[];
  readonly backends: readonly string[];
  readonly replay: readonly string[];
}

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: 'string' },
      seed: { type: 'string' },
      families: { type: 'string', default: FUZZ_FAMILIES.join(',') },
      backends: { type: 'string', default: BACKENDS.join(',') },
      replay: { type: 'string', multiple: true, default: [] },
    },
  });
  const isReplay = values.replay.length > 0;
  if (positionals.length > 0 && !isReplay) {
    throw new RangeError(`argument "${positionals[0]}" is not understood; cases follow --replay`);
  }
  return {
    seconds: readNumber('seconds', values.seconds ?? 'Infinity'),
    // A new one each time, printed: runs without end should not all see the same cases.
    seed: readNumber('seed', values.seed ?? String(Date.now() % 2 ** 31)),
    families: readNames('families', values.families, FUZZ_FAMILIES),
    backends: readNames('backends', values.backends, BACKENDS),
    replay: isReplay ? [...values.replay, ...positionals] : [],
  };
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0) return value;
  throw new RangeError(`--${name} is "${text}": a number that is not negative is needed`);
}

function readNames(name: string, text: string, known: readonly string[]): string[] {
  const names = text.split(',').map((part) => part.trim());
  const unknown = names.filter((part) => !known.includes(part));
  if (unknown.length === 0) return names;
  throw new RangeError(`--${name} has "${unknown[0]}": one of ${known.join(', ')} is needed`);
}

/** The backends that are available; says on stderr why the others cannot. */
async function loadVariants(names: readonly string[]): Promise<FuzzVariant[]> {
  const backends: Backend[] = [];
  for (const name of BACKENDS.filter((known) => names.includes(known))) {
    try {
      backends.push(await loadBackend(name));
    } catch (error) {
      process.stderr.write(`SKIPPED ${name}: ${(error as Error).message}\n`);
    }
  }
  if (backends.length === 0)
    throw new Error('no backend is available: there is nothing to compare');
  return variantsOf(backends);
}

function replayCases(variants: readonly FuzzVariant[], cases: readonly string[]): number {
  let numDifferent = 0;
  for (const text of cases) {
    const found = compareCase(variants, parseCase(text));
    process.stdout.write(found === null ? `${text}: equal\n` : `${describeDifference(found)}\n`);
    numDifferent += found === null ? 0 : 1;
  }
  return numDifferent === 0 ? 0 : 1;
}

async function search(variants: readonly FuzzVariant[], options: Arguments): Promise<number> {
  const { families } = options;
  const started = performance.now();
  let isStopped = false;
  process.once('SIGINT', () => {
    isStopped = true;
  });
  let [numPrograms, reportedMs] = [0, 0];
  let found: FuzzDifference | null = null;
  const elapsedMs = () => performance.now() - started;
  const summary = () => {
    const seconds = (elapsedMs() / 1000).toFixed(0);
    const what = `${numPrograms} programs on ${variants.length} variants`;
    return `${seconds} s, seed ${options.seed}: ${what} of ${families.join(', ')}`;
  };
  for (let chunk = 0; found === null && !isStopped; chunk++) {
    if (elapsedMs() >= 1000 * options.seconds) break;
    found = fuzz(variants, { seed: options.seed + chunk, numRuns: CHUNK, families });
    numPrograms += CHUNK;
    if (elapsedMs() - reportedMs > REPORT_EVERY_MS) {
      reportedMs = elapsedMs();
      process.stderr.write(`${summary()}\n`);
    }
    await setImmediate(); // lets Ctrl-C in
  }
  process.stdout.write(`${summary()}: ${found === null ? 'all equal' : 'a difference'}\n`);
  if (found !== null) process.stdout.write(`\n${describeDifference(found)}\n`);
  return found === null ? 0 : 1;
}

async function main(): Promise<number> {
  let options: Arguments;
  try {
    options = readArguments(process.argv.slice(2));
    options.replay.forEach(parseCase);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
  const variants = await loadVariants(options.backends);
  if (options.replay.length > 0) return replayCases(variants, options.replay);
  return search(variants, options);
}

process.exitCode = await main();
