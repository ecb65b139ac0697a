/** The pages and their addresses. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import type { JsonObject } from '../worker/messages.js';
import { NotFound } from './not-found.js';
import { Shell } from './shell.js';

const FIRST_TASK = 'autoscaling/easy-v1';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('../play/route.js'), 'HomeRoute'),
});

const play = createRoute({
  getParentRoute: () => root,
  path: '/play',
  beforeLoad: () => {
    const [family, task] = FIRST_TASK.split('/');
    throw redirect({ to: '/play/$family/$task', params: { family, task } });
  },
});

/** The playground's address, beside the task. */
export interface PlaySearch {
  readonly seed?: string;
  readonly config?: JsonObject;
}

export const playTask = createRoute({
  getParentRoute: () => root,
  path: '/play/$family/$task',
  validateSearch: (search): PlaySearch => ({
    ...(/^\d{1,20}$/.test(String(search['seed'] ?? '')) && { seed: String(search['seed']) }),
    ...(isObject(search['config']) && { config: search['config'] }),
  }),
  component: lazyRouteComponent(() => import('../play/route.js'), 'PlayRoute'),
});

const verify = createRoute({
  getParentRoute: () => root,
  path: '/verify',
  component: lazyRouteComponent(() => import('../verify/page.js'), 'VerifyRoute'),
});

/** OpenEnv's clients look here. */
const web = createRoute({
  getParentRoute: () => root,
  path: '/web',
  component: lazyRouteComponent(() => import('../play/route.js'), 'HomeRoute'),
});

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The path below which the app lies: that of the page's <base>. */
const basepath = new URL('.', document.baseURI).pathname;

export const router = createRouter({
  routeTree: root.addChildren([home, web, play, playTask, verify]),
  basepath,
  scrollRestoration: true,
  defaultPreload: 'intent',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
