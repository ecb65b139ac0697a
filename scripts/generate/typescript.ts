/** The TypeScript side of the generator. */
import {
  type ActionSpec,
  type ArraySpec,
  type CommonSpec,
  camel,
  choiceFields,
  equalsExpression,
  type FamilySpec,
  HEADER,
  layoutHash,
  lengthExpression,
  type NamedDoc,
  namedPlaces,
  type ScalarSpec,
  type StatisticSpec,
  singular,
  type TableSpec,
  upper,
} from './spec.js';

const quote = (value: unknown): string => JSON.stringify(value);

/** `export const word = { seedLo: 0, … } as const;` */
function indexObject(name: string, fields: readonly NamedDoc[], doc: string): string {
  const lines = namedPlaces(fields).map(([field, i]) => `  ${camel(field.name)}: ${i},`);
  return `/** ${doc} */\nexport const ${name} = {\n${lines.join('\n')}\n} as const;\n`;
}

function enumObject(name: string, values: readonly string[]): string {
  const named = values.map((value) => ({ name: value }));
  const one = camel(singular(name));
  const list = `export const ${one}Names = ${quote(values)} as const;\n`;
  return indexObject(one, named, `Indices of ${name}.`) + list;
}

export function typescriptCommon(common: CommonSpec): string {
  const channels = common.channels.map(
    (c) => `  { name: ${quote(camel(c.name))}, dtype: ${quote(c.dtype)} },`,
  );
  return [
    `// ${HEADER}`,
    `export const MAGIC = ${common.magic};`,
    `export const FORMAT_VERSION = ${common.format_version};`,
    `export const FIRST_HEURISTIC = ${common.first_heuristic};`,
    `export const POLICY_WORDS_MAX = ${common.policy_words_max};`,
    `export const headerNames = ${quote(common.header.map((h) => h.name))} as const;`,
    indexObject('header', common.header, 'Indices of the header words.'),
    indexObject('channel', common.channels, 'Indices of the channels.'),
    `export const channels = [\n${channels.join('\n')}\n] as const;`,
    indexObject('stream', common.streams, 'Counter words of the random streams.'),
    enumObject('autoreset_modes', common.autoreset),
    enumObject('core_policies', common.policies),
    enumObject('kernels', common.kernels),
    enumObject('action_kinds', common.action_kinds),
  ].join('\n');
}

export function typescriptIndex(families: readonly FamilySpec[]): string {
  const imports = families.map((f) => `import { ${camel(f.name)}Layout } from './${f.name}.js';`);
  const names = families.map((f) => `${camel(f.name)}Layout`).join(', ');
  return [
    `// ${HEADER}`,
    `import type { Layout } from '../program/layout.js';`,
    ...imports,
    '',
    `export const layouts: readonly Layout[] = [${names}];`,
    '',
  ].join('\n');
}

function fieldInterface(name: string, fields: readonly NamedDoc[], type: (f: never) => string) {
  const lines = fields.map((field) => {
    const unit = field.unit ? ` [${field.unit}]` : '';
    return `  /** ${field.doc ?? ''}${unit} */\n  ${camel(field.name)}: ${type(field as never)};`;
  });
  return `export interface ${name} {\n${lines.join('\n')}\n}\n`;
}

function tableObject(family: FamilySpec, table: TableSpec): string {
  const at = (index: number) => `s[${index}]!`;
  const length = lengthExpression(family, table.length, at);
  const below = lengthExpression(family, String(table.below ?? 4294967296), at);
  const { name, dtype, min, max, doc } = table;
  const range = `min: ${min ?? '-Infinity'}, max: ${max ?? 'Infinity'}`;
  const head = `name: ${quote(name)}, dtype: ${quote(dtype)}`;
  const sizes = `length: (s) => ${length}, below: (s) => ${below}`;
  return `    { ${head}, ${sizes}, ${range}, doc: ${quote(doc ?? '')} },`
    .replaceAll('(s) => 4294967296', '() => 4294967296')
    .replace(/\(s\) => ([\d *]+),/g, '() => $1,');
}

function arrayObject(family: FamilySpec, array: ArraySpec): string {
  const { name, dtype, length, doc } = array;
  const max = array.max ?? (dtype === 'u32' ? 4294967295 : Infinity);
  const elements = lengthExpression(family, length, (index) => `s[${index}]!`);
  const parameter = elements.includes('s[') ? 's' : '';
  const size = `length: (${parameter}) => ${elements}`;
  const head = `name: ${quote(name)}, dtype: ${quote(dtype)}`;
  const bound = max === Infinity ? 'Infinity' : quote(max);
  return `    { ${head}, ${size}, max: ${bound}, doc: ${quote(doc ?? '')} },`;
}

/** A function of the scalars; one that reads none takes none. */
const arrow = (body: string): string => `${body.includes('s[') ? '(s)' : '()'} => ${body}`;

