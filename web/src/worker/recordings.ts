/** The tables and recordings that tasks name, fetched when a task names one. */
import {
  decodeDemand,
  decodePerfTable,
  decodeTraffic,
  type JsonObject,
  readRateTrace,
  registerDemandSamples,
  registerRateTrace,
  registerTable,
  registerTraffic,
} from '../../../src/index.browser.js';

const files = import.meta.glob<string>(
  [
    '../../../data/tables/*.json',
    '../../../data/traffic/*.json',
    '../../../data/demand/*.json',
    '../../../data/rates/*.csv',
  ],
  { query: '?url', import: 'default', eager: true },
);

const RATE_SOURCE = { source: 'data/rates/README.md', licence: 'may be freely redistributed' };

const register: Readonly<Record<string, (name: string, text: string) => void>> = {
  tables: (name, text) => registerTable(name, decodePerfTable(text)),
  traffic: (name, text) => registerTraffic(name, decodeTraffic(text)),
  demand: (name, text) => registerDemandSamples(name, decodeDemand(text)),
  rates: (name, text) => registerRateTrace(name, readRateTrace(text, { name, ...RATE_SOURCE })),
};

const fetched = new Map<string, Promise<void>>();

/** Fetches and registers what any text in the configurations names. */
export async function fetchRecordings(...configs: readonly JsonObject[]): Promise<void> {
  const texts = new Set(configs.flatMap(textsIn));
  const named = Object.keys(files).filter((path) => texts.has(nameOf(path)));
  await Promise.all(named.map(fetchOnce));
}

function fetchOnce(path: string): Promise<void> {
  const known = fetched.get(path);
  if (known !== undefined) return known;
  const loading = fetchFile(path).catch((error: unknown) => {
    fetched.delete(path);
    throw error;
  });
  fetched.set(path, loading);
  return loading;
}

async function fetchFile(path: string): Promise<void> {
  const response = await fetch(new URL(files[path], import.meta.url));
  if (!response.ok) throw new Error(`${nameOf(path)} cannot be fetched (HTTP ${response.status})`);
  const folder = path.split('/').at(-2)!;
  register[folder](nameOf(path), await response.text());
}

const nameOf = (path: string): string => path.replace(/^.*\//, '').replace(/\.\w+$/, '');

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
