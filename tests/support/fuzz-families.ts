/** Random valid programs of every family, by seed, with the names of what they put out. */

import type { Rng } from '../../src/base/seeding.js';
import { makeRng } from '../../src/base/seeding.js';
import { servingLayout } from '../../src/generated/serving.js';
import type { NamedProgram } from '../../src/verify/difference.js';
import { autoscaling, randomAutoscalingConfig } from './autoscaling.js';
import { randomServingProgram } from './programs.js';
import { provisioning, randomProvisioningConfig } from './provisioning.js';
import { randomSchedulingConfig, scheduling } from './scheduling.js';

/** Serving's programs are random themselves; the others are compiled from random tasks. */
const makers: Readonly<Record<string, (rng: Rng) => NamedProgram>> = {
  serving(rng) {
    const observationNames = servingLayout.observations.map(({ name }) => name);
    const program = randomServingProgram(rng);
    return { layout: servingLayout, program, observationNames, maskDim: 0 };
  },
  autoscaling: (rng) => autoscaling('medium', randomAutoscalingConfig(rng, rng.nextFloat() < 0.5)),
  provisioning: (rng) => provisioning('easy', randomProvisioningConfig(rng)),
  scheduling: (rng) => scheduling('base', randomSchedulingConfig(rng)),
};

/** The families there are random programs of. */
export const FUZZ_FAMILIES: readonly string[] = Object.keys(makers);

/** The random program of a family that a seed names. */
export function fuzzProgram(family: string, seed: number): NamedProgram {
  return makers[family](makeRng(`${family} program ${seed}`));
}
