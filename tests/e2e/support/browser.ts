/** Debian's Chromium, driven by Playwright, and a server of the tests' own that it looks at. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { type ServerProcess, startServer } from '../../server/process.js';

/** Where a browser may lie; the first that exists is taken. */
const PROGRAMS = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].filter((path): path is string => path !== undefined);

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The browser's program, or undefined where none is installed. */
export const browserProgram: string | undefined = PROGRAMS.find((path) => existsSync(path));

export interface WebTest {
  /** The server's address, without a slash at its end. */
  readonly base: string;
  readonly server: ServerProcess;
  readonly browser: Browser;
  /** A page of a context of its own. What it complains of on its console fails the test file. */
  open(path: string, options?: BrowserContextOptions): Promise<Page>;
}

/** A server and a browser for a test file. */
export function webTest(): WebTest {
  const state: { server?: ServerProcess; browser?: Browser } = {};
  const complaints: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'infragym-e2e-'));
  beforeAll(async () => {
    state.server = await startServer({ dataDir: folder, backend: 'auto' });
    state.browser = await chromium.launch({ executablePath: browserProgram!, args: FLAGS });
  });
  afterAll(async () => {
    await state.browser?.close();
    await state.server?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
    expect(complaints).toEqual([]);
  });
  return {
    get base() {
      return state.server!.base;
    },
    get server() {
      return state.server!;
    },
    get browser() {
      return state.browser!;
    },
    async open(path, options = {}) {
      const viewport = { width: 1440, height: 900 };
      const context = await state.browser!.newContext({ viewport, ...options });
      const page = await context.newPage();
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(new URL(path, state.server!.base).href);
      return page;
    },
  };
}
