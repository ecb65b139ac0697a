/** Lets scheduling tasks name shipped demand samples and job traces in CSV files. Node only. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { checkLimit, DEFAULT_DATA_LIMITS } from '../../data/columns.js';
import { decodeDemand } from '../../data/demand-samples.js';
import { DataError, quote } from '../../data/errors.js';
import type { JobTrace } from '../../data/job-trace.js';
import { readJobTrace } from '../../data/job-trace.js';
import { packageFolder } from '../../data/node.js';
import { demandSamples, jobTraces } from './registered.js';

/** The demand samples in `data/demand`, by name. */
export const SHIPPED_DEMAND = ['google_v2_sampled'] as const;

/** The CSV file at a path; parquet is read by `readTableFile`, and registered. */
function loadTrace(path: string): JobTrace {
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new DataError(`job trace ${quote(path)} is neither registered nor a file`);
  }
  try {
    checkLimit('file size in bytes', statSync(path).size, DEFAULT_DATA_LIMITS.fileBytes);
    return readJobTrace(new Uint8Array(readFileSync(path)), path);
  } catch (error) {
    throw error instanceof DataError ? error.inFile(path) : error;
  }
}

jobTraces.useLoader(loadTrace);
demandSamples.useLoader((name) => {
  if (SHIPPED_DEMAND.some((shipped) => shipped === name)) {
    return decodeDemand(readFileSync(`${packageFolder('data/demand')}/${name}.json`, 'utf8'));
  }
  throw new DataError(`demand ${quote(name)} is not one of ${SHIPPED_DEMAND.join(', ')}`);
});
