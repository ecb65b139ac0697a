/** Fills the part of docs/PERFORMANCE.md between its marks from the committed run. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from '../harness/library.js';
import { readResults } from './compare.js';
import { resultsText } from './report.js';

const DOCUMENT = resolve(ROOT, 'docs/PERFORMANCE.md');
const RESULTS = resolve(ROOT, 'bench/results/bench.json');
const BEGIN = '<!-- results: filled by npm run bench -- --write-docs -->';
const END = '<!-- end of results -->';

/** The text with what is between the marks replaced. @throws Error where a mark is missing. */
export function withResults(text: string, results: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/PERFORMANCE.md lacks ${BEGIN} or ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n${results}\n${text.slice(end)}`;
}

/** The document as it is, and as the committed results would have it. */
export function renewedDocument(): { current: string; renewed: string } {
  const current = readFileSync(DOCUMENT, 'utf8');
  const results = readResults(readFileSync(RESULTS, 'utf8'));
  return { current, renewed: withResults(current, resultsText(results)) };
}

export function writeDocument(): void {
  writeFileSync(DOCUMENT, renewedDocument().renewed);
}
