/** Who may import whom: the table of docs/ARCHITECTURE.md as a function. */
import { scriptFiles } from './files.js';
import { importsOf, resolveImport } from './typescript.js';

/** The contract a backend keeps, and what a program's bytes mean; nothing of how they are made. */
const programFormat = [
  'src/backend.ts',
  ...['layout', 'program', 'grid', 'sample'].map((name) => `src/compile/${name}.ts`),
];

const outerLayers = ['src/policies', 'src/train', 'src/server', 'src/cli'];

function layerOf(path: string): string {
  const [tree, folder, ...rest] = path.split('/');
  if (tree !== 'src') return tree!;
  return rest.length > 0 ? `src/${folder}` : path;
}

/** Why `from` may not import `to` (both repository paths), or undefined where it may. */
export function forbidden(from: string, to: string): string | undefined {
  const source = layerOf(from);
  const target = layerOf(to);
  if (source === target) return undefined;
  if (['tests', 'bench', 'scripts'].includes(target) && /^(src|assembly|web)/.test(source)) {
    return `nothing that is shipped imports ${target}`;
  }
  if (source === 'assembly') return 'assembly imports only itself';
  if (source === 'src/reference') {
    const isAllowed = programFormat.includes(to) || target === 'src/generated';
    return isAllowed
      ? undefined
      : 'src/reference imports only the backend contract and the program format';
  }
  if (source === 'src/generated') return 'generated files import only each other';
  if (outerLayers.includes(source)) {
    const isCommand = source === 'src/cli' && /^src\/(server|train)\/index\.ts$/.test(to);
    const isAllowed = to === 'src/index.ts' || isCommand;
    return isAllowed ? undefined : `${source} imports only src/index.ts`;
  }
  if (source === 'web') {
    const isAllowed = to === 'src/browser.ts' || to === 'src/server/types.ts';
    return isAllowed ? undefined : 'web imports only src/browser.ts and src/server/types.ts';
  }
  if (source.startsWith('src/') && ['src/cli', 'src/server', 'src/train'].includes(target)) {
    return `${target} is built on the library, which may not import it`;
  }
  return undefined;
}

/** Every import of the given files that breaks the table. */
export function importProblems(paths: readonly string[]): string[] {
  return paths.flatMap((from) =>
    importsOf(from).flatMap((specifier) => {
      if (!specifier.startsWith('.')) return [];
      const to = resolveImport(from, specifier);
      // What is not a file of the repository (dist, say) is judged by the compiler, not here.
      const reason = to === undefined ? undefined : forbidden(from, to);
      return reason === undefined ? [] : [`${from} imports ${to}: ${reason}`];
    }),
  );
}

/** Everything that an entry file reaches by imports, itself included. */
export function reachableFrom(entry: string): Set<string> {
  const reached = new Set([entry]);
  for (const from of reached) {
    for (const specifier of importsOf(from)) {
      const to = specifier.startsWith('.') ? resolveImport(from, specifier) : undefined;
      if (to !== undefined && /\.tsx?$/.test(to)) reached.add(to);
    }
  }
  return reached;
}

/** The npm packages that the library imports, `node:` modules left out. */
export function importedPackages(): Set<string> {
  const sources = scriptFiles.filter((path) => path.startsWith('src/'));
  const names = sources.flatMap(importsOf).filter((name) => !/^(\.|node:)/.test(name));
  return new Set(names.map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)![0]));
}
