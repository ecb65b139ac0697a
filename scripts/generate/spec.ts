/** The spec files' shape, and what every target language shares. */

export interface NamedDoc {
  name: string;
  doc?: string;
  unit?: string;
}
export interface ScalarSpec extends NamedDoc {
  min: number;
  max: number;
  integer?: boolean;
  /** Where other scalars fix this one: sums and differences of products of numbers and scalars. */
  equals?: string;
}
export interface TableSpec extends NamedDoc {
  dtype: 'f32' | 'u32';
  /** A product of numbers, scalars and `pow2(scalar)`. */
  length: string;
  /** u32 tables: every element is below this number or scalar. */
  below?: number | string;
  /** f32 tables: every element lies in [min, max]. */
  min?: number;
  max?: number;
}
interface WordSpec extends NamedDoc {
  max: number | string;
}
/** An array of the state; its elements are kept together, environment by environment. */
export interface ArraySpec extends NamedDoc {
  dtype: 'u32' | 'f32' | 'f64';
  /** A product of numbers, scalars and `pow2(scalar)`. */
  length: string;
  /** u32 arrays: bound of every element, a number or a scalar. */
  max?: number | string;
}
export interface StatisticSpec extends NamedDoc {
  fold: string;
  of?: string;
  /** Bins of a `histogram`, each a slot of its own. */
  bins?: number;
}
export interface ActionSpec extends NamedDoc {
  low?: number;
  high?: number;
  integer?: boolean;
  choices?: number[];
}
interface ObservationSpec extends NamedDoc {
  low: number | null;
  high: number | null;
  scale?: number;
  variant?: string;
}
interface ChannelSpec extends NamedDoc {
  dtype: 'f32' | 'f64' | 'u32' | 'u8';
  per_env: string;
}

export interface CommonSpec {
  magic: number;
  format_version: number;
  header: NamedDoc[];
  channels: ChannelSpec[];
  streams: NamedDoc[];
  autoreset: string[];
  policies: string[];
  /** Number in a rollout of the first of a family's own policies, its enum `heuristics`. */
  first_heuristic: number;
  policy_words_max: number;
  kernels: string[];
  action_kinds: string[];
  words: WordSpec[];
  scalars: ScalarSpec[];
  tables: TableSpec[];
  statistics: StatisticSpec[];
}

export interface FamilySpec {
  family: number;
  name: string;
  version: number;
  title: string;
  /** Lists of names that become numbered constants, e.g. `phases: ["warmup", ...]`. */
  enums: Record<string, string[]>;
  /** `equals` of common scalars, by their names. */
  fixes: Record<string, string>;
  /** Scenario-free numbers every language needs (grid bounds and the like). */
  limits: Record<string, number>;
  actions: ActionSpec[];
  observations: ObservationSpec[];
  metrics: NamedDoc[];
  statistics: StatisticSpec[];
  words: WordSpec[];
  /** State whose size a task decides; none where a family has only words and reals. */
  arrays: ArraySpec[];
  reals: NamedDoc[];
  scalars: ScalarSpec[];
  tables: TableSpec[];
}

/** A family's spec with the common parts in front. */
export function mergeFamily(common: CommonSpec, family: FamilySpec): FamilySpec {
  return {
    ...family,
    enums: family.enums ?? {},
    limits: family.limits ?? {},
    arrays: (family.arrays ?? []).map((array) => ({ ...array, dtype: array.dtype ?? 'u32' })),
    scalars: fixScalars([...common.scalars, ...family.scalars], family.fixes ?? {}),
    tables: [...common.tables, ...family.tables],
    words: [...common.words, ...family.words],
    statistics: [...common.statistics, ...family.statistics.flatMap(statisticSlots)],
  };
}

function fixScalars(scalars: ScalarSpec[], fixes: Record<string, string>): ScalarSpec[] {
  return scalars.map((scalar) => {
    const equals = fixes[scalar.name] ?? scalar.equals;
    return equals === undefined ? scalar : { ...scalar, equals };
  });
}

/** Fields that get a name of their own in code, with their places: bins follow their first. */
export function namedPlaces<T extends NamedDoc>(fields: readonly T[]): [T, number][] {
  const places = fields.map((field, i): [T, number] => [field, i]);
  return places.filter(([field]) => !('fold' in field) || field.fold !== 'histogram_bin');
}

