/** The heuristics against their descriptions, decided on the plain model of the cluster. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.js';
import { heuristicPolicy } from '../../src/evaluation/policy.js';
import '../../src/envs/scheduling/node.js';
import { ModelCluster, referenceEnv, scheduling } from '../support/scheduling.js';

interface Placement {
  readonly k: number;
  readonly n: number;
}

/** Every feasible placement, the oldest job's first, then by server. */
function placements(model: ModelCluster, numSlots: number): Placement[] {
  const slots = Array.from({ length: numSlots }, (_, k) => k);
  const all = slots.flatMap((k) => model.servers.map((_, n) => ({ k, n })));
  return all.filter(({ k, n }) => model.canPlace(k, n));
}

/** The first of the placements with the least cost. */
function cheapest(options: Placement[], cost: (placement: Placement) => number) {
  const costs = options.map(cost);
  return options[costs.indexOf(Math.min(...costs))];
}

const NUM_SLOTS = 5;

/** The placement of a heuristic by its description; undefined where it places nothing. */
function described(name: string, model: ModelCluster, lastServer: number) {
  const options = placements(model, NUM_SLOTS);
  const job = (k: number) => model.queue[k]!;
  const free = (n: number) => {
    const server = model.servers[n]!;
    const { cpu, mem } = model.used(server);
    return { cpu: server.tier.cpu - cpu, mem: server.tier.mem - mem };
  };
  const numServers = model.servers.length;
  const turn = (n: number) => (n - lastServer - 1 + numServers) % numServers;
  const rise = ({ k, n }: Placement) => {
    const server = model.servers[n]!;
    const running = [...server.running, { job: job(k), end: Infinity }];
    return model.powerMw({ ...server, running }) - model.powerMw(server);
  };
  const size = (k: number) => job(k).cpu + job(k).mem;
  switch (name) {
    case 'rr':
      return cheapest(
        options.filter(({ k }) => k === 0),
        ({ n }) => turn(n),
      );
    case 'sjf':
      return cheapest(options, ({ k }) => job(k).duration);
    case 'ffd':
      return cheapest(options, ({ k }) => -size(k));
    case 'best-fit': {
      const oldest = options.filter(({ k }) => k === options[0]!.k);
      return cheapest(oldest, ({ n }) => free(n).cpu + free(n).mem);
    }
    case 'tetris':
      return cheapest(options, ({ k, n }) => -job(k).cpu * free(n).cpu - job(k).mem * free(n).mem);
    default: {
      const largest = Math.max(...options.map(({ k }) => size(k)));
      return cheapest(
        options.filter(({ k }) => size(k) === largest),
        rise,
      );
    }
  }
}

/** Plays a heuristic in the reference and checks each of its placements against the model's. */
function expectDescribed(name: string, config: JsonObject): number {
  const task = scheduling('base', { ...config, episode_length: 250 });
  const env = referenceEnv(task, 21);
  const model = new ModelCluster(task, 21);
  const wait = task.baselineAction as number;
  const numServers = model.servers.length;
  let lastServer = numServers - 1;
  let placed = 0;
  for (let t = 0; t < 249; t++) {
    const wanted = described(name, model, lastServer);
    env.rollout(name, 1);
    const decision = env.actions[0]!;
    expect(decision, `${name}, step ${t}`).toBe(
      wanted === undefined ? wait : wanted.k * numServers + wanted.n,
    );
    if (wanted !== undefined) lastServer = wanted.n;
    placed += wanted === undefined ? 0 : 1;
    model.step(decision);
  }
  env.close();
  return placed;
}

describe('the heuristics', () => {
  it.each(['rr', 'sjf', 'ffd', 'best-fit', 'tetris', 'power-aware'])('%s', (name) => {
    // Busy enough that several jobs wait, and that some fit nowhere.
    expect(expectDescribed(name, { n_servers: 5, arrival_rate: 0.5 })).toBeGreaterThan(60);
    expect(expectDescribed(name, { workload: 'google_v2_sampled' })).toBeGreaterThan(150);
  });

  it('never decide what is infeasible, and only power-aware toggles', () => {
    for (const name of ['rr', 'sjf', 'ffd', 'best_fit', 'tetris', 'power-aware']) {
      const env = referenceEnv(scheduling('sleep-aware', { episode_length: 400 }), 0, 4);
      env.rollout(name, 400);
      for (let i = 0; i < 4; i++) {
        const { invalid_actions_sum, toggles_sum } = env.statisticsOf(i)!;
        expect(invalid_actions_sum).toBe(0);
        expect(toggles_sum! > 0, name).toBe(name === 'power-aware');
      }
      env.close();
    }
  });

  it('are played by rollout, under either spelling, and by nothing else', () => {
    const env = referenceEnv(scheduling('base'));
    env.rollout('best-fit', 1);
    env.rollout('best_fit', 1);
    expect(() => env.rollout('worst-fit', 1)).toThrow(/policy is "worst-fit": .*power_aware/);
    expect(heuristicPolicy('rr').core).toBe('rr');
    expect(() => heuristicPolicy('rr').act({} as never)).toThrow(/played by the core/);
    env.close();
  });
});
