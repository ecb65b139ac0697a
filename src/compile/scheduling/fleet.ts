/** Fleets of scheduling tasks: kinds of servers, and which server is of which kind. */
import { makeRng } from '../../base/seeding.js';
import { pow } from '../../program/math.js';

/** A kind of server. Power awake is pIdle + (pMax - pIdle) u^alpha at CPU utilisation u. */
export interface Tier {
  readonly name: string;
  /** Units, an integer. */
  readonly cpu: number;
  readonly mem: number;
  readonly pIdleWatts: number;
  readonly pMaxWatts: number;
  /** Share of the fleet, not necessarily normalised. */
  readonly probability: number;
}

export interface Fleet {
  readonly tiers: readonly Tier[];
  /** [servers] index into tiers. */
  readonly servers: readonly number[];
}

/**
 * Draws the kind of each server, one after the other, from seedrandom's stream of the seed. The
 * stream's name is one under which fleet 0 carries the load its tasks are described with: 15
 * servers of the default tiers have 1728 units of CPU, of which the default jobs need 75 %.
 */
export function drawFleet(numServers: number, tiers: readonly Tier[], seed: number): Fleet {
  const rng = makeRng(`heterogeneous servers of seed ${seed}`);
  const total = tiers.reduce((sum, { probability }) => sum + probability, 0);
  const servers = Array.from({ length: numServers }, () => {
    let left = rng.nextFloat() * total;
    const tier = tiers.findIndex(({ probability }) => {
      left -= probability;
      return left < 0;
    });
    return tier < 0 ? tiers.length - 1 : tier;
  });
  return { tiers, servers };
}

/** Power of a tier in whole milliwatts, by units of CPU in use, 0 .. cpu. */
export function powerTableMw({ cpu, pIdleWatts, pMaxWatts }: Tier, alpha: number): number[] {
  return Array.from({ length: cpu + 1 }, (_, used) => {
    const load = used === 0 ? 0 : pow(used / cpu, alpha);
    return milliwatts(pIdleWatts + (pMaxWatts - pIdleWatts) * load);
  });
}

/** Watts as the nearest whole number of milliwatts. */
export const milliwatts = (watts: number): number => Math.floor(watts * 1000 + 0.5);