/** One slot for each bin of a histogram; the first one's fold counts for all of them. */
function statisticSlots(statistic: StatisticSpec): StatisticSpec[] {
  if (statistic.bins === undefined) return [statistic];
  return Array.from({ length: statistic.bins }, (_, bin) => ({
    ...statistic,
    name: `${statistic.name}_${bin}`,
    fold: bin === 0 ? 'histogram' : 'histogram_bin',
  }));
}

/** The parts of an array that the layout's hash depends on. */
function arrayKey({ name, dtype, length, max }: ArraySpec): (string | number)[] {
  return dtype === 'u32' ? [name, length, max ?? 4294967295] : [name, length, dtype];
}

/** FNV-1a of everything a backend's code depends on: names, their order, bounds and folds. */
export function layoutHash(family: FamilySpec): number {
  const text = JSON.stringify([
    family.family,
    family.version,
    family.enums,
    family.limits,
    family.scalars.map((s) => [s.name, s.min, s.max, s.integer ?? false, s.equals ?? '']),
    family.tables.map((t) => [t.name, t.dtype, t.length, t.below ?? '', t.min ?? '', t.max ?? '']),
    family.words.map((w) => [w.name, w.max]),
    ...(family.arrays.length === 0 ? [] : [family.arrays.map(arrayKey)]),
    family.reals.map((r) => r.name),
    family.statistics.map((s) => [s.name, s.fold, s.of ?? '']),
    family.observations.map((o) => [o.name, o.variant ?? '']),
    family.metrics.map((m) => m.name),
    family.actions.map((a) => a.name),
  ]);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash;
}

export const HEADER =
  'Generated by `npm run generate` from src/envs/<stem>/spec.json. Do not edit.';
export const upper = (name: string): string => name.toUpperCase();
export const camel = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
export const pascal = (name: string): string => {
  const text = camel(name);
  return text[0]!.toUpperCase() + text.slice(1);
};
const PLURALS: Record<string, string> = { dynamics: 'dynamics', policies: 'policy' };
/** `phases` → `phase`, `prompt_kinds` → `prompt_kind`, `dynamics` → `dynamics`. */
export const singular = (name: string): string => {
  for (const [plural, one] of Object.entries(PLURALS)) {
    if (name.endsWith(plural)) return name.slice(0, -plural.length) + one;
  }
  return name.replace(/s$/, '');
};

/** A table's length in a target language; `scalar` writes a scalar there, by position. */
export function lengthExpression(
  family: FamilySpec,
  text: string,
  scalar: (index: number) => string,
): string {
  const write = (name: string): string => {
    const index = family.scalars.findIndex((s) => s.name === name);
    if (index < 0) throw new Error(`${family.name}: length "${text}" names no scalar: ${name}`);
    return scalar(index);
  };
  return text
    .split(' * ')
    .map((term) => {
      if (/^\d+$/.test(term)) return term;
      const power = /^pow2\((\w+)\)$/.exec(term);
      return power ? `(1 << ${write(power[1]!)})` : write(term);
    })
    .join(' * ');
}

/** A scalar's needed value in a target language; `number` and `scalar` write its operands. */
export function equalsExpression(
  family: FamilySpec,
  text: string,
  number: (value: number) => string,
  scalar: (index: number) => string,
): string {
  return text
    .split(' ')
    .map((token) => {
      if (/^[-+*]$/.test(token)) return token;
      if (/^\d+(\.\d+)?$/.test(token)) return number(Number(token));
      const index = family.scalars.findIndex((s) => s.name === token);
      if (index < 0) throw new Error(`${family.name}: "${text}" names no scalar: ${token}`);
      return scalar(index);
    })
    .join(' ');
}

/** The action fields that are one of a few numbers which are not their own indices. */
export function choiceFields(
  actions: readonly ActionSpec[],
): { readonly name: string; readonly choices: readonly number[] }[] {
  return actions.flatMap(({ name, choices }) =>
    choices?.some((choice, index) => choice !== index) ? [{ name, choices }] : [],
  );
}
