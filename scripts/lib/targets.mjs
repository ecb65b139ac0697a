/**
 * The build targets. Each has `inputs` (what its fingerprint covers), `outputs` (what must exist
 * for it to be up to date), `missing()` (why this machine cannot build it and what would add it,
 * or undefined), `tools()` (the versions that shape its output) and `build(echo)`.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { delimiter, dirname, join, relative, sep } from 'node:path';
import { bundleForBrowsers } from './bundle.mjs';
import { findProgram, outputOf, root, run } from './process.mjs';

const rustInputs = ['Cargo.toml', 'Cargo.lock', 'crates', '.cargo', 'rust-toolchain.toml'];
const otherFolders = ['.build', 'assemblyscript', 'browser', 'native', 'wasm', 'web'];
const noCargo = 'cargo is not on PATH; https://rustup.rs installs it';

/** Runs a step of a build; a failure carries the program's whole output. */
async function step(program, args, options) {
  const { code, output } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} (exit ${code})\n${output}`);
  return output;
}

function nodeTool(name, script) {
  const file = join(root, 'node_modules', script);
  if (!existsSync(file)) throw new Error(`${name} is not installed; run npm install`);
  return file;
}

function packageVersion(name) {
  const file = join(root, 'node_modules', name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : 'absent';
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(file) : [file];
  });
}

/** Removes what tsc wrote for sources that are gone, so that nothing can import it any more. */
function removeStale(emitted) {
  const dist = join(root, 'dist');
  for (const file of filesBelow(dist)) {
    const isOther = otherFolders.includes(relative(dist, file).split(sep)[0]);
    if (!isOther && !emitted.has(file)) rmSync(file);
  }
}

/** The files below dist/ that package.json promises to those who import the package. */
function exportedFiles() {
  const manifest = readFileSync(join(root, 'package.json'), 'utf8');
  const files = manifest.match(/(?<="\.\/)dist\/[^"*]+(?=")/g) ?? [];
  return [...new Set(files)];
}

const ts = {
  inputs: ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json'],
  outputs: [...exportedFiles(), 'dist/cli/main.js'],
  missing: () => undefined,
  tools: () => `typescript ${packageVersion('typescript')}`,
  async build(echo) {
    const tsc = nodeTool('typescript', 'typescript/bin/tsc');
    const args = [tsc, '-p', 'tsconfig.build.json', '--listEmittedFiles', '--pretty', 'false'];
    const output = await step(process.execPath, args, { echo });
    const emitted = output.split('\n').filter((line) => line.startsWith('TSFILE: '));
    removeStale(new Set(emitted.map((line) => join(line.slice('TSFILE: '.length).trim()))));
  },
};

const assemblyscriptOutput = 'dist/assemblyscript/infragym.wasm';

const assemblyscript = {
  inputs: ['assembly'],
  outputs: [assemblyscriptOutput],
  missing() {
    if (existsSync(join(root, 'assembly'))) return undefined;
    return 'this checkout has no assembly/; git checkout -- assembly restores it';
  },
  tools: () => `assemblyscript ${packageVersion('assemblyscript')}`,
  async build(echo) {
    const asc = nodeTool('assemblyscript', 'assemblyscript/bin/asc.js');
    // The memory is the module's own and exported: an instance serves one batch. The stub runtime
    // never frees, which fits: everything is allocated when the batch is created.
    const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
    const args = [asc, 'assembly/index.ts', '-o', assemblyscriptOutput, ...flags];
    await step(process.execPath, args, { echo });
  },
};

const nativeOutput = 'dist/native/infragym.node';

function libraryName() {
  if (process.platform === 'win32') return 'infragym_node.dll';
  return process.platform === 'darwin' ? 'libinfragym_node.dylib' : 'libinfragym_node.so';
}

const native = {
  inputs: [...rustInputs, 'bindings/node'],
  outputs: [nativeOutput],
  missing: () => (findProgram('cargo') === undefined ? noCargo : undefined),
  tools: () => outputOf('rustc', ['--version']),
  async build(echo) {
    await step('cargo', ['build', '--release', '-p', 'infragym-node'], { echo });
    const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
    const output = join(root, nativeOutput);
    mkdirSync(dirname(output), { recursive: true });
    // Renamed into place: writing over an addon that a process has loaded would crash it.
    copyFileSync(join(target, 'release', libraryName()), `${output}.new`);
    renameSync(`${output}.new`, output);
  },
};

const wasmFolders = { nodejs: 'node', bundler: 'bundler', web: 'web' };

function pinnedWasmBindgen() {
  const manifest = readFileSync(join(root, 'bindings/wasm/Cargo.toml'), 'utf8');
  const version = /^wasm-bindgen = .*"=([0-9.]+)"/m.exec(manifest)?.[1];
  if (version === undefined) throw new Error('bindings/wasm/Cargo.toml must pin wasm-bindgen "="');
  return version;
}

function missingForWasm() {
  if (findProgram('cargo') === undefined) return noCargo;
  const sysroot = outputOf('rustc', ['--print', 'sysroot']) ?? '';
  if (!existsSync(join(sysroot, 'lib/rustlib/wasm32-unknown-unknown'))) {
    return 'no wasm32-unknown-unknown target; rustup target add wasm32-unknown-unknown';
  }
  if (findProgram('wasm-pack') === undefined) {
    return 'wasm-pack is not on PATH; cargo install wasm-pack --locked';
  }
  const pinned = pinnedWasmBindgen();
  const found = outputOf('wasm-bindgen', ['--version'])?.split(' ')[1] ?? 'none';
  if (found === pinned) return undefined;
  return (
    `wasm-bindgen ${pinned} is needed, found ${found}; ` +
    `cargo install wasm-bindgen-cli --version ${pinned}`
  );
}

const wasm = {
  inputs: [...rustInputs, 'bindings/wasm'],
  outputs: Object.values(wasmFolders).map((name) => `dist/wasm/${name}/infragym_bg.wasm`),
  missing: missingForWasm,
  tools: () => `${outputOf('rustc', ['--version'])}, binaryen ${packageVersion('binaryen')}`,
  async build(echo) {
    nodeTool('binaryen', 'binaryen/bin/wasm-opt');
    const env = {
      // wasm-pack takes the wasm-opt it finds on PATH and would download one otherwise.
      PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
      CARGO_TARGET_DIR: join(root, 'target', 'wasm'),
      // Without reference types wasm-bindgen adds no imports: plain exports need no glue.
      RUSTFLAGS: '-C target-feature=+simd128,-reference-types',
    };
    for (const [target, name] of Object.entries(wasmFolders)) {
      const output = join(root, 'dist', 'wasm', name);
      const mode = ['--mode', 'no-install', '--release', '--target', target];
      const out = ['--out-dir', output, '--out-name', 'infragym'];
      await step('wasm-pack', ['build', 'bindings/wasm', ...mode, ...out], { env, echo });
      // wasm-pack ignores its whole output folder, which would leave it out of the npm package.
      rmSync(join(output, '.gitignore'), { force: true });
    }
  },
};

const browser = {
  // The modules are copied beside the bundle.
  inputs: ['src', 'package.json', 'scripts/lib/bundle.mjs', 'dist/assemblyscript', 'dist/wasm/web'],
  outputs: ['dist/browser/infragym.js', 'dist/browser/infragym.wasm'],
  missing: () => undefined,
  tools: () => `esbuild ${packageVersion('esbuild')}`,
  async build() {
    await bundleForBrowsers(join(root, 'dist/browser'));
  },
};

const web = {
  inputs: [
    'web',
    'src',
    'data',
    'package.json',
    'tests/vectors/goldens.json',
    'dist/assemblyscript',
    'dist/wasm/web',
  ],
  outputs: ['dist/web/index.html', 'dist/web/goldens.json'],
  missing: () => undefined,
  tools: () => `vite ${packageVersion('vite')}`,
  async build(echo) {
    const vite = nodeTool('vite', 'vite/bin/vite.js');
    const args = [vite, 'build', '--config', 'web/vite.config.ts', '--logLevel', 'warn'];
    await step(process.execPath, args, { echo });
  },
};

/** The build targets by name, in build order. */
export const targets = { ts, assemblyscript, native, wasm, browser, web };
