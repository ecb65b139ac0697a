/** The web app: its files, and one document at every address that is a page. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyReply } from 'fastify';
import type { App } from '../sessions/routes.js';

/** Where the build target `web` puts the app; the same from `src` and from `dist`. */
const FOLDER = fileURLToPath(new URL('../../../dist/web', import.meta.url));

/** Addresses of pages: what the app's router knows, and `/web`, where OpenEnv's clients look. */
export const PAGES = [
  '/',
  '/web',
  '/play',
  '/play/*',
  '/learn',
  '/compare',
  '/compare/*',
  '/experiments',
  '/experiments/*',
  '/verify',
  '/docs',
  '/docs/*',
  '/demo',
] as const;

/** Nothing from other hosts, nothing inline; WebAssembly needs a permission of its own. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
].join('; ');

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  // Shared memory is for pages that no other origin can look into.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
};

const YEAR_S = 31_536_000;

const NOT_BUILT = 'The web app has not been built: run npm run build.\n';

/**
 * Adds the app, before the limit on requests is: a page is some twenty files. They need no token,
 * for they are no secret, and a browser must load them before it can say who it is.
 *
 * @param folder of the built app
 */
export async function addWeb(app: App, folder = FOLDER): Promise<void> {
  const isBuilt = existsSync(`${folder}/index.html`);
  await app.register(async (scope: App) => {
    scope.addHook('onRequest', async (_request, reply) => {
      reply.headers(HEADERS);
    });
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, isPublic: true };
    });
    const document = isBuilt ? readFileSync(`${folder}/index.html`, 'utf8') : null;
    for (const page of PAGES) {
      scope.get(page, async (request, reply) => sendPage(reply, document, request.url));
    }
    if (isBuilt) await addFiles(scope, folder);
  });
}

async function addFiles(scope: App, folder: string): Promise<void> {
  await scope.register(fastifyStatic, {
    root: folder,
    index: false,
    wildcard: false,
    preCompressed: true,
    cacheControl: false,
    setHeaders(reply, path) {
      // Files in assets/ have their content's hash in their name.
      const isHashed = path.slice(folder.length).startsWith('/assets/');
      reply.setHeader('cache-control', isHashed ? `max-age=${YEAR_S}, immutable` : 'no-cache');
    },
  });
}

function sendPage(reply: FastifyReply, document: string | null, url: string) {
  if (document === null) return reply.code(503).type('text/plain').send(NOT_BUILT);
  const html = document.replace('<base href="/"', `<base href="${baseOf(url)}"`);
  return reply.header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(html);
}

/** The app's root, relative to an address of the server: so it holds below a proxy's prefix too. */
export function baseOf(url: string): string {
  const [path] = url.split('?', 1);
  return '../'.repeat(path.split('/').length - 2) || './';
}
