/** The web app as the server serves it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { afterAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/server/sessions/routes.js';
import { addWeb, baseOf, PAGES } from '../../src/server/web/routes.js';
import { get, testServer } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'infragym-web-'));
mkdirSync(join(folder, 'assets'));
writeFileSync(join(folder, 'index.html'), '<head><base href="/" /></head>');
writeFileSync(join(folder, 'goldens.json'), '{}');
writeFileSync(join(folder, 'assets/index-abc.js'), 'export {};');
afterAll(() => rmSync(folder, { recursive: true }));

async function appOf(root: string): Promise<App> {
  const app = Fastify() as unknown as App;
  await addWeb(app, root);
  afterAll(() => app.close());
  return app;
}

describe('the web app', () => {
  it('finds its root from any address, below any prefix', () => {
    expect(baseOf('/')).toBe('./');
    expect(baseOf('/verify?x=/a/b')).toBe('./');
    expect(baseOf('/play/autoscaling/easy-v1')).toBe('../../');
    expect(baseOf('/docs/')).toBe('../');
  });

  it('answers every page with its document, under a policy without inline code', async () => {
    const app = await appOf(folder);
    for (const page of PAGES) {
      const { status, body, headers } = await get(app, page.replace('*', 'a/b'));
      expect(status).toBe(200);
      expect(body).toMatch(/<base href="(\.\/|(\.\.\/)+)"/);
      expect(headers['content-security-policy']).toMatch("default-src 'self'");
      expect(headers['content-security-policy']).not.toMatch('unsafe-inline');
      expect(headers['cross-origin-embedder-policy']).toBe('require-corp');
    }
  });

  it('lets browsers keep what has its hash in its name, and ask for the rest', async () => {
    const app = await appOf(folder);
    const hashed = await get(app, '/assets/index-abc.js');
    expect(hashed.headers['cache-control']).toMatch('immutable');
    expect((await get(app, '/goldens.json')).headers['cache-control']).toBe('no-cache');
    expect((await get(app, '/assets/../../package.json')).status).toBe(404);
  });

  it('says so where it has not been built', async () => {
    const { status, body } = await get(await appOf(join(folder, 'none')), '/play');
    expect(status).toBe(503);
    expect(body).toMatch('npm run build');
  });

  it('asks for no token and counts towards no limit, and leaves the API alone', async () => {
    const app = await testServer({ token: 'secret', rateLimit: 2 });
    for (let i = 0; i < 5; i++) expect([200, 503]).toContain((await get(app, '/verify')).status);
    expect((await get(app, '/tasks')).status).toBe(401);
  });
});
