/** The picture of a run: speed by backend, cost against batch size, threads and calls. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { BACKEND_NAMES } from '../../src/backend.js';
import {
  colorOf,
  composeSvg,
  FAINT_INK,
  legend,
  PAGE_MARGIN,
  type Part,
  plotMarkup,
  textMarkup,
} from '../../src/plot/frame.js';
import { SUBJECTS } from '../definitions.js';
import { type Measurement, type Results, stepsPerSecond } from '../harness/results.js';

const WIDTH = 1400;
const GAP = 48;
const INNER = WIDTH - 2 * PAGE_MARGIN;
const HALF = (INNER - GAP) / 2;
const TITLE_HEIGHT = 34;
const LINES_HEIGHT = 380;
const BAR_HEIGHT = 24;
const LETTER_WIDTH = 7; // of most labels' letters, rounded up
const LABEL_GAP = 16;
const GRID = { stroke: '#d0d7de', strokeOpacity: 1 };

interface Panel {
  readonly title: string;
  readonly markup: string;
  readonly height: number;
}

/** An SVG document of what was measured; groups that were not are left out. */
export function drawResults(results: Results): string {
  const { measurements, machine, date, rounds } = results;
  const of = (group: string) => measurements.filter((row) => row.group === group);
  const rows: Panel[][] = [
    kernelPanels(of('kernels')),
    [...scalingPanels(of('environments').filter(({ timed }) => timed === 'step'))],
    [...threadPanels(of('threads')), ...singlePanels(of('single'))],
  ];
  const parts: Part[] = [];
  let y = 0;
  for (const panels of rows.flatMap(inTwos)) {
    panels.forEach(({ title, markup }, column) => {
      const x = PAGE_MARGIN + column * (HALF + GAP);
      parts.push({ x, y, markup: textMarkup(title, 0, 14, { size: 16, weight: 600 }) });
      parts.push({ x, y: y + TITLE_HEIGHT, markup });
    });
    y += TITLE_HEIGHT + GAP + Math.max(...panels.map(({ height }) => height));
  }
  const figures = `medians of ${rounds} rounds, thin lines and bands from min to max`;
  return composeSvg(parts, y - GAP, {
    width: WIDTH,
    title: 'InfraGym, measured',
    subtitle: `${date}, ${machine.cpu}, Node ${machine.node}; ${figures}`,
  });
}

function inTwos(panels: readonly Panel[]): Panel[][] {
  return panels.flatMap((panel, i) =>
    i % 2 === 0 ? [[panel, ...panels.slice(i + 1, i + 2)]] : [],
  );
}

function newDocument(): Document {
  return parseHTML('<!doctype html><html><body></body></html>').document;
}

/** Bars of speed with the rounds' range, one panel an environment. */
function kernelPanels(members: readonly Measurement[]): Panel[] {
  return bySubject(members, (environment, own) => {
    const bars = own.map((row) => ({ label: `${row.backend}, ${row.kernel}`, row }));
    return barPanel(`${environment}: M steps/s, 4,096 environments, one thread`, bars, {
      value: (row) => stepsPerSecond(row) / 1e6,
      range: ({ ns_min, ns_max }) => [1e3 / ns_max, 1e3 / ns_min],
    });
  });
}

function threadPanels(members: readonly Measurement[]): Panel[] {
  if (members.length === 0) return [];
  const bars = members.map((row) => {
    const threads = row.threads === 1 ? '1 thread' : `${row.threads} threads`;
    const place = row.timed === 'hold' ? ' in the core' : '';
    return { label: `${row.environment}${place}, ${threads}`, row };
  });
  return [
    barPanel('Threads: M steps/s, native, large batch', bars, {
      value: (row) => stepsPerSecond(row) / 1e6,
      range: ({ ns_min, ns_max }) => [1e3 / ns_max, 1e3 / ns_min],
    }),
  ];
}

function singlePanels(members: readonly Measurement[]): Panel[] {
  const own = members.filter(({ backend }) => backend === 'native');
  if (own.length === 0) return [];
  const names: Record<string, string> = {
    empty: 'empty call',
    step: 'VectorEnv.step',
    'env-step': 'Env.step',
  };
  const bars = own.map((row) => ({ label: `${row.environment}, ${names[row.timed]}`, row }));
  return [
    barPanel('One environment: µs a call, native', bars, {
      value: ({ ns_median }) => ns_median / 1e3,
      range: ({ ns_min, ns_max }) => [ns_min / 1e3, ns_max / 1e3],
    }),
  ];
}

interface Bar {
  readonly label: string;
  readonly row: Measurement;
}
interface BarScale {
  readonly value: (row: Measurement) => number;
  readonly range: (row: Measurement) => [number, number];
}

