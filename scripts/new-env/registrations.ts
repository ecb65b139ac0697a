/** Where a new family is named in the files that know all families, and by what text. */

export interface Registration {
  readonly path: string;
  /** Matches once, in the file as it is; the text goes in after the match. */
  readonly after: RegExp;
  /** With the templates' placeholders; the formatters sort imports. */
  readonly insert: string;
}

const typescript: readonly Registration[] = [
  {
    path: 'src/envs/index.ts',
    after: /^import type \{ EnvFamily \} from '\.\/family\.js';\n/gm,
    insert: "import { __camel__Family } from './__stem__.js';\n",
  },
  {
    path: 'src/envs/index.ts',
    after: /^export const families: readonly EnvFamily\[\] = \[\n(?: {2}\w+Family,\n)+/gm,
    insert: '  __camel__Family,\n',
  },
  {
    path: 'src/reference/families.ts',
    after: /^import \{ ReferenceBatch \} from '\.\/batch\.js';\n/gm,
    insert:
      'import { type __Stem__Scalars, type __Stem__Tables, __camel__Layout } ' +
      "from '../generated/__stem__.js';\n" +
      "import { __Stem__Environment } from './__stem__.js';\n",
  },
  {
    path: 'src/reference/families.ts',
    after: /^ {4}\}\n(?= {4}default: \{\n)/gm,
    insert: `    case __camel__Layout.family: {
      const program = decodeProgram<__Stem__Scalars, __Stem__Tables>(__camel__Layout, bytes);
      const environment = new __Stem__Environment(program);
      return new ReferenceBatch(__camel__Layout, program, environment, options);
    }
`,
  },
];

const rust: readonly Registration[] = [
  {
    path: 'crates/core/src/envs/mod.rs',
    after: /^(?:mod \w+;\n)+/gm,
    insert: 'mod __stem__;\n',
  },
  {
    path: 'crates/core/src/envs/mod.rs',
    after: /^use crate::generated::common::.*;\n/gm,
    insert: 'use crate::generated::__stem__::LAYOUT as __STEM__;\n',
  },
  {
    path: 'crates/core/src/envs/mod.rs',
    after: /^(?= {4}\} else \{\n {8}Err\(ProgramError::Header\(header::FAMILY\)\)\n)/gm,
    insert: `    } else if family == __STEM__.family {
        let make = __stem__::__Stem__::new;
        Ok(FamilyTask::new(&__STEM__, bytes, metrics, make)?)
`,
  },
];

const resetArguments = 'seedLo, seedHi, seeded != 0, masked != 0';

const assemblyscript: readonly Registration[] = [
  {
    after: /(?:^import \{ \w+ \} from '\.\/envs\/\w+';\n)+/gm,
    insert: importOf('__Stem__', 'envs'),
  },
  {
    after: /(?:^import \{ FAMILY as \w+ \} from '\.\/generated\/\w+';\n)+/gm,
    insert: importOf('FAMILY as __STEM__', 'generated'),
  },
  caseOf('createFamily<__Stem__>(numEnvs, autoreset, metrics, kernel)'),
  caseOf(`batch.reset<__Stem__>(${resetArguments})`),
  caseOf('batch.step<__Stem__>()'),
  caseOf('batch.rollout<__Stem__>(policy, steps)'),
].map((registration) => ({ path: 'assembly/families.ts', ...registration }));

function importOf(names: string, folder: string): string {
  return `import { ${names} } from './${folder}/__stem__';\n`;
}

/** A case after those that call the same function. */
function caseOf(call: string) {
  const name = call.slice(0, call.indexOf('<')).replace('.', '\\.');
  return {
    after: new RegExp(`(?:^ {4}case \\w+: return ${name}<.*;\\n)+`, 'gm'),
    insert: `    case __STEM__: return ${call};\n`,
  };
}

const documents: readonly Registration[] = [
  {
    path: 'README.md',
    after: /(?:^\| `\w+` \| [^|]*\? \| .*\|\n)+/gm,
    insert: '| `__stem__` | how many servers for a queue? | `base` |\n',
  },
];

/** Every edit, in the order in which they are made. */
export const registrations: readonly Registration[] = [
  ...typescript,
  ...rust,
  ...assemblyscript,
  ...documents,
];
