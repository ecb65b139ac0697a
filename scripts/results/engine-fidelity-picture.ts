/** Measured against simulated over load, a panel for each sweep and metric. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { FidelityMetric } from '../../src/envs/engine/measured.js';
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
import { sweepOf } from './engine-fidelity-page.js';
import type { Compared } from './llm-engine-runs.js';

const WIDTH = 1400;
const GAP = 28;
const HEIGHT = 190;
const TITLE_HEIGHT = 30;
const SHOWN = [
  { metric: 'ttft', label: 'TTFT mean, s' },
  { metric: 'tpot', label: 'TPOT mean, s' },
  { metric: 'e2e', label: 'E2E mean, s' },
] as const satisfies readonly { metric: FidelityMetric; label: string }[];
const PANEL = (WIDTH - 2 * PAGE_MARGIN - (SHOWN.length - 1) * GAP) / SHOWN.length;

/** An SVG document: a row for each sweep of several loads. */
export function drawFidelity(compared: readonly Compared[]): string {
  const sweeps = new Map<string, Compared[]>();
  for (const c of compared) sweeps.set(sweepOf(c), [...(sweeps.get(sweepOf(c)) ?? []), c]);
  const key = legend(['measured', 'simulated'], WIDTH - 2 * PAGE_MARGIN);
  const parts: Part[] = [{ x: PAGE_MARGIN, y: 0, markup: key.markup }];
  let y = key.height + 16;
  for (const [name, runs] of sweeps) {
    if (runs.length < 3) continue;
    const title = textMarkup(name.split('/').at(-1)!, 0, 14, { size: 15, weight: 600 });
    parts.push({ x: PAGE_MARGIN, y, markup: title });
    SHOWN.forEach(({ metric, label }, column) => {
      const x = PAGE_MARGIN + column * (PANEL + GAP);
      parts.push({ x, y: y + TITLE_HEIGHT, markup: panel(runs, metric, label) });
    });
    y += TITLE_HEIGHT + HEIGHT + 12;
  }
  return composeSvg(parts, y, {
    width: WIDTH,
    title: 'The engine, simulated and measured',
    subtitle: 'means of every run over the offered load, requests/s; logarithmic times',
  });
}

function panel(runs: readonly Compared[], metric: FidelityMetric, label: string): string {
  const points = runs
    .map((c) => ({
      load: Number.parseFloat(c.run.row['load'] ?? ''),
      measured: c.measured[metric].mean,
      simulated: c.simulated[metric].mean,
    }))
    .sort((a, b) => a.load - b.load);
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    document,
    width: PANEL,
    height: HEIGHT,
    marginTop: 22,
    marginBottom: 30,
    marginLeft: 56,
    marginRight: 8,
    x: { label: null },
    y: { type: 'log', nice: true, label: null },
    marks: [
      Plot.gridY({ stroke: '#d0d7de', strokeOpacity: 1, ticks: 4 }),
      Plot.axisX({ color: FAINT_INK, tickSize: 0, ticks: 8, label: 'requests/s' }),
      Plot.axisY({ color: FAINT_INK, tickSize: 0, ticks: 4, label, tickFormat: '~g' }),
      Plot.line(points, { x: 'load', y: 'simulated', stroke: colorOf(1), strokeWidth: 2.2 }),
      Plot.dot(points, { x: 'load', y: 'measured', fill: colorOf(0), r: 3.6 }),
    ],
  });
  return plotMarkup(svg);
}
