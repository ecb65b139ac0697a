/**
 * Builds what this machine's toolchains allow: `node scripts/build.mjs [target…]`, targets ts,
 * assemblyscript, native, wasm, browser and web. Prints one line per target; a target whose inputs
 * have not changed is left alone; one whose toolchain is absent is skipped with the reason, or
 * fails where REQUIRE_BACKENDS (a comma-separated list of backends) names it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hashInputs, readFingerprint, writeFingerprint } from './lib/fingerprint.mjs';
import { root } from './lib/process.mjs';
import { targets } from './lib/targets.mjs';

const backends = ['native', 'wasm', 'assemblyscript', 'reference'];

/** Returns the backends that REQUIRE_BACKENDS names; refuses a name it does not know. */
export function requiredBackends() {
  const names = (process.env.REQUIRE_BACKENDS ?? '').split(',').map((name) => name.trim());
  const required = names.filter((name) => name !== '');
  const unknown = required.filter((name) => !backends.includes(name));
  if (unknown.length > 0) {
    throw new Error(`REQUIRE_BACKENDS names ${unknown.join(', ')}; known: ${backends.join(', ')}`);
  }
  return required;
}

function missingOutputs(name) {
  return targets[name].outputs.filter((file) => !existsSync(join(root, file)));
}

/** Returns the built targets whose inputs have changed since. */
export function staleTargets() {
  return Object.keys(targets).filter((name) => {
    const built = readFingerprint(name);
    return built !== undefined && built.inputs !== hashInputs(targets[name].inputs);
  });
}

/**
 * Builds one target.
 *
 * @param name a key of `targets`
 * @param options.echo a stream for the output of the tools; none where they run quietly
 * @returns `{ status: 'built' | 'up to date' | 'skipped' | 'failed', detail }`
 */
export async function buildTarget(name, { echo = undefined } = {}) {
  const target = targets[name];
  const started = performance.now();
  try {
    const reason = target.missing();
    if (reason !== undefined) {
      const isRequired = requiredBackends().includes(name);
      return { status: isRequired ? 'failed' : 'skipped', detail: reason };
    }
    const now = { inputs: hashInputs(target.inputs), tools: target.tools() };
    const last = readFingerprint(name);
    const isSame = last?.inputs === now.inputs && last.tools === now.tools;
    if (isSame && missingOutputs(name).length === 0) return { status: 'up to date', detail: '' };
    await target.build(echo);
    const missing = missingOutputs(name);
    if (missing.length > 0) throw new Error(`the build left no ${missing.join(', ')}`);
    writeFingerprint(name, now);
    return { status: 'built', detail: `${((performance.now() - started) / 1000).toFixed(1)} s` };
  } catch (error) {
    return { status: 'failed', detail: error.message };
  }
}

/** The one line that tells how a target went. */
export function describe(name, { status, detail }) {
  if (status === 'skipped') return `SKIPPED ${name}: ${detail}`;
  if (status === 'failed') return `FAILED ${name}: ${detail}`;
  return `${name}: ${status}${detail === '' ? '' : ` (${detail})`}`;
}

/** Builds targets in order, one line each; resolves to whether none failed. */
export async function build(names, { log = process.stdout, echo = undefined } = {}) {
  let isGood = true;
  for (const name of names) {
    const result = await buildTarget(name, { echo });
    log.write(`${describe(name, result)}\n`);
    isGood &&= result.status !== 'failed';
  }
  return isGood;
}

async function main(args) {
  const unknown = args.filter((name) => !(name in targets));
  if (unknown.length > 0) {
    const known = Object.keys(targets).join(', ');
    process.stderr.write(`unknown target ${unknown.join(', ')}; known: ${known}\n`);
    return 2;
  }
  try {
    requiredBackends();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  const names = args.length > 0 ? args : Object.keys(targets);
  return (await build(names)) ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(process.argv.slice(2));
}
