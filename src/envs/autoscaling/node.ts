/** Lets autoscaling tasks name shipped rate traces and CSV files of their own. Node only. */
import { readFileSync } from 'node:fs';
import { loadNamed, packageFolder } from '../../data/node.js';
import { readRateTrace } from '../../data/rate-trace.js';
import { rateTraces } from './registered.js';

/** The traces in `data/rates`, by name. */
export const SHIPPED_RATES: Readonly<Record<string, { source: string; licence: string }>> = {
  'nasa-http-1995-07': {
    source: 'NASA Kennedy Space Center HTTP logs, July 1995, Internet Traffic Archive',
    licence: 'may be freely redistributed',
  },
};

rateTraces.useLoader((name) =>
  loadNamed(
    {
      kind: 'rate trace',
      names: Object.keys(SHIPPED_RATES),
      shipped(name) {
        if (!Object.hasOwn(SHIPPED_RATES, name)) return undefined;
        const text = readFileSync(`${packageFolder('data/rates')}/${name}.csv`, 'utf8');
        const trace = readRateTrace(text, { name, ...SHIPPED_RATES[name] });
        rateTraces.register(name, trace);
        return trace;
      },
      read: (bytes, path) =>
        readRateTrace(bytes, { name: path, source: path, licence: 'not stated' }),
    },
    name,
  ),
);
