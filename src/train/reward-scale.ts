/** Rewards divided by the running deviation of the return, as Gymnasium's wrapper does. */
import { bytesOf, fillFrom } from './sections.js';

/** The deviation over all environments of a batch (Chan et al., 1983), in f64. */
export class RewardScale {
  /** Discounted return of each environment's episode so far. */
  private readonly returns: Float64Array;
  /** Count, mean and sum of squared differences. */
  private readonly moments = new Float64Array(3);

  constructor(
    numEnvs: number,
    private readonly gamma: number,
    private readonly isOn: boolean,
  ) {
    this.returns = new Float64Array(numEnvs);
  }

  /** Takes a step's rewards and ends; gives the factor of the rewards. */
  learn(rewards: Float32Array, ended: (i: number) => boolean): number {
    if (!this.isOn) return 1;
    const { returns, moments, gamma } = this;
    const n = returns.length;
    const mean = moments[1];
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      returns[i] = returns[i] * gamma + rewards[i];
      const x = returns[i] - mean;
      sum += x;
      squares += x * x;
      if (ended(i)) returns[i] = 0;
    }
    const change = sum / n;
    const total = moments[0] + n;
    moments[2] += squares - n * change * change + (change * change * moments[0] * n) / total;
    moments[1] += (change * n) / total;
    moments[0] = total;
    return 1 / Math.sqrt(moments[2] / total + 1e-8);
  }

  save(): Uint8Array {
    const { returns, moments } = this;
    return bytesOf(Float64Array.from([...moments, ...returns]));
  }

  load(bytes: Uint8Array): void {
    const all = new Float64Array(3 + this.returns.length);
    fillFrom(all, bytes, 'reward scale');
    this.moments.set(all.subarray(0, 3));
    this.returns.set(all.subarray(3));
  }
}
