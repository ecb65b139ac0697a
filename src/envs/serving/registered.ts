/** The performance tables and traffic profiles a serving task can name. */

import { Named } from '../../data/named.js';
import type { PerfTable } from '../../data/perf-table.js';
import { syntheticTable } from '../../data/synthetic-table.js';
import type { TrafficProfile } from '../../data/traffic-profile.js';

/** Tables by name. The origin's is built in; Node's entry also finds shipped tables and paths. */
export const servingTables = new Named<PerfTable>('performance table');

/** Recorded traffic by name; Node's entry finds the shipped profiles. */
export const servingTraffic = new Named<TrafficProfile>('traffic profile');

servingTables.register('synthetic-a', syntheticTable());

/**
 * Makes a performance table known under a name, for `config.table` of serving tasks. In Node a
 * task can also name the path of a table file.
 */
export function registerTable(name: string, table: PerfTable): void {
  servingTables.register(name, table);
}

/** Makes a traffic profile known under a name, for `config.traffic` of measured serving tasks. */
export function registerTraffic(name: string, profile: TrafficProfile): void {
  servingTraffic.register(name, profile);
}
