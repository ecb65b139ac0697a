import * as Plot from '@observablehq/plot';
import type { ChartOptions, Part } from './frame.js';
import {
  checkFinite,
  colorOf,
  composeSvg,
  documentOf,
  FAINT_INK,
  LABEL_SIZE,
  PAGE_MARGIN,
  plotMarkup,
  textMarkup,
  textWidth,
} from './frame.js';

/** A policy's mean score on a task with the ends of its interval (both the mean where none is). */
export interface ScoreRow {
  task: string;
  policy: string;
  mean: number;
  lo: number;
  hi: number;
}

const ROW_HEIGHT = 26;
const PANEL_TITLE_HEIGHT = 26;
const AXIS_HEIGHT = 26;
const PANEL_GAP = 26;
const COLUMN_GAP = 44;
const VALUE_WIDTH = 52; // the column of means right of each panel

/**
 * One panel a task, one dot a policy with its 95 % interval, best first, on an axis that all
 * panels share (0 to 1 and whatever lies outside). More than three tasks take two columns.
 *
 * @returns an SVG document
 * @throws RangeError for no rows, numbers that are not finite, lo > mean or mean > hi
 */
export function scoreChart(rows: readonly ScoreRow[], options: ChartOptions = {}): string {
  checkRows(rows);
  const document = documentOf(options);
  const { width = 1200 } = options;
  const tasks = [...new Set(rows.map((row) => row.task))];
  const policies = [...new Set(rows.map((row) => row.policy))];
  const numColumns = tasks.length > 3 ? 2 : 1;
  const innerWidth = width - 2 * PAGE_MARGIN - (numColumns - 1) * COLUMN_GAP;
  const panelWidth = Math.floor(innerWidth / numColumns);
  const look: PanelLook = {
    document,
    policies,
    width: panelWidth,
    marginLeft: 14 + Math.max(...policies.map((policy) => textWidth(policy, LABEL_SIZE))),
    domain: scoreDomain(rows),
  };
  const parts: Part[] = [];
  let y = 0;
  for (let first = 0; first < tasks.length; first += numColumns) {
    const line = tasks.slice(first, first + numColumns);
    const panels = line.map((task) => rows.filter((row) => row.task === task));
    panels.forEach((panel, column) => {
      const x = PAGE_MARGIN + column * (panelWidth + COLUMN_GAP);
      parts.push({ x, y, markup: drawPanel(panel, look) });
    });
    y += PANEL_GAP + Math.max(...panels.map((panel) => panelHeight(panel.length)));
  }
  return composeSvg(parts, y - PANEL_GAP, options);
}

interface PanelLook {
  document: Document;
  policies: string[]; // their order decides their colours, in all panels
  width: number;
  marginLeft: number;
  domain: [number, number];
}

function panelHeight(numPolicies: number): number {
  return PANEL_TITLE_HEIGHT + numPolicies * ROW_HEIGHT + AXIS_HEIGHT;
}

function drawPanel(rows: ScoreRow[], look: PanelLook): string {
  const sorted = [...rows].sort((a, b) => b.mean - a.mean);
  const colors = look.policies.map((_, i) => colorOf(i));
  const svg = Plot.plot({
    document: look.document,
    width: look.width,
    height: rows.length * ROW_HEIGHT + AXIS_HEIGHT,
    marginTop: 0,
    marginBottom: AXIS_HEIGHT,
    marginLeft: look.marginLeft,
    marginRight: VALUE_WIDTH,
    x: { domain: look.domain, nice: true, label: null, ticks: 6 },
    y: { domain: sorted.map((row) => row.policy), label: null, tickSize: 0, padding: 0.5 },
    color: { domain: look.policies, range: colors },
    marks: [
      Plot.gridX({ stroke: '#d0d7de', strokeOpacity: 1, ticks: 6 }),
      Plot.axisX({ tickSize: 0, ticks: 6, color: FAINT_INK }),
      Plot.axisY({ tickSize: 0, tickPadding: 8 }),
      Plot.link(sorted, {
        x1: 'lo',
        x2: 'hi',
        y1: 'policy',
        y2: 'policy',
        stroke: 'policy',
        strokeWidth: 3,
        strokeLinecap: 'round',
        strokeOpacity: 0.45,
      }),
      Plot.dot(sorted, { x: 'mean', y: 'policy', fill: 'policy', r: 5 }),
      Plot.text(sorted, {
        y: 'policy',
        frameAnchor: 'right',
        textAnchor: 'end',
        dx: VALUE_WIDTH,
        text: (row: ScoreRow) => row.mean.toFixed(3).replace('-', '\u2212'),
        fontVariant: 'tabular-nums',
      }),
    ],
  });
  const title = textMarkup(rows[0].task, 0, 14, { size: 15, weight: 600 });
  return `${title}<g transform="translate(0,${PANEL_TITLE_HEIGHT})">${plotMarkup(svg)}</g>`;
}

/** 0 to 1, widened to the data. */
function scoreDomain(rows: readonly ScoreRow[]): [number, number] {
  const lo = Math.min(0, ...rows.map((row) => row.lo));
  const hi = Math.max(1, ...rows.map((row) => row.hi));
  return [lo, hi];
}

function checkRows(rows: readonly ScoreRow[]): void {
  if (rows.length === 0) throw new RangeError('rows is empty: at least one score is needed');
  const seen = new Set<string>();
  rows.forEach(({ task, policy, mean, lo, hi }, i) => {
    checkFinite(mean, `rows[${i}].mean`);
    checkFinite(lo, `rows[${i}].lo`);
    checkFinite(hi, `rows[${i}].hi`);
    if (lo > mean || mean > hi) {
      throw new RangeError(`rows[${i}] has lo ${lo}, mean ${mean}, hi ${hi}: they must not fall`);
    }
    const pair = JSON.stringify([task, policy]);
    if (seen.has(pair)) throw new RangeError(`rows[${i}]: ${policy} on ${task} is there already`);
    seen.add(pair);
  });
}
