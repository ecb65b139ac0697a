/** Fills the part of docs/PERFORMANCE.md between its marks from the newest committed run. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT } from '../harness/library.js';
import { readResults } from './compare.js';
import { resultsText } from './report.js';

const DOCUMENT = resolve(ROOT, 'docs/PERFORMANCE.md');
/** Committed runs, a folder for each day: `2026-11-21/bench.json`, `.md` and `.png`. */
export const RECORD = 'bench/record';
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
  const run = newestRun();
  const results = readResults(readFileSync(resolve(ROOT, run, 'bench.json'), 'utf8'));
  const picture = `![Speed by backend, batch size, threads and calls](../${run}/bench.png)`;
  return { current, renewed: withResults(current, `${picture}\n\n${resultsText(results)}`) };
}

/** The folder of the newest run, by its date. */
function newestRun(): string {
  const days = readdirSync(resolve(ROOT, RECORD)).filter((name) => /^\d{4}-\d\d-\d\d$/.test(name));
  const newest = days.sort().at(-1);
  if (newest === undefined) throw new Error(`${RECORD} has no run: npm run bench -- --record`);
  return join(RECORD, newest);
}

export function writeDocument(): void {
  writeFileSync(DOCUMENT, renewedDocument().renewed);
}
