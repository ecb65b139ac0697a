/**
 * The files that know every family: one in each tree, in the order of the family numbers. A family
 * is named by its stem alone, so that a spec is all that registers it.
 */
import { camel, type FamilySpec, HEADER, pascal, upper } from './spec.js';

type Families = readonly FamilySpec[];

function each(families: Families, line: (family: FamilySpec) => string): string {
  return families.map(line).join('\n');
}

/** Families by their stems, as the formatters sort imports. */
function sorted(families: Families): FamilySpec[] {
  return [...families].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Imports in the formatter's order, that of their paths. */
function importLines(imports: readonly { path: string; line: string }[]): string {
  const sorted = [...imports].sort((a, b) => (a.path < b.path ? -1 : 1));
  return sorted.map(({ line }) => line).join('\n');
}

/** An import as the formatter writes it: on one line of 100 columns, or a name a line. */
function namedImport(names: readonly string[], path: string): string {
  const line = `import { ${names.join(', ')} } from '${path}';`;
  return line.length <= 100 ? line : `import {\n  ${names.join(',\n  ')},\n} from '${path}';`;
}

/** The block that makes a batch of a family's reference. */
function referenceBatch(stem: string): string {
  const layout = `${camel(stem)}Layout`;
  const decode = `decodeProgram<${pascal(stem)}Scalars, ${pascal(stem)}Tables>`;
  const line = `      const program = ${decode}(${layout}, bytes);`;
  const broken = `      const program = ${decode}(\n        ${layout},\n        bytes,\n      );`;
  return `{
${line.length <= 100 ? line : broken}
      const environment = new ${pascal(stem)}Environment(program);
      return new ReferenceBatch(${layout}, program, environment, options);
    }`;
}

/** `src/envs/families.ts` */
export function environmentFamilies(families: Families): string {
  const imports = importLines([
    ...families.map((family) => ({
      path: `./${family.name}/family.js`,
      line: `import { ${camel(family.name)}Family } from './${family.name}/family.js';`,
    })),
    { path: './family.js', line: "import type { EnvFamily } from './family.js';" },
  ]);
  return `// ${HEADER}

/** The environment families that the library has. */
${imports}

export const families: readonly EnvFamily[] = [
${each(families, ({ name }) => `  ${camel(name)}Family,`)}
];
`;
}

/** `src/reference/families.ts` */
export function referenceFamilies(families: Families): string {
  const layouts = each(sorted(families), ({ name }) => {
    const types = [`type ${pascal(name)}Scalars`, `type ${pascal(name)}Tables`];
    return namedImport([...types, `${camel(name)}Layout`], `../generated/${name}.js`);
  });
  const local = [
    { path: './batch.js', line: "import { ReferenceBatch } from './batch.js';" },
    ...families.map(({ name }) => ({
      path: `./${name}/`,
      line: `import { ${pascal(name)}Environment } from './${name}/${name}.js';`,
    })),
  ];
  const [first, ...others] = families;
  const cases = each(
    others,
    ({ name }) => `    case ${camel(name)}Layout.family: ${referenceBatch(name)}`,
  );
  return `// ${HEADER}

/** Which reference environment steps which family. */
import type { Batch, BatchOptions } from '../backend.js';
${layouts}
import { decodeProgram, programFamily } from '../program/program.js';
${importLines(local)}

/** Validates a program and makes a batch of the reference. */
export function createReferenceBatch(bytes: Uint8Array, options: BatchOptions): Batch {
  switch (programFamily(bytes)) {
${cases}
    // A number that no family has is refused by the check of the header.
    default: ${referenceBatch(first!.name)}
  }
}
`;
}

/** `crates/core/src/envs/mod.rs` */
export function rustFamilies(families: Families): string {
  const arms = each(
    families,
    ({ name }) => `    if family == ${upper(name)}.family {
        let make = ${name}::${pascal(name)}::new;
        return Ok(FamilyTask::new(&${upper(name)}, bytes, metrics, make)?);
    }`,
  );
  const layout = ({ name }: FamilySpec) =>
    `use crate::generated::${name}::LAYOUT as ${upper(name)};`;
  const imports = [
    'use crate::family::FamilyTask;',
    'use crate::generated::common::header;',
    ...families.map(layout),
    'use crate::program::{Program, ProgramError};',
    'use crate::task::Task;',
  ].sort();
  return `// ${HEADER}

//! The environment families, one module each.

${each(sorted(families), ({ name }) => `mod ${name};`)}

use std::sync::Arc;

${imports.join('\n')}

/// A sentence on what is wrong with a program, by the names of the family that it claims.
pub fn describe(bytes: &[u8], error: ProgramError) -> String {
    let family = Program::family(bytes).unwrap_or_default();
    let layouts = [${families.map(({ name }) => `&${upper(name)}`).join(', ')}];
    let own = layouts.iter().find(|layout| layout.family == family);
    error.describe(own.unwrap_or(&layouts[0]))
}

/// Validates a program and makes the tables of the family that it names.
pub fn task(bytes: &[u8], metrics: bool) -> Result<Arc<dyn Task>, ProgramError> {
    let family = Program::family(bytes)?;
${arms}
    Err(ProgramError::Header(header::FAMILY))
}
`;
}

/** The cases of a function of `assembly/families.ts`. */
function assemblyCases(families: Families, call: (type: string) => string): string {
  return each(families, ({ name }) => `    case ${upper(name)}: return ${call(pascal(name))};`);
}

/** `assembly/families.ts` */
export function assemblyFamilies(families: Families): string {
  const environments = each(
    sorted(families),
    ({ name }) => `import { ${pascal(name)} } from './envs/${name}/${name}';`,
  );
  const numbers = each(
    sorted(families),
    ({ name }) => `import { FAMILY as ${upper(name)} } from './generated/${name}';`,
  );
  const cases = (call: (type: string) => string) => assemblyCases(families, call);
  return `// ${HEADER}

/** Which class steps which family: one case a family in each function, decided once a call. */
import * as batch from './batch';
${environments}
${numbers}
import { allocate } from './memory';
import { checkPrelude, familyOf, loadProgram, unknownFamily } from './program';

let family: u32 = 0;
let program: usize = 0;
let programBytes: u32 = 0;

/** Space for a program of so many bytes; the caller fills it before \`create\`. */
export function programBuffer(bytes: u32): usize {
  program = allocate(bytes);
  programBytes = bytes;
  return program;
}

/** Validates the program and allocates its batch; 0, or the code of the first fault. */
export function create(numEnvs: u32, autoreset: u32, metrics: u32, kernel: u32): u32 {
  const fault = checkPrelude(program, programBytes);
  if (fault != 0) return fault;
  family = familyOf(program);
  switch (family) {
${cases((type) => `createFamily<${type}>(numEnvs, autoreset, metrics, kernel)`)}
    default: return unknownFamily();
  }
}

function createFamily<Family>(numEnvs: u32, autoreset: u32, metrics: u32, kernel: u32): u32 {
  const fault = loadProgram<Family>(program, programBytes);
  if (fault == 0) batch.create<Family>(numEnvs, autoreset, metrics != 0, kernel);
  return fault;
}

export function reset(seedLo: u32, seedHi: u32, seeded: u32, masked: u32): void {
  switch (family) {
${cases((type) => `batch.reset<${type}>(seedLo, seedHi, seeded != 0, masked != 0)`)}
  }
}

export function step(): void {
  switch (family) {
${cases((type) => `batch.step<${type}>()`)}
  }
}

export function rollout(policy: u32, steps: u32): void {
  switch (family) {
${cases((type) => `batch.rollout<${type}>(policy, steps)`)}
  }
}
`;
}
