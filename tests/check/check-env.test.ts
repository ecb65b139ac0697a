import { beforeAll, describe, expect, it } from 'vitest';
import { addFamily } from '../../src/api/registry.js';
import type { Backend, Batch } from '../../src/backend.js';
import { referenceBackend } from '../../src/backends/reference.js';
import {
  checkEnv,
  checkVectorEnv,
  compileTask,
  TaskEnv,
  TaskVectorEnv,
} from '../../src/library.js';
import { tinyFamily } from '../support/tiny-family.js';

/** The reference, spoilt: `spoil` may replace parts of every batch it makes. */
function spoilt(spoil: (batch: Batch) => Partial<Batch>): Backend {
  return {
    ...referenceBackend,
    create(program, options) {
      const batch = referenceBackend.create(program, options);
      const whole: Batch = {
        kernel: batch.kernel,
        channels: batch.channels,
        reset: (seed, masked) => batch.reset(seed, masked),
        step: () => batch.step(),
        rollout: (policy, steps) => batch.rollout(policy, steps),
        setParameters: (words) => batch.setParameters(words),
        episodes: () => batch.episodes(),
        exportState: () => batch.exportState(),
        importState: (state) => batch.importState(state),
        close: () => batch.close(),
      };
      return { ...whole, ...spoil(batch) };
    },
  };
}

const afterStep = (change: (batch: Batch) => void) =>
  spoilt((batch) => ({
    step() {
      batch.step();
      change(batch);
    },
  }));

let counter = 0;
const drifting = afterStep(({ channels }) => {
  counter += 1;
  channels.observations[0] = counter;
});
const faults: Record<string, [Backend, string]> = {
  'a reward that is not finite': [
    afterStep(({ channels }) => channels.rewards.fill(Number.NaN)),
    'step',
  ],
  'an observation outside the space': [
    afterStep(({ channels }) => channels.observations.fill(-3)),
    'step',
  ],
  'a flag that is not 0 or 1': [afterStep(({ channels }) => channels.terminated.fill(2)), 'step'],
  'a hidden counter': [drifting, 'determinism'],
  'a reward left over from before the reset': [
    spoilt((batch) => ({
      reset(seed, masked) {
        batch.reset(seed, masked);
        batch.channels.rewards.fill(0.5);
      },
    })),
    'reset',
  ],
  'a snapshot that is not taken': [spoilt(() => ({ importState: () => {} })), 'snapshot'],
  'an episode without an end': [
    afterStep(({ channels }) => channels.truncated.fill(0)),
    'next-step autoreset',
  ],
  'columns that depend on each other': [
    afterStep(({ channels }) => {
      channels.rewards.fill(channels.rewards.length / 100);
    }),
    'columns',
  ],
};

beforeAll(() => addFamily(tinyFamily));

describe('checkVectorEnv', () => {
  it.each(['tiny/normalised', 'tiny/discrete'])('finds nothing wrong with %s', (id) => {
    const env = new TaskVectorEnv(compileTask(id), referenceBackend, { numEnvs: 3 });
    expect(checkVectorEnv(env)).toEqual([]);
  });

  it.each(Object.entries(faults))('finds %s', (_, [backend, check]) => {
    const env = new TaskVectorEnv(compileTask('tiny'), backend, { numEnvs: 2 });
    const checks = checkVectorEnv(env).map((finding) => finding.check);
    expect(checks).toContain(check);
  });

  it('says what was expected, and not too often', () => {
    const [backend] = faults['a reward that is not finite'];
    const env = new TaskVectorEnv(compileTask('tiny'), backend, { numEnvs: 2 });
    const found = checkVectorEnv(env).filter((finding) => finding.check === 'step');
    expect(found).toHaveLength(5);
    expect(found[0].message).toMatch(
      /reward and cost of environment 0 after step 1 must be finite/,
    );
  });
});

describe('checkEnv', () => {
  it.each(['tiny/normalised', 'tiny/discrete'])('finds nothing wrong with %s', (id) => {
    expect(checkEnv(new TaskEnv(compileTask(id), referenceBackend))).toEqual([]);
  });

  it.each([
    ['a reward that is not finite', 'step'],
    ['an observation outside the space', 'step'],
    ['a hidden counter', 'determinism'],
    ['a snapshot that is not taken', 'snapshot'],
    ['an episode without an end', 'end'],
  ])('finds %s', (name, check) => {
    const env = new TaskEnv(compileTask('tiny'), faults[name][0]);
    expect(checkEnv(env).map((finding) => finding.check)).toContain(check);
  });
});
