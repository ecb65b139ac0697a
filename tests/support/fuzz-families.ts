/** Random valid programs of every family, by seed, with the names of what they put out. */

import type { Rng } from '../../src/base/seeding.js';
import { makeRng } from '../../src/base/seeding.js';
import { actionMode, servingLayout } from '../../src/generated/serving.js';
import type { Layout } from '../../src/program/layout.js';
import type { NamedProgram } from '../../src/verify/difference.js';
import { autoscaling, randomAutoscalingConfig } from './autoscaling.js';
import { randomServingProgram, SERVING_VARIANTS } from './programs.js';
import { provisioning, randomProvisioningConfig } from './provisioning.js';
import { randomSchedulingConfig, scheduling } from './scheduling.js';

/** A family as the conformance cases and the fuzzer know it. */
export interface FamilyCase {
  readonly name: string;
  /** Any valid program. */
  program(rng: Rng): NamedProgram;
  /** Programs whose steps take different paths, each by a name. */
  readonly variants: Readonly<Record<string, (rng: Rng) => NamedProgram>>;
  /** A small program, to be damaged at every place. */
  small(): NamedProgram;
  /** Whether a step is total for every state within its bounds, not only for what play leaves. */
  readonly isTotal: boolean;
}

function serving(rng: Rng, fixed: Parameters<typeof randomServingProgram>[1] = {}): NamedProgram {
  const observationNames = servingLayout.observations.map(({ name }) => name);
  const program = randomServingProgram(rng, fixed);
  return { layout: servingLayout, program, observationNames, maskDim: 0 };
}

const servingVariants = SERVING_VARIANTS.flatMap((variant) =>
  Object.entries(actionMode).map(([mode, number]): [string, (rng: Rng) => NamedProgram] => [
    `dynamics ${variant.dynamics}, prompts ${variant.promptKind}, actions ${mode}`,
    (rng) => serving(rng, { ...variant, actionMode: number, horizon: 6 }),
  ]),
);

const cases: readonly FamilyCase[] = [
  {
    name: 'serving',
    program: (rng) => serving(rng),
    variants: Object.fromEntries(servingVariants),
    small() {
      const sizes = { numBatch: 2, numKv: 2, numPrompt: 2, numSpec: 1, numQuant: 2, horizon: 3 };
      return serving(makeRng('damage'), sizes);
    },
    isTotal: false,
  },
  {
    name: 'autoscaling',
    program: (rng) => autoscaling('medium', randomAutoscalingConfig(rng, rng.nextFloat() < 0.5)),
    variants: {
      'one type': (rng) => autoscaling('medium', randomAutoscalingConfig(rng, true)),
      fleet: (rng) => autoscaling('medium', randomAutoscalingConfig(rng, false)),
    },
    small: () => autoscaling('fleet', { cold_start_steps: 2, max_steps: 3 }),
    isTotal: false,
  },
  {
    name: 'provisioning',
    program: (rng) => provisioning('easy', randomProvisioningConfig(rng)),
    variants: { any: (rng) => provisioning('easy', randomProvisioningConfig(rng)) },
    small: () => provisioning('hard'),
    isTotal: false,
  },
  {
    name: 'scheduling',
    program: (rng) => scheduling('base', randomSchedulingConfig(rng)),
    variants: {
      any: (rng) => scheduling('base', randomSchedulingConfig(rng)),
      asleep: (rng) => scheduling('sleep-aware', { ...randomSchedulingConfig(rng), n_servers: 3 }),
    },
    small: () => scheduling('base', { n_servers: 2, num_slots: 2, episode_length: 3 }),
    isTotal: true,
  },
];

/** Every family, in the order of the case list; a test holds that none of the layouts lacks one. */
export const FAMILY_CASES: readonly FamilyCase[] = cases;

/** The families there are random programs of. */
export const FUZZ_FAMILIES: readonly string[] = cases.map(({ name }) => name);

/** Layouts for which there is no case. */
export function layoutsWithoutCase(layouts: readonly Layout[]): string[] {
  return layouts.map(({ name }) => name).filter((name) => !FUZZ_FAMILIES.includes(name));
}

/** The random program of a family that a seed names. */
export function fuzzProgram(family: string, seed: number): NamedProgram {
  const found = cases.find(({ name }) => name === family)!;
  return found.program(makeRng(`${family} program ${seed}`));
}
