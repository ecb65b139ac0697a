/** Lets serving tasks name shipped tables, shipped traffic and table files. Node only. */
import { readFileSync } from 'node:fs';
import { loadNamed, loadShippedTable, packageFolder, SHIPPED_TABLES } from '../../data/node.js';
import { decodePerfTable } from '../../data/perf-table.js';
import { decodeTraffic } from '../../data/traffic-profile.js';
import { servingTables, servingTraffic } from './registered.js';

/** The recorded traffic in `data/traffic`, by name. */
export const SHIPPED_TRAFFIC = ['azure-conv', 'azure-code', 'mooncake-conversation'] as const;

// A path is a table file, written by `infragym table import`. What ships does not change, so it is
// kept once read.
servingTables.useLoader((name) =>
  loadNamed(
    {
      kind: 'table',
      names: ['synthetic-a', ...SHIPPED_TABLES],
      shipped(name) {
        if (!SHIPPED_TABLES.some((shipped) => shipped === name)) return undefined;
        const table = loadShippedTable(name);
        servingTables.register(name, table);
        return table;
      },
      read: (bytes) => decodePerfTable(new TextDecoder().decode(bytes)),
    },
    name,
  ),
);
servingTraffic.useLoader((name) =>
  loadNamed(
    {
      kind: 'traffic',
      names: SHIPPED_TRAFFIC,
      shipped(name) {
        if (!SHIPPED_TRAFFIC.some((shipped) => shipped === name)) return undefined;
        const path = `${packageFolder('data/traffic')}/${name}.json`;
        const profile = decodeTraffic(readFileSync(path, 'utf8'));
        servingTraffic.register(name, profile);
        return profile;
      },
    },
    name,
  ),
);