function scalarObject(family: FamilySpec, s: ScalarSpec): string {
  const { name, min, max } = s;
  const row = { name, min, max, integer: s.integer ?? false, unit: s.unit ?? '', doc: s.doc ?? '' };
  const equals = s.equals ? equalsExpression(family, s.equals, String, (i) => `s[${i}]!`) : '';
  return `    { ...${quote(row)}, equals: ${equals ? arrow(equals) : 'null'} },`
    .replace('...{', '')
    .replace('}, equals', ', equals');
}

/** A statistic as a row of the layout; a histogram as its first bin and all that follow. */
function statisticRows([s]: [StatisticSpec, number]): string {
  const row = { name: s.name, fold: s.fold, of: s.of ?? '', doc: s.doc ?? '' };
  if (s.bins === undefined) return `    ${quote(row)},`;
  const stem = s.name.replace(/_0$/, '');
  const rest = `...${quote(row)}, name: \`${stem}_\${i + 1}\`, fold: 'histogram_bin' as const`;
  const others = `Array.from({ length: ${s.bins - 1} }, (_, i) => ({ ${rest} }))`;
  return `    ${quote(row)},\n    ...${others},`;
}

function layoutObject(family: FamilySpec): string {
  const list = (rows: readonly object[]): string =>
    `[\n${rows.map((row) => `    ${quote(row)},`).join('\n')}\n  ]`;
  const text = (f: NamedDoc) => ({ unit: f.unit ?? '', doc: f.doc ?? '' });
  const scalars = family.scalars.map((s) => scalarObject(family, s));
  const tables = family.tables.map((t) => tableObject(family, t));
  const words = family.words.map((w) => ({ name: w.name, max: w.max, doc: w.doc ?? '' }));
  const named = (f: NamedDoc) => ({ name: f.name, doc: f.doc ?? '' });
  const observations = family.observations.map((o) => ({
    name: o.name,
    low: o.low,
    high: o.high,
    scale: o.scale ?? 1,
    variant: o.variant ?? '',
    ...text(o),
  }));
  return [
    `export const ${camel(family.name)}Layout: Layout = {`,
    `  family: ${family.family},`,
    `  name: ${quote(family.name)},`,
    `  version: ${family.version},`,
    `  title: ${quote(family.title)},`,
    `  heuristics: ${quote(family.enums['heuristics'] ?? [])},`,
    `  hash: ${layoutHash(family)},`,
    `  scalars: [\n${scalars.join('\n')}\n  ],`,
    `  tables: [\n${tables.join('\n')}\n  ],`,
    `  words: ${list(words)},`,
    family.arrays.length === 0
      ? '  arrays: [],'
      : `  arrays: [\n${family.arrays.map((a) => arrayObject(family, a)).join('\n')}\n  ],`,
    `  reals: ${list(family.reals.map(named))},`,
    `  statistics: [\n${namedPlaces(family.statistics).map(statisticRows).join('\n')}\n  ],`,
    `  actions: ${list(family.actions.map((a) => ({ ...a, ...text(a) })))},`,
    `  observations: ${list(observations)},`,
    `  metrics: ${list(family.metrics.map(named))},`,
    '};',
  ].join('\n');
}

export function typescriptFamily(family: FamilySpec): string {
  const name = family.name[0]!.toUpperCase() + family.name.slice(1);
  const enums = Object.entries(family.enums).map(([key, values]) => enumObject(key, values));
  const limits = Object.entries(family.limits).map(
    ([key, value]) => `export const ${upper(key)} = ${value};`,
  );
  return [
    `// ${HEADER}`,
    `import type { Layout } from '../program/layout.js';`,
    '',
    ...limits,
    ...enums,
    fieldInterface(`${name}Scalars`, family.scalars, () => 'number'),
    fieldInterface(`${name}Tables`, family.tables, (t: { dtype: string }) =>
      t.dtype === 'f32' ? 'Float32Array' : 'Uint32Array',
    ),
    indexObject('word', family.words, 'Slots of the u32 state.'),
    indexObject('real', family.reals, 'Slots of the f64 state.'),
    indexObject('statistic', family.statistics, 'Slots of the episode statistics.'),
    indexObject('observation', family.observations, 'Positions in an observation row.'),
    indexObject('metric', family.metrics, 'Positions in a metrics row.'),
    indexObject('action', family.actions, 'Positions in a structured action row.'),
    choiceLists(family.actions),
    layoutObject(family),
    '',
  ].join('\n');
}

/** The values of action fields that are one of a few numbers, ascending. */
function choiceLists(actions: readonly ActionSpec[]): string {
  return choiceFields(actions)
    .map(
      ({ name, choices }) =>
        `export const ${upper(name)}_CHOICES = [${choices.join(', ')}] as const;`,
    )
    .join('\n');
}

/** `src/generated/version.ts`, for those who cannot read package.json: a page, a bundle. */
export function typescriptVersion(version: string): string {
  return `// Generated by \`npm run generate\` from package.json. Do not edit.

/** The version of the package. */
export const VERSION = '${version}';
`;
}
