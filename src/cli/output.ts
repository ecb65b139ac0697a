/** The output of commands: one JSON document or tables on stdout, everything else on stderr. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import cliProgress from 'cli-progress';

/** Thrown for what the person at the terminal has to change; exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Thrown by a command that has printed why a check failed; exit code 1. */
export class CheckFailure extends Error {
  override name = 'CheckFailure';
}

/** One JSON document. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** A line, or several, for people. */
export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** A remark that is no result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

type Cell = string | number;

/** A table with a header; columns of numbers are set flush right. */
export function formatTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const isNumeric = header.map((_, c) => rows.every((row) => /^[-−\d]|^$/.test(String(row[c]))));
  const lines = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, c) => Math.max(...lines.map((line) => line[c].length)));
  const set = (line: string[]) =>
    line
      .map((cell, c) => (isNumeric[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [set(lines[0]), rule, ...lines.slice(1).map(set)].join('\n');
}

/** Writes a file whole or not at all, its folder too. */
export function writeFileWhole(path: string, content: string | Uint8Array): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const draft = `${path}.${process.pid}.part`;
    writeFileSync(draft, content);
    renameSync(draft, path);
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${(error as Error).message}`);
  }
}

const BAR_AFTER_MS = 500;

/**
 * A progress bar on stderr: only on a terminal, and only once the work has taken half a second.
 * The cursor stays visible, so that Ctrl-C leaves the terminal as it was.
 */
export class Progress {
  private readonly began = performance.now();
  private readonly isWanted = process.stderr.isTTY;
  private bar: cliProgress.SingleBar | null = null;

  constructor(private readonly title: string) {}

  /** `share` of the work, 0 .. 1, is done; `label` says what comes. */
  update(share: number, label = ''): void {
    if (!this.isWanted || performance.now() - this.began < BAR_AFTER_MS) return;
    this.bar ??= this.begin();
    this.bar.update(share, { label });
  }

  /** Removes the bar. */
  stop(): void {
    this.bar?.stop();
    this.bar = null;
  }

  private begin(): cliProgress.SingleBar {
    const format = `${this.title} {bar} {percentage} %  {label}`;
    const bar = new cliProgress.SingleBar(
      { format, clearOnComplete: true, hideCursor: false, barsize: 28, stream: process.stderr },
      cliProgress.Presets.shades_classic,
    );
    bar.start(1, 0, { label: '' });
    return bar;
  }
}

const packageRoot = fileURLToPath(new URL('../../', import.meta.url));

/** A message with the package's own files named as from its folder. */
export function shortenPaths(message: string): string {
  return message.replaceAll(`file://${packageRoot}`, '').replaceAll(packageRoot, '');
}

/** A count with separators: 12,345. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Steps a second in three digits: 21.4 M/s, 830 k/s. */
export function formatRate(perSecond: number): string {
  const [scale, unit] = perSecond >= 1e6 ? [1e6, 'M'] : [1e3, 'k'];
  const value = perSecond / scale;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}/s`;
}
