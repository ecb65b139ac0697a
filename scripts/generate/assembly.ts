/** The AssemblyScript side of the generator. */
import {
  type CommonSpec,
  type FamilySpec,
  HEADER,
  layoutHash,
  lengthExpression,
  type NamedDoc,
  singular,
  type TableSpec,
  upper,
} from './spec.js';

function constants(prefix: string, fields: readonly NamedDoc[], type = 'i32'): string {
  const lines = fields.map((f, i) => `export const ${prefix}_${upper(f.name)}: ${type} = ${i};`);
  return [...lines, `export const ${prefix}_COUNT: i32 = ${fields.length};`, ''].join('\n');
}

const enumConstants = (name: string, values: readonly string[]): string =>
  constants(
    upper(singular(name)),
    values.map((value) => ({ name: value })),
    'u32',
  );

export function assemblyCommon(common: CommonSpec): string {
  return [
    `// ${HEADER}`,
    `export const MAGIC: u32 = ${common.magic};`,
    `export const FORMAT_VERSION: u32 = ${common.format_version};`,
    constants('HEADER', common.header),
    constants('CHANNEL', common.channels),
    constants('STREAM', common.streams, 'u32'),
    enumConstants('autoreset', common.autoreset),
    enumConstants('policy', common.policies),
    enumConstants('action_kind', common.action_kinds),
    constants('WORD', common.words),
    constants('SCALAR', common.scalars),
    constants('TABLE', common.tables),
    constants('STATISTIC', common.statistics),
  ].join('\n');
}

const float = (x: number): string => (Number.isInteger(x) ? `${x}.0` : `${x}`);

function tableRange(table: TableSpec): string[] {
  const f32Max = '3.4028234663852886e38';
  const { min, max } = table;
  return [min === undefined ? `-${f32Max}` : float(min), max === undefined ? f32Max : float(max)];
}

/** `function name(index): type` with one case per table. */
function tableSwitch(
  family: FamilySpec,
  name: string,
  type: string,
  text: (table: TableSpec) => string,
): string {
  const at = (index: number) => `<${type}>s_${family.scalars[index]!.name}`;
  const cases = family.tables.map(
    (t, i) => `    case ${i}: return ${lengthExpression(family, text(t), at)}; // ${t.name}`,
  );
  return `export function ${name}(index: i32): ${type} {\n  switch (index) {\n${cases.join('\n')}\n    default: return 0;\n  }\n}\n`;
}

export function assemblyFamily(family: FamilySpec): string {
  const limits = Object.entries(family.limits).map(
    ([key, value]) => `export const ${upper(key)}: i32 = ${value};`,
  );
  const bounds = family.scalars.flatMap((s) => [
    float(s.min),
    float(s.max),
    s.integer ? '1.0' : '0.0',
  ]);
  const floats = family.tables.map((t) => (t.dtype === 'f32' ? '1' : '0'));
  return [
    `// ${HEADER}`,
    `export const FAMILY: u32 = ${family.family};`,
    `export const LAYOUT_HASH: u32 = ${layoutHash(family)};`,
    ...limits,
    ...Object.entries(family.enums).map(([key, values]) => enumConstants(key, values)),
    constants('SCALAR', family.scalars),
    constants('TABLE', family.tables),
    constants('WORD', family.words),
    constants('REAL', family.reals),
    constants('STATISTIC', family.statistics),
    constants('OBSERVATION', family.observations),
    constants('METRIC', family.metrics),
    constants('ACTION', family.actions),
    '/** Per scalar: least, greatest, 1 where it must be an integer. */',
    `export const SCALAR_BOUNDS: StaticArray<f64> = [${bounds.join(', ')}];`,
    '/** Per table: 1 where its elements are f32. */',
    `export const TABLE_FLOATS: StaticArray<u8> = [${floats.join(', ')}];`,
    '/** Per table of f32: least and greatest element. */',
    `export const TABLE_RANGES: StaticArray<f32> = [${family.tables.flatMap(tableRange).join(', ')}];`,
    tableSwitch(family, 'tableLength', 'i32', (t) => t.length),
    tableSwitch(family, 'tableBelow', 'u32', (t) => String(t.below ?? 4294967295)),
    ...family.scalars.map((s) => `export let s_${s.name}: f64 = 0;`),
    '',
    'export function loadScalars(at: usize): void {',
    ...family.scalars.map((s, i) => `  s_${s.name} = load<f64>(at, ${8 * i});`),
    '}',
    '',
    ...family.tables.map((t) => `export let t_${t.name}: usize = 0; // ${t.dtype}`),
    ...family.tables.map((t) => `export let n_${t.name}: i32 = 0;`),
    '',
    'export function loadTables(program: usize, directory: usize): void {',
    ...family.tables.flatMap((t, i) => [
      `  t_${t.name} = program + <usize>load<u32>(directory, ${8 * i});`,
      `  n_${t.name} = load<i32>(directory, ${8 * i + 4});`,
    ]),
    '}',
    '',
  ].join('\n');
}
