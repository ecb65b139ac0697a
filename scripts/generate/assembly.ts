/** The AssemblyScript side of the generator. */
import {
  type ActionSpec,
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

function constants(prefix: string, fields: readonly NamedDoc[], type = 'i32'): string {
  const lines = namedPlaces(fields).map(
    ([f, i]) => `export const ${prefix}_${upper(f.name)}: ${type} = ${i};`,
  );
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
    `export const FIRST_HEURISTIC: u32 = ${common.first_heuristic};`,
    `export const POLICY_WORDS_MAX: u32 = ${common.policy_words_max};`,
    constants('HEADER', common.header),
    constants('CHANNEL', common.channels),
    constants('STREAM', common.streams, 'u32'),
    enumConstants('autoreset', common.autoreset),
    enumConstants('policy', common.policies),
    enumConstants('kernel', common.kernels),
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
  const head = `export function ${name}(index: i32): ${type} {\n  switch (index) {`;
  return [head, ...cases, '    default: return 0;', '  }', '}', ''].join('\n');
}

/** One statement that folds a step into a statistic, or none for the slot behind a mean. */
function foldStatement(family: FamilySpec, index: number): string[] {
  const { name, fold, of } = family.statistics[index]!;
  const commonValues: Record<string, string> = {
    episode_return: '<f64>Out.reward',
    episode_cost: '<f64>Out.cost',
  };
  const metric = family.metrics.findIndex((m) => m.name === of);
  const value = metric < 0 ? (commonValues[name] ?? '1') : `metricOf(metrics, ${metric})`;
  const slot = `at, ${index}`;
  switch (fold) {
    case 'sum':
      return [`    foldSum(${slot}, ${value}); // ${name}`];
    case 'max':
      return [`    foldMax(${slot}, ${value}, step); // ${name}`];
    case 'welford_mean':
      return [`    foldWelford(${slot}, ${value}, step); // ${name}`];
    case 'delta_mean':
      return [`    foldDelta(${slot}, ${value} - previousOf(${metric}), step); // ${name}`];
    case 'histogram':
      return [`    foldHistogram(${slot}, ${value}); // ${name}`];
    default:
      return [];
  }
}

/** Where each array of the state begins, in bytes from `arraysOf(i)`; f64, `realArraysOf(i)`. */
function arrayOffsets(family: FamilySpec): string[] {
  return [
    'let numArrayElements: i32 = 0;',
    'let numRealArrayElements: i32 = 0;',
    ...family.arrays.map(({ name }) => `export let a_${name}: usize = 0;`),
  ];
}

function arrayLoads(family: FamilySpec): string[] {
  if (family.arrays.length === 0) return [];
  const scalar = (index: number) => `<i32>s_${family.scalars[index]!.name}`;
  const loads = family.arrays.map(({ name, dtype, length }) => {
    const elements = lengthExpression(family, length, scalar);
    const [bytes, end] = dtype === 'f64' ? [8, 'realEnd'] : [4, 'end'];
    return `  a_${name} = <usize>(${bytes} * ${end}); ${end} += ${elements};`;
  });
  const ends = ['  let end: i32 = 0;', '  let realEnd: i32 = 0;'];
  return [...ends, ...loads, '  numArrayElements = end;', '  numRealArrayElements = realEnd;'];
}

/** The layout as a class: what is generic over families is compiled once for each. */
function layoutClass(family: FamilySpec): string {
  const member = (name: string, type: string, value: string) =>
    `  get ${name}(): ${type} { return ${value}; }`;
  return [
    '/** The form of a program and the state of this family; its environment extends it. */',
    'export class Layout {',
    member('hash', 'u32', 'LAYOUT_HASH'),
    member('numScalars', 'i32', 'SCALAR_COUNT'),
    member('numTables', 'i32', 'TABLE_COUNT'),
    member('numWords', 'i32', 'WORD_COUNT'),
    member('numArrayElements', 'i32', 'numArrayElements'),
    member('numRealArrayElements', 'i32', 'numRealArrayElements'),
    member('numReals', 'i32', 'REAL_COUNT'),
    member('numStatistics', 'i32', 'STATISTIC_COUNT'),
    member('numMetrics', 'i32', 'METRIC_COUNT'),
    '  /** Per scalar: least, greatest, 1 where it must be an integer. */',
    member('scalarBounds', 'usize', 'changetype<usize>(SCALAR_BOUNDS)'),
    '  /** Per table: 1 where its elements are f32. */',
    member('tableFloats', 'usize', 'changetype<usize>(TABLE_FLOATS)'),
    '  /** Per table of f32: least and greatest element. */',
    member('tableRanges', 'usize', 'changetype<usize>(TABLE_RANGES)'),
    '  tableLength(index: i32): i32 { return tableLength(index); }',
    '  tableBelow(index: i32): u32 { return tableBelow(index); }',
    '  loadScalars(at: usize): void { loadScalars(at); }',
    '  disagreeingScalar(): i32 { return disagreeingScalar(); }',
    '  loadTables(program: usize, directory: usize): void { loadTables(program, directory); }',
    '  /** Folds step number `step` of an episode into the statistics at `at`. */',
    '  foldStatistics(at: usize, metrics: usize, step: u32): void {',
    ...family.statistics.flatMap((_, i) => foldStatement(family, i)),
    '  }',
    '}',
    '',
  ].join('\n');
}

/** A function that gives the first scalar that is not what the others fix it to be, or -1. */
function disagreement(family: FamilySpec): string[] {
  const write = (text: string) =>
    equalsExpression(family, text, float, (i) => `s_${family.scalars[i]!.name}`);
  return [
    'export function disagreeingScalar(): i32 {',
    ...family.scalars.flatMap((s, i) =>
      s.equals ? [`  if (s_${s.name} != ${write(s.equals)}) return ${i};`] : [],
    ),
    '  return -1;',
    '}',
    '',
  ];
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
  const ranges = family.tables.flatMap(tableRange).join(', ');
  const floats = family.tables.map((t) => (t.dtype === 'f32' ? '1' : '0'));
  return [
    `// ${HEADER}`,
    "import { Out } from '../outputs';",
    'import {',
    '  foldDelta, foldHistogram, foldMax, foldSum, foldWelford, metricOf, previousOf,',
    "} from '../statistics';",
    '',
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
    choiceLists(family.actions),
    '/** Per scalar: least, greatest, 1 where it must be an integer. */',
    `export const SCALAR_BOUNDS: StaticArray<f64> = [${bounds.join(', ')}];`,
    '/** Per table: 1 where its elements are f32. */',
    `export const TABLE_FLOATS: StaticArray<u8> = [${floats.join(', ')}];`,
    '/** Per table of f32: least and greatest element. */',
    `export const TABLE_RANGES: StaticArray<f32> = [${ranges}];`,
    tableSwitch(family, 'tableLength', 'i32', (t) => t.length),
    tableSwitch(family, 'tableBelow', 'u32', (t) => String(t.below ?? 4294967295)),
    ...family.scalars.map((s) => `export let s_${s.name}: f64 = 0;`),
    '',
    ...arrayOffsets(family),
    '',
    'export function loadScalars(at: usize): void {',
    ...family.scalars.map((s, i) => `  s_${s.name} = load<f64>(at, ${8 * i});`),
    ...arrayLoads(family),
    '}',
    '',
    ...disagreement(family),
    ...family.tables.map((t) => `export let t_${t.name}: usize = 0; // ${t.dtype}`),
    '',
    'export function loadTables(program: usize, directory: usize): void {',
    ...family.tables.map(
      (t, i) => `  t_${t.name} = program + <usize>load<u32>(directory, ${8 * i});`,
    ),
    '}',
    '',
    layoutClass(family),
  ].join('\n');
}

/** The values of action fields that are one of a few numbers, ascending, as f32 in memory. */
function choiceLists(actions: readonly ActionSpec[]): string {
  return choiceFields(actions)
    .map(({ name, choices }) => {
      const values = choices.join(', ');
      return `export const ${upper(name)}_CHOICES = memory.data<f32>([${values}]);`;
    })
    .join('\n');
}