function barPanel(title: string, bars: readonly Bar[], { value, range }: BarScale): Panel {
  const data = bars.map(({ label, row }) => {
    const [lo, hi] = range(row);
    const color = colorOf((BACKEND_NAMES as readonly string[]).indexOf(row.backend));
    return { label, value: value(row), lo, hi, color };
  });
  const end = Math.max(...data.map(({ hi }) => hi));
  const height = bars.length * BAR_HEIGHT + 40;
  const svg = Plot.plot({
    document: newDocument(),
    width: HALF,
    height,
    marginTop: 4,
    marginBottom: 36,
    marginLeft: LABEL_GAP + LETTER_WIDTH * Math.max(...bars.map(({ label }) => label.length)),
    marginRight: 60,
    x: { domain: [0, end], nice: true, label: null },
    y: { domain: data.map(({ label }) => label), label: null, padding: 0.25 },
    marks: [
      Plot.gridX({ ...GRID, ticks: 5 }),
      Plot.axisX({ tickSize: 0, color: FAINT_INK, ticks: 5, label: null }),
      Plot.axisY({ tickSize: 0, label: null }),
      Plot.barX(data, { x: 'value', y: 'label', fill: 'color' }),
      Plot.link(data, { x1: 'lo', x2: 'hi', y1: 'label', y2: 'label', stroke: '#1f2328' }),
      Plot.text(data, {
        y: 'label',
        frameAnchor: 'right',
        textAnchor: 'end',
        dx: 56,
        text: (d: { value: number }) => String(Number(d.value.toPrecision(3))),
      }),
    ],
  });
  return { title, markup: plotMarkup(svg), height };
}

/** ns a step against the number of environments, both logarithmic. */
function scalingPanels(members: readonly Measurement[]): Panel[] {
  const serving = members.filter(({ environment }) => environment === 'serving');
  const native = members.filter(({ backend }) => backend === 'native');
  return [
    linePanel('serving: ns a step by environments in the batch', serving, ({ backend }) => backend),
    linePanel('native: ns a step by environments in the batch', native, (row) => row.environment),
  ].filter((panel) => panel !== null);
}

function linePanel(
  title: string,
  members: readonly Measurement[],
  nameOf: (row: Measurement) => string,
): Panel | null {
  const names = [...new Set(members.map(nameOf))];
  if (names.length === 0) return null;
  const [lowest, highest] = [
    Math.floor(Math.log10(Math.min(...members.map((row) => row.ns_min)))),
    Math.ceil(Math.log10(Math.max(...members.map((row) => row.ns_max)))),
  ];
  const decades = Array.from({ length: highest - lowest + 1 }, (_, i) => 10 ** (lowest + i));
  const marks = names.flatMap((name, i) => {
    const own = members.filter((row) => nameOf(row) === name);
    const stroke = colorOf(i);
    return [
      Plot.areaY(own, { x: 'envs', y1: 'ns_min', y2: 'ns_max', fill: stroke, fillOpacity: 0.16 }),
      Plot.lineY(own, { x: 'envs', y: 'ns_median', stroke, strokeWidth: 2.2 }),
      Plot.dot(own, { x: 'envs', y: 'ns_median', fill: stroke, r: 3 }),
    ];
  });
  const svg = Plot.plot({
    document: newDocument(),
    width: HALF,
    height: LINES_HEIGHT,
    marginLeft: 64,
    marginRight: 36,
    marginTop: 24,
    marginBottom: 44,
    x: { type: 'log', base: 2 },
    y: { type: 'log', domain: [decades[0], decades[decades.length - 1]] },
    marks: [
      Plot.gridY(decades, GRID),
      Plot.axisX([1, 16, 256, 4096, 65536, 1048576], {
        tickFormat: (envs: number) => envs.toLocaleString('en-US'),
        tickSize: 0,
        color: FAINT_INK,
        label: 'environments',
      }),
      Plot.axisY(decades, { tickFormat: ',', tickSize: 0, color: FAINT_INK, label: 'ns a step' }),
      ...marks,
    ],
  });
  const key = legend(names, HALF);
  const top = key.height + 8;
  const markup = `${key.markup}<g transform="translate(0,${top})">${plotMarkup(svg)}</g>`;
  return { title, markup, height: top + LINES_HEIGHT };
}

function bySubject(
  members: readonly Measurement[],
  draw: (environment: string, own: readonly Measurement[]) => Panel,
): Panel[] {
  return SUBJECTS.flatMap(({ environment }) => {
    const own = members.filter((row) => row.environment === environment);
    return own.length === 0 ? [] : [draw(environment, own)];
  });
}
