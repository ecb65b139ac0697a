import { expect, it } from 'vitest';
import {
  BundleError,
  compileTask,
  decodeBundle,
  encodeBundle,
  makeRng,
  ProgramError,
} from '../../src/index.js';
import { mutated, mutatedJson, redescribed, resealed } from '../support/bundle-damage.js';

const MUTATIONS = 10_000;
/** Small, so that mutations hit everything. */
const BUNDLES = ['provisioning/easy-v1', 'provisioning/hard-v1', 'scheduling/base-v2'].map((id) =>
  encodeBundle(compileTask(id)),
);

function refusalOf(bytes: Uint8Array): unknown {
  try {
    return decodeBundle(bytes);
  } catch (error) {
    return error;
  }
}

const isRefusal = (result: unknown) =>
  result instanceof BundleError || result instanceof ProgramError;

it(`refuses ${MUTATIONS} mutations`, () => {
  const rng = makeRng('bundles');
  for (let i = 0; i < MUTATIONS; i++) {
    const bundle = BUNDLES[i % BUNDLES.length];
    const bytes = mutated(bundle, rng);
    if (Buffer.compare(bytes, bundle) === 0) continue;
    const result = refusalOf(bytes);
    expect(isRefusal(result), `mutation ${i}: ${String(result)}`).toBe(true);
  }
}, 120_000);

it(`refuses or reads ${MUTATIONS} mutations whose digests were made good`, () => {
  const rng = makeRng('resealed bundles');
  let numRead = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const bundle = BUNDLES[i % BUNDLES.length];
    const isJson = i % 2 === 0;
    const bytes = isJson
      ? redescribed(bundle, (text) => mutatedJson(text, rng))
      : resealed(mutated(bundle, rng));
    const result = refusalOf(bytes);
    const isRead = !(result instanceof Error);
    expect(isRead || isRefusal(result), `mutation ${i}: ${String(result)}`).toBe(true);
    if (isRead) numRead++;
  }
  // Names, docs and configurations may be anything: such bundles are whole ones.
  expect(numRead).toBeGreaterThan(0);
  expect(numRead).toBeLessThan(MUTATIONS);
}, 240_000);
