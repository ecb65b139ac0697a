/** Training, resuming and playing what was learnt, on the reference learner and small budgets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compileTask, createPolicy, evaluateEpisodes, type JsonObject } from '../../src/index.js';
import { loadLearner, type TrainOptions, type TrainRow, train } from '../../src/train/index.js';
import { decodePolicyFile } from '../../src/train/policy-file.js';

const small: Record<string, JsonObject> = {
  ppo: { numEnvs: 4, numSteps: 16, epochs: 2, minibatch: 32, hidden: [8] },
  dqn: { numEnvs: 4, iteration: 16, learningStarts: 32, bufferSize: 100, hidden: [8] },
  qlearning: { numEnvs: 4, iteration: 16, bins: 4 },
};

const optionsOf = (algorithm: string, more: Partial<TrainOptions> = {}): TrainOptions => ({
  algorithm: algorithm as TrainOptions['algorithm'],
  task: 'autoscaling/easy-v1',
  totalSteps: 256,
  seed: 3,
  settings: small[algorithm]!,
  learner: 'reference',
  validationEpisodes: 2,
  validateEvery: 64,
  ...more,
});

const folder = mkdtempSync(join(tmpdir(), 'infragym-train-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(Object.keys(small))('%s', (algorithm) => {
  it('gives the same weights again, whatever else is measured', async () => {
    const first = await train(optionsOf(algorithm));
    const again = await train(optionsOf(algorithm, { validationEpisodes: 0 }));
    expect(again.header.weights_digest).toBe(first.header.weights_digest);
    const other = await train(optionsOf(algorithm, { seed: 4 }));
    expect(other.header.weights_digest).not.toBe(first.header.weights_digest);
  });

  it('goes on from a checkpoint to the weights of an unbroken run', async () => {
    const whole = await train(optionsOf(algorithm));
    const interrupt = new AbortController();
    let checkpoint: Uint8Array | undefined;
    const rows: TrainRow[] = [];
    const part = await train(
      optionsOf(algorithm, {
        signal: interrupt.signal,
        onRow: (row) => {
          rows.push(row);
          if (rows.length === 2) interrupt.abort();
        },
        onCheckpoint: (bytes) => {
          checkpoint = bytes;
        },
      }),
    );
    expect(part.isInterrupted).toBe(true);
    const resumed = await train(optionsOf(algorithm, { checkpoint: checkpoint! }));
    expect(resumed.header.weights_digest).toBe(whole.header.weights_digest);
    const curve = (all: readonly TrainRow[]) => all.map(({ steps_per_s: _, ...row }) => row);
    expect(curve(resumed.rows)).toEqual(curve(whole.rows));
  });

  it('refuses a checkpoint of another run, and damaged bytes', async () => {
    let checkpoint = new Uint8Array();
    const onCheckpoint = (bytes: Uint8Array) => {
      checkpoint = bytes.slice();
    };
    await train(optionsOf(algorithm, { onCheckpoint }));
    const other = train(optionsOf(algorithm, { checkpoint, seed: 9 }));
    await expect(other).rejects.toThrow(/of another run: seed is 3, not 9/);
    checkpoint[checkpoint.length - 40]! ^= 1;
    await expect(train(optionsOf(algorithm, { checkpoint }))).rejects.toThrow(/is damaged/);
    const none = train(optionsOf(algorithm, { checkpoint: Uint8Array.of(1, 2, 3) }));
    await expect(none).rejects.toThrow(/no training checkpoint/);
  });

  it('leaves a file that plays as the trainer did, by its directory too', async () => {
    const { policy, task } = await train(optionsOf(algorithm));
    const seeds = [0, 1, 2];
    const learner = await loadLearner('reference');
    const played = await evaluateEpisodes(task, decodePolicyFile(policy, task, learner), seeds);
    writeFileSync(join(folder, 'policy.bin'), policy);
    const named = await evaluateEpisodes(task, await createPolicy(folder, task), seeds);
    expect(named).toEqual(played);
    const fleet = compileTask('autoscaling/fleet-v1');
    await expect(createPolicy(folder, fleet)).rejects.toThrow(/policy\.bin: .*autoscaling\/fleet/);
  });
});

describe('train', () => {
  it.each([
    [{ algorithm: 'sarsa' as never }, /algorithm is "sarsa": one of ppo, dqn, qlearning/],
    [{ settings: { gama: 1 } }, /setting gama is unknown to ppo: numEnvs/],
    [{ settings: { gamma: '1' } }, /setting gamma is "1": a number is needed/],
    [{ totalSteps: 0 }, /totalSteps is 0: an integer from 1/],
    [{ seed: -1 }, /seed is -1: an integer from 0/],
    [{ algorithm: 'dqn' as const, task: 'serving/static-uniform-v1', settings: {} }, /discrete/],
  ])('refuses %o', async (more, message) => {
    await expect(train(optionsOf('ppo', more))).rejects.toThrow(message);
  });

  it('keeps the best of its validations where asked to', async () => {
    const rows: TrainRow[] = [];
    const options = {
      keepBest: true,
      validationEpisodes: 5,
      onRow: (row: TrainRow) => rows.push(row),
    };
    const { policy, task } = await train(optionsOf('qlearning', options));
    const scores = rows.flatMap((row) => row['validation_score_mean'] ?? []);
    const seeds = Array.from({ length: 5 }, (_, i) => 2_000_000 + i);
    const learner = await loadLearner('reference');
    const played = await evaluateEpisodes(task, decodePolicyFile(policy, task, learner), seeds);
    const mean = played.reduce((sum, { score }) => sum + score / 5, 0);
    expect(mean).toBeCloseTo(Math.max(...scores), 12);
  });
});
