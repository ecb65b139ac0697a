/** Lets serving tasks name shipped tables, shipped traffic and table files. Node only. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { DEFAULT_DATA_LIMITS } from '../../data/columns.js';
import { DataError, quote } from '../../data/errors.js';
import { loadShippedTable, packageFolder, SHIPPED_TABLES } from '../../data/node.js';
import { decodePerfTable, type PerfTable } from '../../data/perf-table.js';
import { decodeTraffic } from '../../data/traffic-profile.js';
import { servingTables, servingTraffic } from './registered.js';

/** The recorded traffic in `data/traffic`, by name. */
export const SHIPPED_TRAFFIC = ['azure-conv', 'azure-code', 'mooncake-conversation'] as const;

/** A shipped table by its name, else the table file (written by `infragym table import`) there. */
function loadTable(nameOrPath: string): PerfTable {
  if (SHIPPED_TABLES.some((name) => name === nameOrPath)) {
    const table = loadShippedTable(nameOrPath);
    servingTables.register(nameOrPath, table);
    return table;
  }
  if (!existsSync(nameOrPath) || !statSync(nameOrPath).isFile()) {
    const names = ['synthetic-a', ...SHIPPED_TABLES].join(', ');
    throw new DataError(`table ${quote(nameOrPath)} is neither a file nor one of ${names}`);
  }
  const { size } = statSync(nameOrPath);
  if (size > DEFAULT_DATA_LIMITS.fileBytes) {
    throw new DataError(`has ${size} bytes, more than ${DEFAULT_DATA_LIMITS.fileBytes}`).inFile(
      nameOrPath,
    );
  }
  try {
    return decodePerfTable(readFileSync(nameOrPath, 'utf8'));
  } catch (error) {
    throw error instanceof DataError ? error.inFile(nameOrPath) : error;
  }
}

servingTables.useLoader(loadTable);
servingTraffic.useLoader((name) => {
  if (SHIPPED_TRAFFIC.some((shipped) => shipped === name)) {
    const path = `${packageFolder('data/traffic')}/${name}.json`;
    const profile = decodeTraffic(readFileSync(path, 'utf8'));
    servingTraffic.register(name, profile);
    return profile;
  }
  throw new DataError(`traffic ${quote(name)} is not one of ${SHIPPED_TRAFFIC.join(', ')}`);
});
