/** The library as one file for pages that have no bundler of their own. */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './process.mjs';

/** The modules that lie beside the bundle, by the source that loads them. */
const modules = {
  'src/backends/wasm.ts': 'dist/wasm/web/infragym_bg.wasm',
  'src/backends/assemblyscript.ts': 'dist/assemblyscript/infragym.wasm',
};

/** Lets the bundle look for the modules beside itself, not where they lie in the package. */
const modulesBeside = {
  name: 'modules-beside',
  setup(build) {
    build.onLoad({ filter: /src[/\\]backends[/\\](wasm|assemblyscript)\.ts$/ }, ({ path }) => {
      const source = Object.keys(modules).find((file) => join(root, file) === path);
      const text = readFileSync(path, 'utf8');
      const packaged = `'../../${modules[source]}'`;
      if (!text.includes(packaged)) throw new Error(`${source} does not load ${packaged}`);
      const contents = text.replace(packaged, `'./${basename(modules[source])}'`);
      return { contents, loader: 'ts' };
    });
  },
};

/**
 * Bundles `src/index.browser.ts` into `folder` as `infragym.js`, with those WebAssembly modules
 * beside it that have been built. Fails on an import of a Node module.
 *
 * @returns the bundle's size in bytes, minified and gzipped too
 */
export async function bundleForBrowsers(folder) {
  const { build } = await import('esbuild');
  const outfile = join(folder, 'infragym.js');
  await build({
    absWorkingDir: root,
    entryPoints: ['src/index.browser.ts'],
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    plugins: [modulesBeside],
    logLevel: 'silent',
  });
  mkdirSync(folder, { recursive: true });
  for (const module of Object.values(modules)) {
    const built = join(root, module);
    if (existsSync(built)) copyFileSync(built, join(folder, basename(module)));
  }
  const bytes = readFileSync(outfile);
  return { bytes: bytes.length, gzipBytes: gzipSync(bytes, { level: 9 }).length };
}
