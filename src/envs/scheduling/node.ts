/** Lets scheduling tasks name shipped demand samples and job traces in CSV files. Node only. */
import { readFileSync } from 'node:fs';
import { decodeDemand } from '../../data/demand-samples.js';
import { readJobTrace } from '../../data/job-trace.js';
import { loadNamed, packageFolder } from '../../data/node.js';
import { demandSamples, jobTraces } from './registered.js';

/** The demand samples in `data/demand`, by name. */
export const SHIPPED_DEMAND: readonly string[] = ['google_v2_sampled'];

// A path is a CSV file; parquet is read by `readTableFile`, and registered.
jobTraces.useLoader((name) =>
  loadNamed({ kind: 'job trace', names: [], shipped: () => undefined, read: readJobTrace }, name),
);
demandSamples.useLoader((name) =>
  loadNamed(
    {
      kind: 'demand',
      names: SHIPPED_DEMAND,
      shipped(name) {
        if (!SHIPPED_DEMAND.includes(name)) return undefined;
        const file = `${packageFolder('data/demand')}/${name}.json`;
        const samples = decodeDemand(readFileSync(file, 'utf8'));
        demandSamples.register(name, samples);
        return samples;
      },
    },
    name,
  ),
);
