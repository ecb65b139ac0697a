import { DataError, quote } from './errors.js';

const DEMAND_FORMAT = 'infragym-demand/1';

/** The demands of jobs as equally likely samples: the marginals of recordings, each sorted. */
export interface DemandSamples {
  readonly name: string;
  readonly source: string;
  readonly licence: string;
  /** CPU as a fraction of the largest machine. */
  readonly cpuFraction: readonly number[];
  /** Memory as a fraction of the largest machine. */
  readonly memFraction: readonly number[];
  /** Seconds. */
  readonly runtimeS: readonly number[];
}

const TEXTS = ['name', 'source', 'licence'] as const;
const SERIES = {
  cpu_fraction: 'cpuFraction',
  mem_fraction: 'memFraction',
  runtime_s: 'runtimeS',
} as const;
/** Columns of the largest alias table. */
const SAMPLES_MAX = 512;

/** Writes samples as JSON text, one line for each field. */
export function encodeDemand(samples: DemandSamples): string {
  const fields: [string, unknown][] = [['format', DEMAND_FORMAT]];
  for (const key of TEXTS) fields.push([key, samples[key]]);
  for (const [key, field] of Object.entries(SERIES)) fields.push([key, samples[field]]);
  const lines = fields.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

/**
 * Reads what `encodeDemand` wrote. Browser-safe.
 *
 * @throws DataError naming the field that is missing, empty, too long or out of range.
 */
export function decodeDemand(text: string): DemandSamples {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError(`the demand samples are not JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new DataError('the demand samples are not a JSON object');
  }
  const fields = json as Record<string, unknown>;
  if (fields['format'] !== DEMAND_FORMAT) {
    throw new DataError(`format is ${quote(String(fields['format']))}, not "${DEMAND_FORMAT}"`);
  }
  return {
    name: readText(fields, 'name'),
    source: readText(fields, 'source'),
    licence: readText(fields, 'licence'),
    cpuFraction: readSamples(fields, 'cpu_fraction', 1),
    memFraction: readSamples(fields, 'mem_fraction', 1),
    runtimeS: readSamples(fields, 'runtime_s', 1e9),
  };
}

function readText(fields: Record<string, unknown>, key: string): string {
  const value = fields[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new DataError(`${key} is ${quote(String(value))}, expected a text`);
}

function readSamples(fields: Record<string, unknown>, key: string, max: number): number[] {
  const values = fields[key];
  if (!Array.isArray(values) || values.length < 1 || values.length > SAMPLES_MAX) {
    throw new DataError(`${key} is not an array of 1 to ${SAMPLES_MAX} numbers`);
  }
  values.forEach((value, i) => {
    if (typeof value === 'number' && value >= 0 && value <= max) return;
    throw new DataError(`${key}[${i}] is ${quote(String(value))}, expected 0 to ${max}`);
  });
  if (!values.some((value) => value > 0)) throw new DataError(`${key} has no number above 0`);
  return values;
}
