/** A policy that plays an episode step by step, from its first step or from a later one. */
import {
  makeRng,
  type Policy,
  type PolicyView,
  parseSeed,
  type TaskVectorEnv,
} from '../../../src/index.browser.js';
import type { ActionLog } from './action-log.js';

export class Player {
  private view: PolicyView & { step: number };

  constructor(
    private readonly policy: Policy,
    private readonly env: TaskVectorEnv,
    private readonly seed: string,
  ) {
    this.view = this.viewOf(env);
    policy.reset?.(1);
  }

  /** One step. */
  step(): void {
    const { policy, env, view } = this;
    if (policy.core !== undefined) env.rollout(policy.core, 1);
    else {
      policy.act(view);
      env.step();
    }
    view.step++;
  }

  /** Shows the policy an episode that others have played, so that it remembers it as its own. */
  catchUp(log: ActionLog): void {
    const { step } = this.view;
    if (this.policy.core === undefined) {
      const past = this.env.sibling();
      past.reset({ seed: this.seed });
      const view = { ...this.viewOf(past), rng: this.view.rng };
      for (; view.step < log.length; view.step++) {
        this.policy.act(view);
        past.actions.set(log.row(view.step));
        past.step();
      }
      past.close();
    }
    this.view.step = step + log.length;
  }

  private viewOf(env: TaskVectorEnv): PolicyView & { step: number } {
    const rng = makeRng(`policy ${this.policy.seed ?? 0}, environment ${BigInt(this.seed)}`);
    const seed = parseSeed(this.seed);
    const { task, numEnvs, observations, metrics, masks, actions } = env;
    const arrays = { task, numEnvs, observations, metrics, masks, actions };
    return { ...arrays, step: 0, rng: () => rng, seed: () => seed };
  }
}
