/** The Rust side of the generator. */
import {
  type ActionSpec,
  type ArraySpec,
  type CommonSpec,
  choiceFields,
  equalsExpression,
  type FamilySpec,
  HEADER,
  layoutHash,
  lengthExpression,
  type NamedDoc,
  namedPlaces,
  singular,
  type TableSpec,
  upper,
} from './spec.js';

const PRELUDE = [
  `//! ${HEADER}`,
  '#![cfg_attr(rustfmt, rustfmt_skip)]',
  '#![allow(dead_code, unused_parens)]',
  '',
].join('\n');

function module(name: string, fields: readonly NamedDoc[], doc: string, type = 'usize'): string {
  const lines = namedPlaces(fields).map(
    ([field, i]) =>
      `    /// ${field.doc ?? field.name}\n    pub const ${upper(field.name)}: ${type} = ${i};`,
  );
  const count = `    pub const COUNT: usize = ${fields.length};`;
  return `/// ${doc}\npub mod ${name} {\n${[...lines, count].join('\n')}\n}\n`;
}

const enumModule = (name: string, values: readonly string[]): string =>
  module(
    singular(name),
    values.map((value) => ({ name: value })),
    `Indices of ${name}.`,
    // Fields are positions in a part of a row, other lists are numbers in programs and state.
    name.endsWith('_fields') ? 'usize' : 'u32',
  );

export function rustCommon(common: CommonSpec): string {
  const headerNames = common.header.map((field) => `"${field.name}"`);
  return [
    PRELUDE,
    `pub const MAGIC: u32 = ${common.magic};`,
    `pub const FORMAT_VERSION: u32 = ${common.format_version};`,
    `pub const FIRST_HEURISTIC: u32 = ${common.first_heuristic};`,
    `pub const POLICY_WORDS_MAX: usize = ${common.policy_words_max};`,
    `pub const HEADER_NAMES: [&str; ${headerNames.length}] = [${headerNames.join(', ')}];`,
    module('header', common.header, 'Indices of the header words.'),
    module('channel', common.channels, 'Indices of the channels.'),
    module('stream', common.streams, 'Counter words of the random streams.', 'u32'),
    enumModule('autoreset', common.autoreset),
    enumModule('policy', common.policies),
    enumModule('kernel', common.kernels),
    enumModule('action_kind', common.action_kinds),
    module('word', common.words, 'u32 state slots every environment has.'),
    module('scalar', common.scalars, 'Scalars every program starts with.'),
    module('table', common.tables, 'Tables every program starts with.'),
    module('statistic', common.statistics, 'Statistics every environment keeps.'),
  ].join('\n');
}

export function rustModule(families: readonly FamilySpec[]): string {
  const modules = families.map((f) => `pub mod ${f.name};`).join('\n');
  const layouts = families.map((f) => `&${f.name}::LAYOUT`).join(', ');
  return [
    PRELUDE,
    'pub mod common;',
    modules,
    '',
    'use crate::program::Layout;',
    '',
    '/// The layout of every family.',
    `pub const LAYOUTS: [&Layout; ${families.length}] = [${layouts}];`,
    '',
  ].join('\n');
}

function scalarStruct(family: FamilySpec): string {
  const fields = family.scalars.map((s) => `    /// ${s.doc ?? s.name}\n    pub ${s.name}: f64,`);
  const reads = family.scalars.map((s, i) => `            ${s.name}: values[${i}],`);
  return [
    '/// The scalar block by name.',
    '#[derive(Clone, Debug)]',
    `pub struct Scalars {\n${fields.join('\n')}\n}`,
    'impl Scalars {',
    '    pub fn new(values: &[f64]) -> Self {',
    `        Self {\n${reads.join('\n')}\n        }`,
    '    }',
    '}',
    '',
  ].join('\n');
}

function tableStruct(family: FamilySpec): string {
  const fields = family.tables.map(
    (t) => `    /// ${t.doc ?? t.name}\n    pub ${t.name}: Vec<${t.dtype}>,`,
  );
  const reads = family.tables.map(
    (t, i) => `            ${t.name}: program.table_${t.dtype}(${i}),`,
  );
  return [
    '/// The tables by name.',
    '#[derive(Clone, Debug)]',
    `pub struct Tables {\n${fields.join('\n')}\n}`,
    'impl Tables {',
    '    pub fn new(program: &crate::program::Program) -> Self {',
    `        Self {\n${reads.join('\n')}\n        }`,
    '    }',
    '}',
    '',
  ].join('\n');
}

/** The state's arrays by name: their sizes, and slices of one environment's. */
function arrayStructs(family: FamilySpec): string[] {
  const { arrays } = family;
  if (arrays.length === 0) return [];
  const each = (write: (name: string) => string) =>
    arrays.map(({ name }) => write(name)).join('\n');
  const sizes = arrays.map(({ name, length }) => {
    const elements = lengthExpression(family, length, (index) => `(s[${index}] as usize)`);
    return `            ${name}: ${elements},`;
  });
  const reals = arrays.filter(({ dtype }) => dtype === 'f64');
  const words = arrays.filter(({ dtype }) => dtype !== 'f64');
  const total = (part: ArraySpec[]) => part.map(({ name }) => `self.${name}`).join(' + ') || '0';
  const field = ({ name, dtype, doc }: ArraySpec) =>
    `    /// ${doc}\n    pub ${name}: &'a mut [${dtype}],`;
  const isWhole = reals.length > 0 ? ['        debug_assert!(real_elements.is_empty());'] : [];
  return [
    '/// Elements of each array of the state.',
    `#[derive(Clone, Debug)]\npub struct ArraySizes {\n${each((n) => `    pub ${n}: usize,`)}\n}`,
    "/// One environment's arrays.",
    `pub struct Arrays<'a> {`,
    ...arrays.map(field),
    '}',
    'impl ArraySizes {',
    '    pub fn new(s: &[f64]) -> Self {',
    `        Self {\n${sizes.join('\n')}\n        }`,
    '    }',
    '    /// Elements of all arrays of u32 and f32 of one environment.',
    '    pub fn total(&self) -> usize {',
    `        ${total(words)}`,
    '    }',
    ...realTotal(reals, total),
    "    /// Cuts one environment's elements into its arrays.",
    '    #[inline(always)]',
    `    pub fn split<'a>(${splitParameters(reals.length > 0)}) -> Arrays<'a> {`,
    ...words.flatMap((array) => splitOff(array, 'elements')),
    ...reals.flatMap((array) => splitOff(array, 'real_elements')),
    '        debug_assert!(elements.is_empty());',
    ...isWhole,
    `        Arrays { ${arrays.map(({ name }) => name).join(', ')} }`,
    '    }',
    '}',
    '',
  ];
}

