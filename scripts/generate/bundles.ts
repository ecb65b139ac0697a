/**
 * The bundles that the Python package ships: every task, and every action space of those that have
 * a choice, gzipped, with an index by which a task is found without reading them all.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  type CompiledTask,
  compileTask,
  decodeBundle,
  encodeBundle,
  listTasks,
} from '../../src/index.js';

export const BUNDLES = 'bindings/python/python/infragym/bundles';

/** The entry of a configuration that chooses between action spaces, and what it may be. */
const ENTRY = 'action_space';
const CHOICES = ['structured', 'normalised', 'discrete'];

/** A file of the package: its path, and its bytes before compression. */
export interface BundleFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Every bundle and their index. */
export function bundleFiles(): BundleFile[] {
  const files: BundleFile[] = [];
  const index = listTasks().map(({ id, aliases, description }) => {
    const task = compileTask(id);
    const own = task.config[ENTRY];
    const variants = [task, ...(typeof own === 'string' ? otherVariants(task) : [])].map((each) => {
      const choice = each.config[ENTRY] ?? null;
      const bytes = encodeBundle(each);
      const suffix = each === task ? '' : `.${choice}`;
      const file = `${id.replace('/', '-')}${suffix}.bundle.gz`;
      files.push({ path: `${BUNDLES}/${file}`, bytes });
      return { [ENTRY]: choice, file, digest: decodeBundle(bytes).digest };
    });
    return { id, aliases, description, variants };
  });
  const text = `${JSON.stringify(index, null, 1)}\n`;
  return [...files, { path: `${BUNDLES}/index.json`, bytes: new TextEncoder().encode(text) }];
}

/** A task in the action spaces that are not its own; its family refuses those it has not. */
function otherVariants({ spec, config }: CompiledTask): CompiledTask[] {
  return CHOICES.filter((choice) => choice !== config[ENTRY]).flatMap((choice) => {
    try {
      return [compileTask(spec.id, { [ENTRY]: choice })];
    } catch (error) {
      if (error instanceof RangeError) return [];
      throw error;
    }
  });
}

/** Files of the folder that no task asks for any longer. */
export function strayBundles(root: URL, files: readonly BundleFile[]): string[] {
  const folder = new URL(`${BUNDLES}/`, root);
  if (!existsSync(folder)) return [];
  const wanted = new Set(files.map(({ path }) => path));
  const paths = readdirSync(folder).map((name) => `${BUNDLES}/${name}`);
  return paths.filter((path) => !wanted.has(path));
}

/** Whether a file holds these bytes: compressors differ, so that what counts is what is inside. */
export function isCurrent(root: URL, { path, bytes }: BundleFile): boolean {
  const url = new URL(path, root);
  if (!existsSync(url)) return false;
  try {
    const stored = readFileSync(url);
    return Buffer.compare(path.endsWith('.gz') ? gunzipSync(stored) : stored, bytes) === 0;
  } catch {
    return false; // damaged: no gzip
  }
}

/** A file as it is stored. */
export function stored({ path, bytes }: BundleFile): Uint8Array {
  return path.endsWith('.gz') ? gzipSync(bytes, { level: 9 }) : bytes;
}

export const removeFile = (root: URL, path: string): void => rmSync(new URL(path, root));
