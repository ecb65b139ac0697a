/** The native learner repeats the reference bit for bit, with every kernel of this processor. */
import { describe, expect, it } from 'vitest';
import {
  categorical,
  createModel,
  type Learner,
  type ModelSpec,
} from '../../../src/train/learner/index.js';
import { loadNativeLearner } from '../../../src/train/learner/native.js';
import { referenceLearner } from '../../../src/train/learner/reference/index.js';
import { batchOf, specs } from './models.js';

const wide: ModelSpec = {
  seed: 5,
  observationDim: 33,
  nets: {
    actor: { hidden: [130, 70], outputs: 'head', lastGain: 0.01 },
    critic: { hidden: [96, 17] },
  },
  head: categorical([19, 3], { masked: true }),
};
const all: Readonly<Record<string, ModelSpec>> = { ...specs, wide };

/** Digests after some updates of two losses, and of what the model then does. */
function train(learner: Learner, spec: ModelSpec, scale = 1): string[] {
  const model = createModel(learner, spec);
  const batch = batchOf(spec, 150);
  for (let i = 0; i < model.params.length; i++) model.params[i] *= scale;
  const digests: string[] = [];
  for (let update = 0; update < 6; update++) {
    const rows = Uint32Array.from({ length: 100 }, (_, i) => (i * 7 + update * 13) % 150);
    model.gradient('ppo', batch, rows, { valueClip: 0.2, entropy: 0.01 });
    if (spec.head.kind === 'categorical') {
      const actions = batch.actions as Int32Array;
      const { targets, ...td } = { ...batch, actions };
      model.gradient('td', td, rows, { conservative: 0.1 });
    }
    model.step({ lr: 1e-2, maxNorm: 0.5 });
    digests.push(model.digest());
  }
  const actions = batch.actions.slice();
  const logProbs = new Float32Array(150);
  const values = new Float32Array(150);
  const out = { actions, logProbs, values };
  model.act(batch.observations, batch.masks ?? null, { seed: 3, step: 9 }, out);
  model.copyFrom(model, 1);
  model.close();
  return [...digests, String(logProbs), String(values), String(actions)];
}

const reasonless = await loadNativeLearner().then(
  () => null,
  (error: Error) => error.message,
);
const isRequired = (process.env.REQUIRE_BACKENDS ?? '').includes('native');
if (reasonless !== null && !isRequired) console.log(`SKIPPED native learner: ${reasonless}`);

describe.skipIf(reasonless !== null && !isRequired)('the native learner', () => {
  const kernels = ['scalar', 'portable', 'avx2', 'avx512'];
  it.each(kernels)('repeats the reference with %s', async (kernel) => {
    const learner = await loadNativeLearner({ kernel }).catch((error: Error) => error);
    if (learner instanceof Error) {
      expect(learner.message).toContain('no such kernel here');
      return;
    }
    for (const spec of Object.values(all)) {
      expect(train(learner, spec)).toEqual(train(referenceLearner, spec));
    }
  });

  it('repeats it where numbers are subnormal', async () => {
    const learner = await loadNativeLearner();
    const tiny = 2 ** -70;
    expect(train(learner, wide, tiny)).toEqual(train(referenceLearner, wide, tiny));
  });
});
