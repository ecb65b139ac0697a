import { DataError, quote } from './errors.js';

/** The traffic of a recording, second by second; computed by `scripts/data/build-traffic.ts`. */
export interface TrafficProfile {
  readonly name: string;
  readonly source: string;
  readonly licence: string;
  /** Requests per second, smoothed. */
  readonly ratesRps: readonly number[];
  /** Mean prompt in tokens, smoothed; prompts above the grid count as its end. */
  readonly promptLens: readonly number[];
  /** Median prompt of the requests, in tokens. */
  readonly promptMedian: number;
  /** 99th percentile of the prompts, in tokens, at most the grid's end. */
  readonly promptP99: number;
  /** Mean answer in tokens. */
  readonly outputMean: number;
  /** Share of the prompts that lie above the grid. */
  readonly truncatedShare: number;
}

const TRAFFIC_FORMAT = 'infragym-traffic/1';

const NUMBERS = {
  prompt_median: 'promptMedian',
  prompt_p99: 'promptP99',
  output_mean: 'outputMean',
  truncated_share: 'truncatedShare',
} as const;
const TEXTS = ['name', 'source', 'licence'] as const;
const SERIES = { rates_rps: 'ratesRps', prompt_lens: 'promptLens' } as const;

/** Writes a profile as JSON text, one line for each field. */
export function encodeTraffic(profile: TrafficProfile): string {
  const fields: [string, unknown][] = [['format', TRAFFIC_FORMAT]];
  for (const key of TEXTS) fields.push([key, profile[key]]);
  for (const [key, field] of Object.entries(NUMBERS)) fields.push([key, profile[field]]);
  for (const [key, field] of Object.entries(SERIES)) fields.push([key, profile[field]]);
  const lines = fields.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

/**
 * Reads what `encodeTraffic` wrote. Browser-safe.
 *
 * @throws DataError naming the field that is missing, of the wrong length or out of range.
 */
export function decodeTraffic(text: string): TrafficProfile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError(`the traffic profile is not JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new DataError('the traffic profile is not a JSON object');
  }
  const fields = json as Record<string, unknown>;
  if (fields['format'] !== TRAFFIC_FORMAT) {
    throw new DataError(`format is ${quote(String(fields['format']))}, not "${TRAFFIC_FORMAT}"`);
  }
  const ratesRps = readSeries(fields, 'rates_rps');
  const promptLens = readSeries(fields, 'prompt_lens');
  if (promptLens.length !== ratesRps.length || !ratesRps.some((rate) => rate > 0)) {
    throw new DataError('prompt_lens and rates_rps must be equally long, with some rate above 0');
  }
  return {
    name: readText(fields, 'name'),
    source: readText(fields, 'source'),
    licence: readText(fields, 'licence'),
    ratesRps,
    promptLens,
    promptMedian: readNumber('prompt_median', fields['prompt_median']),
    promptP99: readNumber('prompt_p99', fields['prompt_p99']),
    outputMean: readNumber('output_mean', fields['output_mean']),
    truncatedShare: readNumber('truncated_share', fields['truncated_share']),
  };
}

function readText(fields: Record<string, unknown>, key: string): string {
  const value = fields[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new DataError(`${key} is ${quote(String(value))}, expected a text`);
}

function readNumber(key: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 131_072) return value;
  throw new DataError(`${key} is ${quote(String(value))}, expected a number from 0 to 131072`);
}

function readSeries(fields: Record<string, unknown>, key: string): number[] {
  const values = fields[key];
  if (Array.isArray(values) && values.length >= 1 && values.length <= 1_000_000) {
    return values.map((value, i) => readNumber(`${key}[${i}]`, value));
  }
  throw new DataError(`${key} must be an array of 1 to 1000000 numbers`);
}
