/** One environment, one folder under one stem in every tree, and one list of names in them. */
import { files, textOf } from './files.js';
import { rustFunctions } from './rust.js';
import { functionNames } from './typescript.js';

/** The stems that have a spec: `src/envs/<stem>/spec.json`. */
export const stems = files.flatMap((path) => {
  const stem = /^src\/envs\/([a-z_]+)\/spec\.json$/.exec(path)?.[1];
  return stem === undefined ? [] : [stem];
});

/** The files that written and generated code must have for a stem. */
export function filesOfStem(stem: string): string[] {
  return [
    `src/envs/${stem}/spec.json`,
    `src/envs/${stem}/family.ts`,
    `src/reference/${stem}/${stem}.ts`,
    `crates/core/src/envs/${stem}/mod.rs`,
    `assembly/envs/${stem}/${stem}.ts`,
    `src/generated/${stem}.ts`,
    `crates/core/src/generated/${stem}.rs`,
    `assembly/generated/${stem}.ts`,
    `docs/environments/${stem}.md`,
  ];
}

const stemTrees = [
  /^crates\/core\/src\/generated\/(\w+)\.rs$/,
  /^assembly\/generated\/(\w+)\.ts$/,
  /^src\/generated\/(\w+)\.ts$/,
  /^docs\/environments\/(\w+)\.md$/,
];

const sharedNames = ['common', 'index', 'mod', 'README', 'version'];

/** Files in a tree of stems whose stem has no spec. */
export function filesWithoutSpec(): string[] {
  return files.filter((path) => {
    const name = stemTrees.map((tree) => tree.exec(path)?.[1]).find((stem) => stem !== undefined);
    return name !== undefined && !sharedNames.includes(name) && !stems.includes(name);
  });
}

/** The folders of environments in the trees that compute steps. */
const dynamicsTrees = ['src/reference', 'crates/core/src/envs', 'assembly/envs'];

/**
 * The one list of names: the parts that the dynamics of an environment are cut into, alike in every
 * language. A file beside the main one is a part, or a part for groups of lanes (`<part>-lanes`).
 */
const parts: Readonly<Record<string, string>> = {
  bound: 'the most that an episode can return, whatever is done in it',
  decode: 'reads an action row, or the program, into named values',
  grid: 'interpolates the performance table',
  state: 'the named state of one environment',
  group: 'the state of a group of lanes, in registers',
  lanes: 'the step for groups of lanes',
  traffic: 'draws arrivals',
  origin: "serving's dynamics of the origin",
  measured: "serving's dynamics by a measured table",
  observe: 'writes observations and masks',
  fold: 'folds episode statistics',
  reward: 'the rewards of a step',
  policies: 'the heuristics that the core plays',
  cluster: 'servers, slots and the jobs in them',
  fleet: 'the machines that a program describes',
  'fleet-power': 'the least power of a fleet by the work on it',
  jobs: 'the jobs that arrive',
};

/** Files in the environments' folders whose name is not in the one list. */
export function unknownParts(): string[] {
  return files.filter((path) => {
    const tree = dynamicsTrees.find((folder) => path.startsWith(`${folder}/`));
    const match = /([a-z_]+)\/([\w-]+)\.(?:ts|rs)$/.exec(path);
    if (tree === undefined || match === null || !stems.includes(match[1]!)) return false;
    const name = match[2]!.replaceAll('_', '-');
    if (name === 'mod' || name === match[1]!.replaceAll('_', '-')) return false;
    return !(name in parts) && !(name.replace(/-lanes$/, '') in parts);
  });
}

/** The parts of a step that every environment has, under one name in every language. */
export const stepFunctions = ['reset', 'admit_arrivals', 'observe'];

/** `admitArrivals` → `admit_arrivals` */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The step functions that a language's dynamics of a stem lack, as `tree: name`. */
export function missingStepFunctions(stem: string): string[] {
  return dynamicsTrees.flatMap((tree) => {
    const sources = files.filter((path) => path.startsWith(`${tree}/${stem}/`));
    const names = sources.flatMap((path) =>
      path.endsWith('.rs')
        ? rustFunctions(textOf(path)).map(({ name }) => name)
        : functionNames(path).map(snakeCase),
    );
    const missing = stepFunctions.filter((name) => !names.includes(name));
    return missing.map((name) => `${tree}/${stem}: ${name}`);
  });
}
