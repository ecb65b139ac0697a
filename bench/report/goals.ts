/**
 * The expectations of the measurements: data, and how a goal's figure is read from a run. Ratios
 * are between things timed in the same rounds; absolute goals are meant for a quiet current core.
 */
import { BATCH_ENVS, LARGE_ENVS, SUBJECTS } from '../definitions.js';
import type { Measurement, Results } from '../harness/results.js';
import { median, pairedRatio } from '../harness/statistics.js';
import { count } from './markdown.js';

interface Goal {
  readonly name: string;
  readonly unit: '×' | 'M steps/s' | 'µs';
  readonly atLeast?: number;
  readonly atMost?: number;
  /** The figure, or null where the run has not measured what it needs. */
  readonly figure: (results: Results) => number | null;
}

/** A goal and what came of it; `figure` and `isMet` are null where the run has not measured it. */
interface GoalRow {
  readonly name: string;
  readonly wanted: string;
  readonly figure: string | null;
  readonly isMet: boolean | null;
}

type Choice = Partial<Measurement>;

const NATIVE = { timed: 'step', backend: 'native', kernel_asked: 'auto' } as const;
/** Ways through many steps: a call a step, as learners go, or all in one call of the core. */
const WAYS = [
  ['step', 'a call a step'],
  ['hold', 'steps in the core'],
] as const;
type Way = (typeof WAYS)[number];

/** A peer by its id in `bench/peers`, and how many times as fast an environment is to be. */
interface PeerGoal {
  readonly environment: string;
  readonly id: string;
  readonly name: string;
  readonly atLeast: number;
}

const GYMNASIUM = { id: 'gymnasium-numpy', name: 'Gymnasium CartPole in NumPy' };

export const PEER_GOALS: readonly PeerGoal[] = [
  { environment: 'serving', id: 'serving-scipy', name: 'NumPy/SciPy serving', atLeast: 34000 },
  { environment: 'serving', id: 'serving-numba', name: 'Numba serving', atLeast: 15 },
  { environment: 'serving', ...GYMNASIUM, atLeast: 2.5 },
  { environment: 'serving', id: 'gymnax', name: 'gymnax CartPole', atLeast: 3.5 },
  { environment: 'autoscaling', ...GYMNASIUM, atLeast: 4.5 },
  { environment: 'provisioning', ...GYMNASIUM, atLeast: 4.5 },
];

const GOALS: readonly Goal[] = [
  ...PEER_GOALS.flatMap((goal) => WAYS.map((way) => againstPeer(goal, way))),
  againstNative('wasm', 'Rust WASM', 0.25),
  againstNative('assemblyscript', 'AssemblyScript', 0.2),
  ...SUBJECTS.flatMap(({ environment }) => WAYS.map((way) => twoThreads(environment, way))),
  ...SUBJECTS.map(({ environment }) => sameInstructions(environment)),
  ...['serving', 'autoscaling', 'provisioning'].flatMap((environment) =>
    WAYS.map((way) => flatCost(environment, way)),
  ),
  {
    name: 'one serving environment: a step in a loop, native',
    unit: 'µs',
    atMost: 0.4,
    figure: (results) => scaled(find(results, { ...NATIVE, group: 'single' }), 1e-3),
  },
  absolute('serving', 'native', 60),
  absolute('serving', 'wasm', 16),
  absolute('serving', 'assemblyscript', 13),
  absolute('serving', 'reference', 2),
  absolute('autoscaling', 'native', 100),
  absolute('provisioning', 'native', 100),
  absolute('scheduling', 'native', 5),
];

/** Every goal with its figure in a run. */
export function goalRows(results: Results): GoalRow[] {
  return GOALS.map((goal) => {
    const { name, unit, atLeast, atMost } = goal;
    const bounds = [
      ...(atLeast === undefined ? [] : [`≥ ${count(atLeast)}`]),
      ...(atMost === undefined ? [] : [`≤ ${count(atMost)}`]),
    ];
    const wanted = `${bounds.join(' and ')} ${unit}`;
    const figure = goal.figure(results);
    if (figure === null) return { name, wanted, figure: null, isMet: null };
    const isMet = figure >= (atLeast ?? -Infinity) && figure <= (atMost ?? Infinity);
    return { name, wanted, figure: `${count(Number(figure.toPrecision(3)))} ${unit}`, isMet };
  });
}

