/** Who may import whom: the picture of docs/ARCHITECTURE.md as a table, and no circle in it. */
import { scriptFiles } from './files.js';
import { importsOf, resolveImport } from './typescript.js';

/** The rooms of `src` by height: a file imports its own room and lower ones. */
const floors: readonly (readonly string[])[] = [
  ['src/base', 'src/generated'],
  ['src/backend.ts', 'src/program', 'src/spaces'],
  ['src/data'],
  ['src/compile', 'src/hpa', 'src/reference'],
  ['src/envs', 'src/backends', 'src/train/learner'],
  ['src/api'],
  ['src/check', 'src/evaluation', 'src/plot', 'src/verify'],
  ['src/library.ts'],
  ['src/export', 'src/policies', 'src/train'],
  ['src/index.ts', 'src/index.browser.ts'],
  ['src/server'],
  ['src/cli'],
];

/** Neighbours on one floor of which the first may import the second. */
const neighbours: readonly (readonly [string, string])[] = [
  // The native learner is in the native backend's addon.
  ['src/train/learner', 'src/backends'],
  // Trained policies are made known to `createPolicy`.
  ['src/train', 'src/policies'],
  ['src/export', 'src/train'],
];

/** All that a room may import. */
const narrow: Readonly<Record<string, readonly string[]>> = {
  assembly: ['assembly'],
  web: ['web', 'src/index.browser.ts', 'src/server/types.ts'],
  // The specification of what a step computes: the contract, the program's format and no more.
  'src/reference': ['src/reference', 'src/backend.ts', 'src/program', 'src/generated'],
};

/** The rooms that are built on the library: they import it, not the rooms below it. */
const guests = ['src/export', 'src/policies', 'src/train'];
/** The rooms that are built on what a user of the package has. */
const hosts = ['src/server', 'src/cli'];
const library = floors.findIndex((floor) => floor.includes('src/library.ts'));

function roomOf(path: string): string {
  const [tree, folder] = path.split('/');
  if (tree !== 'src') return tree!;
  // The learner is arithmetic, like a backend: what trains uses it, and it knows no environment.
  if (path.startsWith('src/train/learner/')) return 'src/train/learner';
  return `src/${folder}`;
}

function floorOf(room: string): number {
  return floors.findIndex((floor) => floor.includes(room));
}

/** Why `from` may not import `to` (both repository paths), or undefined where it may. */
export function forbidden(from: string, to: string): string | undefined {
  const source = roomOf(from);
  const target = roomOf(to);
  const isShipped = /^(src|assembly|web)/.test(source);
  if (source === target || !isShipped) return undefined;
  const only = narrow[source];
  if (only !== undefined) {
    const isAllowed = only.some((path) => to === path || target === path);
    return isAllowed ? undefined : `${source} imports only ${only.join(', ')}`;
  }
  const height = floorOf(source);
  if (height < 0) return `${source} has no place in tests/tidy/imports.ts`;
  const below = floorOf(target);
  if (below < 0) return `nothing that is shipped imports ${target}`;
  const isLearner = target === 'src/train/learner';
  if (guests.includes(source) && below < library && !isLearner) {
    return `${source} is built on src/library.ts and imports it, not ${target}`;
  }
  if (hosts.includes(source) && below <= library) {
    return `${source} is built on src/index.ts and imports it, not ${target}`;
  }
  if (below < height) return undefined;
  if (neighbours.some(([a, b]) => a === source && b === target)) return undefined;
  return `${source} stands below ${target} or beside it`;
}

/** The repository's files that a file imports. */
function importedFiles(from: string): string[] {
  return importsOf(from).flatMap((specifier) => {
    // A path outside of the repository's files (dist, say) is judged by the compiler, not here.
    const to = specifier.startsWith('.') ? resolveImport(from, specifier) : undefined;
    return to === undefined ? [] : [to];
  });
}

/** Every import of the given files that breaks the table. */
export function importProblems(paths: readonly string[]): string[] {
  return paths.flatMap((from) =>
    importedFiles(from).flatMap((to) => {
      const reason = forbidden(from, to);
      return reason === undefined ? [] : [`${from} imports ${to}: ${reason}`];
    }),
  );
}

/** Circles of imports among the given files, each as its files from the first in the alphabet. */
export function importCircles(
  paths: readonly string[],
  imports: (path: string) => readonly string[] = importedFiles,
): string[] {
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const found = new Set<string>();
  const visit = (path: string) => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      const circle = trail.slice(trail.indexOf(path));
      const first = circle.indexOf([...circle].sort()[0]!);
      found.add([...circle.slice(first), ...circle.slice(0, first)].join(' → '));
      return;
    }
    state.set(path, 'open');
    trail.push(path);
    for (const next of imports(path)) visit(next);
    trail.pop();
    state.set(path, 'done');
  };
  for (const path of paths) visit(path);
  return [...found].sort();
}

/** Everything that an entry file reaches by imports, itself included. */
export function reachableFrom(entry: string): Set<string> {
  const reached = new Set([entry]);
  for (const from of reached) {
    for (const to of importedFiles(from)) if (/\.tsx?$/.test(to)) reached.add(to);
  }
  return reached;
}

/** The npm packages that the library imports, `node:` modules left out. */
export function importedPackages(): Set<string> {
  const sources = scriptFiles.filter((path) => path.startsWith('src/'));
  const names = sources.flatMap(importsOf).filter((name) => !/^(\.|node:)/.test(name));
  return new Set(names.map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)![0]));
}
