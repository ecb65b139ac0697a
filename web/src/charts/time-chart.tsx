/** Curves over steps: zones that say what they are, and names at the lines instead of a legend. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { palette, useTheme } from '../app/theme.js';
import { ChartTable } from './chart-table.js';
import { type Curve, formatValue, type Zone } from './curve.js';
import { nameLines, paintZones } from './paint.js';
import classes from './time-chart.module.css';

export interface TimeChartProps {
  readonly title: string;
  readonly unit: string;
  readonly curves: readonly Curve[];
  readonly zones?: readonly Zone[];
  /** The range of values that is always shown. */
  readonly range?: readonly [number, number];
  /** Steps of a whole episode. */
  readonly horizon: number;
  /** Grows with every change of the curves. */
  readonly version: number;
  /** Told which step is pointed at, null where none is. */
  readonly onCursor: (step: number | null) => void;
}

const HEIGHT = 148;
const STEPS_SHOWN_MIN = 100;

/** Charts of one page share a cursor by this name. */
const SYNC = 'steps';

export function TimeChart(props: TimeChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const theme = useTheme();
  const layout = props.curves.map(({ name, color }) => `${name} ${color}`).join();
  useEffect(() => {
    const element = host.current!;
    const chart = new uPlot(
      optionsOf(latest, element.clientWidth),
      dataOf(latest.current),
      element,
    );
    plot.current = chart;
    const observer = new ResizeObserver(() => {
      chart.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [layout, theme]);
  useEffect(() => {
    plot.current?.setData(dataOf(props));
  }, [props.version]);
  return (
    <figure className={classes['figure']}>
      <figcaption className={classes['caption']}>
        {props.title} <span className={classes['unit']}>{props.unit}</span>
      </figcaption>
      <div ref={host} className={classes['plot']} role="img" aria-label={describe(props)} />
      <ChartTable {...props} />
    </figure>
  );
}

/** A screen reader's text in place of the picture. */
function describe({ title, unit, curves, zones = [] }: TimeChartProps): string {
  const values = curves.map(({ name, track }) => {
    const last = track.values().at(-1);
    return `${name} ${last === undefined || last === null ? 'none yet' : formatValue(last)}`;
  });
  const names = zones.map(({ name }) => name);
  return [`${title}${unit === '' ? '' : `, ${unit}`}`, ...values, ...names].join('; ');
}

function dataOf({ curves }: TimeChartProps): uPlot.AlignedData {
  return [curves[0].track.positions(), ...curves.map(({ track }) => track.values())];
}

/** The episode's whole length where that is short, else a window that grows. */
function stepsShown({ horizon, curves }: TimeChartProps): number {
  if (horizon <= 2 * STEPS_SHOWN_MIN) return horizon;
  const steps = curves[0].track.length - 1;
  let shown = STEPS_SHOWN_MIN;
  while (shown < steps && shown < horizon) shown *= 2;
  return Math.min(shown, horizon);
}

/** From 0, or the least value below it, to a little above the greatest. */
function valuesShown(
  { range = [0, 0] }: TimeChartProps,
  low: number | null,
  high: number | null,
): [number, number] {
  const from = Math.min(range[0], low ?? 0);
  const to = Math.max(range[1], high ?? 0);
  const room = to > from ? 0.1 * (to - from) : 1;
  // A range that is always shown has its own ends; beyond them there is some room.
  return [from < range[0] ? from - room : from, to > range[1] || to === from ? to + room : to];
}

function optionsOf(latest: { readonly current: TimeChartProps }, width: number): uPlot.Options {
  const { curves } = latest.current;
  const colors = palette();
  const axis = {
    stroke: colors['ink-2'],
    font: '12px Inter Variable, sans-serif',
    grid: { stroke: colors['line'], width: 1 },
    ticks: { show: false },
  };
  const zones = (): readonly Zone[] => latest.current.zones ?? [];
  return {
    width,
    height: HEIGHT,
    padding: [8, 72, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: SYNC, setSeries: false },
      drag: { x: false, y: false },
      points: { size: 6 },
      y: false,
    },
    scales: {
      x: { time: false, range: () => [0, stepsShown(latest.current)] },
      y: { range: (_plot, low, high) => valuesShown(latest.current, low, high) },
    },
    axes: [
      { ...axis, size: 24, space: 60 },
      { ...axis, size: 44, space: 28 },
    ],
    series: [
      {},
      ...curves.map(({ color, isStepped, isDashed }): uPlot.Series => {
        return {
          stroke: colors[color],
          width: 1.5,
          points: { show: false },
          ...(isStepped && { paths: uPlot.paths.stepped!({ align: 1 }) }),
          ...(isDashed && { dash: [4, 4] }),
        };
      }),
    ],
    hooks: {
      drawAxes: [(plot) => paintZones(plot, zones(), colors)],
      draw: [(plot) => nameLines(plot, latest.current.curves, colors)],
      setCursor: [
        (plot) => {
          const { left = -1 } = plot.cursor;
          const step = left < 0 ? null : Math.round(plot.posToVal(left, 'x'));
          latest.current.onCursor(step);
        },
      ],
    },
  };
}
