/** Writes a run's document, report and picture. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderPng } from '../../src/plot/node.js';
import type { Results } from '../harness/results.js';
import { drawResults } from './picture.js';
import { resultsText } from './report.js';

/** Returns the path of the document. */
export function saveResults(results: Results, directory: string): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'bench.json');
  writeFileSync(path, `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(directory, 'bench.md'), resultsText(results));
  if (results.measurements.length > 0) {
    writeFileSync(join(directory, 'bench.png'), renderPng(drawResults(results), 1.5));
  }
  return path;
}
