/** A random search over a family of policies, many of them at once on one backend's batch. */

import type { Rng } from '../../src/base/seeding.js';
import { makeRng, parseSeed } from '../../src/base/seeding.js';
import type { CompiledTask } from '../../src/envs/family.js';
import { provisioningConfig, provisioningState } from '../../src/envs/provisioning/family.js';
import { createReferenceBatch } from '../../src/reference/families.js';

/** Rents base + queueGain × queue + rateGain × mean arrivals, at most cap, until money runs low. */
interface Rule {
  readonly base: number;
  readonly queueGain: number;
  readonly rateGain: number;
  readonly smoothing: number;
  readonly cap: number;
  readonly stopBelowUsd: number;
}

const ruleOf = (rng: Rng): Rule => ({
  base: rng.nextFloat() * 4,
  queueGain: rng.nextFloat() * 1.2,
  rateGain: rng.nextFloat() * 1.2,
  smoothing: rng.nextFloat(),
  cap: 1 + (rng.nextUint32() % 64),
  stopBelowUsd: rng.nextFloat() < 0.5 ? 0 : rng.nextFloat() * 200,
});

/** The return that each of `numRules` rules reaches on each seed, beside the seed's bound. */
export function searchReturns(task: CompiledTask, numRules: number, seeds: readonly number[]) {
  const rng = makeRng('search');
  const rules = Array.from({ length: numRules }, () => ruleOf(rng));
  const bounds = seeds.map((seed) => task.bound!(parseSeed(seed), 0));
  return rules.flatMap((rule) =>
    playRule(task, rule, seeds).map((reached, i) => ({ reached, bound: bounds[i]! })),
  );
}

/** Returns of episode 0 of the seeds, which follow each other. */
function playRule(task: CompiledTask, rule: Rule, seeds: readonly number[]): number[] {
  const config = provisioningConfig(task);
  const options = { autoreset: 'disabled', threads: 1, metrics: false, kernel: 'scalar' } as const;
  const batch = createReferenceBatch(task.program, { ...options, numEnvs: seeds.length });
  const { actions, observations, finalStatistics } = batch.channels;
  const rows = new Int32Array(actions.buffer, actions.byteOffset, actions.length);
  const means = new Float64Array(seeds.length);
  batch.reset(parseSeed(seeds[0]!), false);
  for (let t = 0; t < task.horizonSteps; t++) {
    for (let env = 0; env < seeds.length; env++) {
      const state = provisioningState(config, observations, env);
      means[env]! += (state.incoming - means[env]!) * rule.smoothing;
      const wanted = rule.base + rule.queueGain * state.queue + rule.rateGain * means[env]!;
      const target = state.budgetUsd < rule.stopBelowUsd ? 0 : Math.min(rule.cap, wanted);
      const change = Math.round(target) - state.running - state.booting;
      rows[env] = Math.max(-config.changeMax, Math.min(config.changeMax, change));
    }
    batch.step();
  }
  const { statistics } = task.layout;
  const at = statistics.findIndex(({ name }) => name === 'episode_return');
  return seeds.map((_, env) => finalStatistics[env * statistics.length + at]!);
}