function againstPeer({ environment, id, name, atLeast }: PeerGoal, [timed, words]: Way): Goal {
  return {
    name: `${environment}, native, ${words} ÷ ${name}`,
    unit: '×',
    atLeast,
    figure: (results) => {
      const ours = find(results, { ...NATIVE, timed, group: 'peers', environment });
      const theirs = results.peers.find((peer) => peer.id === id);
      if (ours === undefined || theirs === undefined) return null;
      const ns = theirs.steps_per_second_rounds.map((rate) => 1e9 / rate);
      return pairedRatio(ns, ours.ns_rounds);
    },
  };
}

function againstNative(backend: string, name: string, atLeast: number): Goal {
  const choice = { ...NATIVE, group: 'kernels', environment: 'serving' };
  return {
    name: `serving, ${name} ÷ native`,
    unit: '×',
    atLeast,
    figure: (results) => speedup(find(results, { ...choice, backend }), find(results, choice)),
  };
}

function twoThreads(environment: string, [timed, words]: Way): Goal {
  const choice = { ...NATIVE, timed, group: 'threads', environment };
  return {
    name: `${environment}, native, ${words}: two threads ÷ one`,
    unit: '×',
    atLeast: 1.6,
    figure: (results) => {
      const [two, one] = [2, 1].map((threads) => find(results, { ...choice, threads }));
      return speedup(two, one);
    },
  };
}

function sameInstructions(environment: string): Goal {
  return {
    name: `${environment}, instructions with two threads ÷ one`,
    unit: '×',
    atLeast: 0.97,
    atMost: 1.03,
    figure: ({ instructions }) => {
      const rows = instructions.filter((row) => row.environment === environment);
      const two = rows.find(({ threads }) => threads === 2);
      const one = rows.find(({ threads, envs }) => threads === 1 && envs === two?.envs);
      if (two === undefined || one === undefined) return null;
      return two.instructions_per_step / one.instructions_per_step;
    },
  };
}

/** The dearest of the batches from 1,024 to 1,048,576 environments ÷ the cheapest. */
function flatCost(environment: string, [timed, words]: Way): Goal {
  return {
    name: `${environment}, native, ${words}: dearest ÷ cheapest, 1,024 to 1 M environments`,
    unit: '×',
    atMost: 1.25,
    figure: ({ measurements }) => {
      const rows = measurements.filter(
        (row) =>
          row.envs >= LARGE_ENVS &&
          fits(row, { ...NATIVE, timed, group: 'environments', environment }),
      );
      if (!rows.some(({ envs }) => envs === 2 ** 20)) return null;
      const first = rows[0].ns_rounds;
      const costs = rows.map(({ ns_rounds }) => pairedRatio(ns_rounds, first));
      return Math.max(...costs) / Math.min(...costs);
    },
  };
}

function absolute(environment: string, backend: string, atLeast: number): Goal {
  const choice = { ...NATIVE, group: 'kernels', environment, backend, envs: BATCH_ENVS };
  return {
    name: `${environment}, ${backend}, one core, ${BATCH_ENVS} environments`,
    unit: 'M steps/s',
    atLeast,
    figure: (results) => {
      const found = find(results, choice);
      return found === undefined ? null : 1e3 / median(found.ns_rounds);
    },
  };
}

function find({ measurements }: Results, choice: Choice): Measurement | undefined {
  return measurements.find((row) => fits(row, choice));
}

function fits(row: Measurement, choice: Choice): boolean {
  return Object.entries(choice).every(([name, value]) => row[name as keyof Measurement] === value);
}

function speedup(fast: Measurement | undefined, slow: Measurement | undefined): number | null {
  if (fast === undefined || slow === undefined) return null;
  return pairedRatio(slow.ns_rounds, fast.ns_rounds);
}

function scaled(row: Measurement | undefined, factor: number): number | null {
  return row === undefined ? null : row.ns_median * factor;
}
