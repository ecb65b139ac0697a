/** Units of recorded signals: what a name says, and the one unit that each becomes. */

/** How values of a unit become values of the canonical one. */
export interface UnitForm {
  /** Canonical: `requests/s`, `cores`, `bytes`, `s`, `ratio`, `replicas`. */
  readonly unit: string;
  readonly factor: number;
  /** True where a value counts what happened in the time until the next one. */
  readonly isCount: boolean;
}

const form = (unit: string, factor = 1, isCount = false): UnitForm => ({ unit, factor, isCount });

/** Units by what people call them. */
export const UNITS: Readonly<Record<string, UnitForm>> = {
  requests: form('requests/s', 1, true),
  count: form('requests/s', 1, true),
  'requests/s': form('requests/s'),
  rps: form('requests/s'),
  'requests/min': form('requests/s', 1 / 60),
  rpm: form('requests/s', 1 / 60),
  cores: form('cores'),
  millicores: form('cores', 1e-3),
  bytes: form('bytes'),
  kib: form('bytes', 2 ** 10),
  mib: form('bytes', 2 ** 20),
  gib: form('bytes', 2 ** 30),
  mb: form('bytes', 1e6),
  gb: form('bytes', 1e9),
  s: form('s'),
  ms: form('s', 1e-3),
  ratio: form('ratio'),
  percent: form('ratio', 1e-2),
  replicas: form('replicas'),
  tokens: form('tokens/s', 1, true),
  'tokens/s': form('tokens/s'),
};

/** Names in snake_case, as `plainName` gives them; the first that fits decides. */
const PATTERNS: readonly [RegExp, string][] = [
  [/(tokens|tok)(_per_|\/|_)s(ec(ond)?)?$|^tps$/, 'tokens/s'],
  [/(^|_)(rps|qps|reqps)$|(_per_|\/)s(ec(ond)?)?$|req_s$|req\/s$|(^|_)rate$/, 'requests/s'],
  [/(^|_)rpm$|(_per_|\/)min(ute)?$/, 'requests/min'],
  [/percent|(^|_)pct$|%/, 'percent'],
  [/(^|_)millicores?$|cpu_milli$|(^|_)mcores?$/, 'millicores'],
  [/(^|_)(replicas?|pods?|instances?|nodes)$/, 'replicas'],
  [/(latency|duration|wait|ttft|tpot|e2e|time).*_ms|_ms(_|$)|millis/, 'ms'],
  [/(latency|duration|wait|ttft|tpot|e2e)|_seconds?$|_s$/, 's'],
  [/(^|_)mib$|memory_mib/, 'mib'],
  [/(^|_)gib$/, 'gib'],
  [/(^|_)gb$/, 'gb'],
  [/(^|_)mb$/, 'mb'],
  [/bytes|(^|_)mem(ory)?($|_usage|_working)/, 'bytes'],
  [/(^|_)cpu($|_|s$)|cores?$/, 'cores'],
  [/utili[sz]ation|ratio|_usage$/, 'ratio'],
  [/request|invocation|(^|_)(count|hits|calls|arrivals|events|sum|total|jobs)$/, 'requests'],
];

/** The unit that a column's name tells, or null. */
export function unitOfName(plain: string): string | null {
  return PATTERNS.find(([pattern]) => pattern.test(plain))?.[1] ?? null;
}

const QUANTITY = /^([+-]?\d+(?:\.\d+)?)(n|u|m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity, `250m` or `1.5Gi`, as a number; NaN for anything else. */
export function parseQuantity(text: string): number {
  const m = text.length <= 32 ? QUANTITY.exec(text.trim()) : null;
  if (m === null) return Number.NaN;
  return Number(m[1]) * (m[2] ? SUFFIXES[m[2]] : 1);
}
