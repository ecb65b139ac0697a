/** Pictures for people, as SVG text. Needs a document: a browser's, or that of `plot/node.ts`. */
export type { ChartOptions } from './frame.js';
export { type LineChartOptions, lineChart, type Series } from './lines.js';
export { type ScoreRow, scoreChart } from './scores.js';
