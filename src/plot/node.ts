/** Charts without a browser: linkedom's document for the SVG, resvg and a bundled font for PNG. */
import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import { parseHTML } from 'linkedom';
import type { ChartOptions } from './frame.js';
import type { LineChartOptions, Series } from './lines.js';
import { lineChart as drawLines } from './lines.js';
import type { ScoreRow } from './scores.js';
import { scoreChart as drawScores } from './scores.js';

type WithoutDocument<Options> = Omit<Options, 'document'>;

/** `scoreChart` of plot.ts in a document of its own. */
export function scoreChart(
  rows: readonly ScoreRow[],
  options: WithoutDocument<ChartOptions> = {},
): string {
  return drawScores(rows, { ...options, document: newDocument() });
}

/** `lineChart` of plot.ts in a document of its own. */
export function lineChart(
  series: readonly Series[],
  options: WithoutDocument<LineChartOptions> = {},
): string {
  return drawLines(series, { ...options, document: newDocument() });
}

/**
 * Renders an SVG document as PNG bytes, `scale` pixels for each of its own (default 2, sharp on
 * today's screens). Text is set in Inter from its npm package, since a server may have no fonts
 * and resvg would then leave all text out without a word.
 */
export function renderPng(svg: string, scale = 2): Uint8Array {
  if (!(scale > 0 && scale <= 8)) {
    throw new RangeError(`scale is ${scale}: a number above 0 and up to 8 is needed`);
  }
  const font = { loadSystemFonts: false, fontFiles: fontFiles(), defaultFontFamily: 'Inter' };
  return new Resvg(svg, { font, fitTo: { mode: 'zoom', value: scale } }).render().asPng();
}

function newDocument(): Document {
  return parseHTML('<!doctype html><html><body></body></html>').document;
}

function fontFiles(): string[] {
  const { resolve } = createRequire(import.meta.url);
  return ['400Regular', '600SemiBold'].map((style) => {
    return resolve(`@expo-google-fonts/inter/${style}/Inter_${style}.ttf`);
  });
}
