/** Lets autoscaling tasks name shipped rate traces and CSV files of their own. Node only. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { checkLimit, DEFAULT_DATA_LIMITS } from '../../data/columns.js';
import { DataError, quote } from '../../data/errors.js';
import { packageFolder } from '../../data/node.js';
import type { RateTrace } from '../../data/rate-trace.js';
import { readRateTrace } from '../../data/rate-trace.js';
import { rateTraces } from './registered.js';

/** The traces in `data/rates`, by name. */
export const SHIPPED_RATES: Readonly<Record<string, { source: string; licence: string }>> = {
  'nasa-http-1995-07': {
    source: 'NASA Kennedy Space Center HTTP logs, July 1995, Internet Traffic Archive',
    licence: 'may be freely redistributed',
  },
};

/** A shipped trace by its name, else the CSV file there, one row a step. */
function loadTrace(nameOrPath: string): RateTrace {
  const shipped = Object.entries(SHIPPED_RATES).find(([name]) => name === nameOrPath);
  if (shipped !== undefined) {
    const [name, origin] = shipped;
    const text = readFileSync(`${packageFolder('data/rates')}/${name}.csv`, 'utf8');
    return readRateTrace(text, { name, ...origin });
  }
  if (!existsSync(nameOrPath) || !statSync(nameOrPath).isFile()) {
    const names = Object.keys(SHIPPED_RATES).join(', ');
    throw new DataError(`rate trace ${quote(nameOrPath)} is neither a file nor one of ${names}`);
  }
  try {
    checkLimit('file size in bytes', statSync(nameOrPath).size, DEFAULT_DATA_LIMITS.fileBytes);
    const bytes = new Uint8Array(readFileSync(nameOrPath));
    return readRateTrace(bytes, { name: nameOrPath, source: nameOrPath, licence: 'not stated' });
  } catch (error) {
    throw error instanceof DataError ? error.inFile(nameOrPath) : error;
  }
}

rateTraces.useLoader(loadTrace);
