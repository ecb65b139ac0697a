/**
 * A page without a browser: `node --experimental-vm-modules browser-page.mjs FOLDER` loads the
 * bundle in FOLDER into a context that has the web's globals and none of Node's, answers its
 * fetches from FOLDER, and verifies some tasks. Reads `{ backends, tasks, goldens }` from stdin and
 * prints what came of it, both as JSON.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, SourceTextModule } from 'node:vm';

const ADDRESS = 'https://infragym.example/assets/';
const [folder] = process.argv.slice(2);
const fetched = [];

async function fetchFromFolder(url) {
  const address = String(url);
  fetched.push(address);
  if (!address.startsWith(ADDRESS)) return new Response('', { status: 404 });
  return new Response(readFileSync(join(folder, address.slice(ADDRESS.length))));
}

const { crypto } = globalThis;
const web = {
  URL,
  TextEncoder,
  TextDecoder,
  atob,
  btoa,
  crypto,
  setTimeout,
  clearTimeout,
  console,
};
const page = createContext({ ...web, fetch: fetchFromFolder });
const bundle = new SourceTextModule(readFileSync(join(folder, 'infragym.js'), 'utf8'), {
  context: page,
  initializeImportMeta(meta) {
    meta.url = `${ADDRESS}infragym.js`;
  },
  importModuleDynamically(specifier) {
    throw new Error(`a browser cannot import ${specifier}`);
  },
});
await bundle.link((specifier) => {
  throw new Error(`the bundle still imports ${specifier}`);
});
await bundle.evaluate();

const { backends, tasks, goldens } = JSON.parse(readFileSync(0, 'utf8'));
const { compileTask, loadBackend, make, verify } = bundle.namespace;
const loaded = [];
const steps = {};
for (const name of backends) {
  loaded.push(await loadBackend(name));
  const env = await make(tasks[0], { backend: name });
  env.reset({ seed: 7 });
  const { observation, reward } = env.step(compileTask(tasks[0]).baselineAction);
  steps[name] = { backend: env.backend, observation: Array.from(observation), reward };
}
const report = await verify(loaded, { tasks, level: 'quick', goldens });
process.stdout.write(JSON.stringify({ fetched, steps, report }));
