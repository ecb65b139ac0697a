/** One environment, one stem: the files that every environment has, by the stem of its spec. */
import { files, textOf } from './files.js';
import { rustFunctions } from './rust.js';
import { functionNames } from './typescript.js';

/** The stems that have a spec: `src/envs/<stem>.spec.json`. */
export const stems = files.flatMap((path) => {
  const stem = /^src\/envs\/([a-z_]+)\.spec\.json$/.exec(path)?.[1];
  return stem === undefined || stem === 'common' ? [] : [stem];
});

/** The files that written and generated code must have for a stem. */
export function filesOfStem(stem: string): string[] {
  return [
    `src/envs/${stem}.spec.json`,
    `src/envs/${stem}.ts`,
    `src/reference/${stem}.ts`,
    `crates/core/src/envs/${stem}.rs`,
    `assembly/envs/${stem}.ts`,
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

const sharedNames = ['common', 'index', 'mod', 'README'];

/** Files in a tree of stems whose stem has no spec. */
export function filesWithoutSpec(): string[] {
  return files.filter((path) => {
    const name = stemTrees.map((tree) => tree.exec(path)?.[1]).find((stem) => stem !== undefined);
    return name !== undefined && !sharedNames.includes(name) && !stems.includes(name);
  });
}

/** The parts of a step that every environment has, under one name in every language. */
export const stepFunctions = ['reset', 'admit_arrivals', 'observe'];

const dynamicsTrees = ['src/reference/', 'crates/core/src/envs/', 'assembly/envs/'];

/** `admitArrivals` → `admit_arrivals` */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The step functions that a language's dynamics of a stem lack, as `tree: name`. */
export function missingStepFunctions(stem: string): string[] {
  return dynamicsTrees.flatMap((tree) => {
    const sources = files.filter((path) => path.startsWith(tree + stem));
    const names = sources.flatMap((path) =>
      path.endsWith('.rs')
        ? rustFunctions(textOf(path)).map(({ name }) => name)
        : functionNames(path).map(snakeCase),
    );
    const missing = stepFunctions.filter((name) => !names.includes(name));
    return missing.map((name) => `${tree}${stem}: ${name}`);
  });
}
