import * as Plot from '@observablehq/plot';
import type { ChartOptions } from './frame.js';
import {
  checkFinite,
  colorOf,
  composeSvg,
  dashOf,
  documentOf,
  FAINT_INK,
  legend,
  PAGE_MARGIN,
  plotMarkup,
} from './frame.js';

/** A line through (x[i], y[i]), with a band from lo[i] to hi[i] where both are given. */
export interface Series {
  name: string;
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  lo?: ArrayLike<number>;
  hi?: ArrayLike<number>;
}

export interface LineChartOptions extends ChartOptions {
  /** The axes' labels, with units. */
  x?: string;
  y?: string;
  /** Pixels of the plot itself, heading and legend not counted. Default 520. */
  height?: number;
}

interface Point {
  x: number;
  y: number;
  lo: number;
  hi: number;
}

/**
 * Lines over a common axis, with a legend from the second series on.
 *
 * @returns an SVG document
 * @throws RangeError for no series, lengths that differ and numbers that are not finite
 */
export function lineChart(series: readonly Series[], options: LineChartOptions = {}): string {
  if (series.length === 0) throw new RangeError('series is empty: at least one is needed');
  const document = documentOf(options);
  const { width = 1200, height = 520 } = options;
  const innerWidth = width - 2 * PAGE_MARGIN;
  const lines = series.map(pointsOf);
  const key =
    series.length > 1
      ? legend(
          series.map((line) => line.name),
          innerWidth,
        )
      : null;
  const top = key === null ? 0 : key.height + 12;
  const svg = Plot.plot({
    document,
    width: innerWidth,
    height,
    marginTop: 30,
    marginBottom: 44,
    marginLeft: 64,
    marginRight: 12,
    x: { label: options.x ?? null, nice: false },
    y: { label: options.y ?? null, nice: true },
    marks: [
      Plot.gridY({ stroke: '#d0d7de', strokeOpacity: 1, ticks: 8 }),
      Plot.axisX({ color: FAINT_INK, tickSize: 0, label: options.x ?? null }),
      Plot.axisY({ color: FAINT_INK, tickSize: 0, ticks: 8, label: options.y ?? null }),
      ...series.flatMap((line, i) => (line.lo === undefined ? [] : [drawBand(lines[i], i)])),
      ...lines.map(drawLine),
    ],
  });
  const parts = [{ x: PAGE_MARGIN, y: top, markup: plotMarkup(svg) }];
  if (key !== null) parts.push({ x: PAGE_MARGIN, y: 0, markup: key.markup });
  return composeSvg(parts, top + height, options);
}

function drawBand(points: Point[], i: number) {
  const channels = { x: 'x', y1: 'lo', y2: 'hi' };
  return Plot.areaY(points, { ...channels, fill: colorOf(i), fillOpacity: 0.16 });
}

function drawLine(points: Point[], i: number) {
  const look = { stroke: colorOf(i), strokeDasharray: dashOf(i), strokeWidth: 2.2 };
  return Plot.lineY(points, { x: 'x', y: 'y', ...look });
}

function pointsOf(series: Series): Point[] {
  const { name, x, y, lo = y, hi = y } = series;
  if ((series.lo === undefined) !== (series.hi === undefined)) {
    throw new RangeError(`series "${name}" has only one of lo and hi: a band needs both`);
  }
  if (y.length !== x.length || lo.length !== x.length || hi.length !== x.length) {
    const lengths = `${x.length}, ${y.length}, ${lo.length}, ${hi.length}`;
    throw new RangeError(`series "${name}" has lengths ${lengths}: x, y, lo, hi must agree`);
  }
  return Array.from(x, (_, i) => {
    const point = { x: x[i], y: y[i], lo: lo[i], hi: hi[i] };
    for (const [field, value] of Object.entries(point)) {
      checkFinite(value, `series "${name}", ${field}[${i}]`);
    }
    return point;
  });
}