function realTotal(reals: ArraySpec[], total: (part: ArraySpec[]) => string): string[] {
  if (reals.length === 0) return [];
  return [
    '    /// Elements of all arrays of f64 of one environment.',
    '    pub fn real_total(&self) -> usize {',
    `        ${total(reals)}`,
    '    }',
  ];
}

function splitParameters(hasReals: boolean): string {
  const real = hasReals ? ", real_elements: &'a mut [f64]" : '';
  return `&self, elements: &'a mut [u32]${real}`;
}

function splitOff({ name, dtype }: ArraySpec, from: string): string[] {
  const cut = `        let (${name}, ${from}) = ${from}.split_at_mut(self.${name});`;
  if (dtype !== 'f32') return [cut];
  return [cut, `        let ${name} = crate::store::floats(${name});`];
}

const float = (x: number): string => (Number.isInteger(x) ? `${x}.0` : `${x}`);

function tableField(family: FamilySpec, table: TableSpec): string {
  const at = (index: number) => `s[${index}] as usize`;
  const closure = (text: string, type: string) => {
    const product = text.includes(' * ') || text.includes('pow2');
    const body = lengthExpression(family, text, product ? (i) => `(${at(i)})` : at);
    const cast = type === 'usize' ? body : body.replace('as usize', `as ${type}`);
    return `|${body.includes('s[') ? 's' : '_'}| ${cast}`;
  };
  const length = closure(table.length, 'usize');
  const below = closure(String(table.below ?? 4294967295), 'u32');
  const min = table.min === undefined ? 'f32::MIN' : float(table.min);
  const max = table.max === undefined ? 'f32::MAX' : float(table.max);
  const kind = `name: "${table.name}", float: ${table.dtype === 'f32'}`;
  const bounds = `below: ${below}, min: ${min}, max: ${max}`;
  return `TableField { ${kind}, length: ${length}, ${bounds} }`;
}

/** Pairs of a scalar's position and what it must equal. */
function equalsList(family: FamilySpec): string {
  const closure = (text: string) => {
    const body = equalsExpression(family, text, float, (i) => `s[${i}]`);
    return `|${body.includes('s[') ? 's' : '_'}| ${body}`;
  };
  return family.scalars
    .flatMap((s, i) => (s.equals ? [`(${i}, ${closure(s.equals)})`] : []))
    .join(', ');
}

function layoutConst(family: FamilySpec): string {
  const scalars = family.scalars.map((s) => {
    const range = `min: ${float(s.min)}, max: ${float(s.max)}`;
    const field = `name: "${s.name}", ${range}, integer: ${s.integer ?? false}`;
    return `        ScalarField { ${field} },`;
  });
  const tables = family.tables.map((t) => `        ${tableField(family, t)},`);
  return [
    '/// The form of a program of this family.',
    'pub const LAYOUT: Layout = Layout {',
    `    family: ${family.family},`,
    `    name: "${family.name}",`,
    `    hash: ${layoutHash(family)},`,
    `    scalars: &[\n${scalars.join('\n')}\n    ],`,
    `    tables: &[\n${tables.join('\n')}\n    ],`,
    `    equals: &[${equalsList(family)}],`,
    '};',
  ].join('\n');
}

export function rustFamily(family: FamilySpec): string {
  const limits = Object.entries(family.limits).map(
    ([key, value]) => `pub const ${upper(key)}: usize = ${value};`,
  );
  return [
    PRELUDE,
    'use crate::program::{Layout, ScalarField, TableField};',
    '',
    ...limits,
    ...Object.entries(family.enums).map(([key, values]) => enumModule(key, values)),
    scalarStruct(family),
    tableStruct(family),
    module('scalar', family.scalars, 'Positions in the scalar block.'),
    module('table', family.tables, 'Positions in the table directory.'),
    module('word', family.words, 'Slots of the u32 state.'),
    ...arrayStructs(family),
    module('real', family.reals, 'Slots of the f64 state.'),
    module('statistic', family.statistics, 'Slots of the episode statistics.'),
    module('observation', family.observations, 'Positions in an observation row.'),
    module('metric', family.metrics, 'Positions in a metrics row.'),
    module('action', family.actions, 'Positions in a structured action row.'),
    choiceLists(family.actions),
    layoutConst(family),
    '',
  ].join('\n');
}

/** The values of action fields that are one of a few numbers, ascending. */
function choiceLists(actions: readonly ActionSpec[]): string {
  const float = (value: number) => (Number.isInteger(value) ? `${value}.0` : String(value));
  return choiceFields(actions)
    .map(({ name, choices }) => {
      const type = `[f32; ${choices.length}]`;
      return `pub const ${upper(name)}_CHOICES: ${type} = [${choices.map(float).join(', ')}];`;
    })
    .join('\n');
}
