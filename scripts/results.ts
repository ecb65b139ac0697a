/**
 * Reproduces what docs/results shows: `npm run results -- NAME [options]`. Each name is a file of
 * scripts/results that exports `run`.
 */
interface Result {
  run(options: readonly string[]): Promise<void> | void;
}

const results: Readonly<Record<string, () => Promise<Result>>> = {
  'engine-fidelity': () => import('./results/engine-fidelity.js'),
};

const [name = '', ...options] = process.argv.slice(2);
const load = results[name];
if (load === undefined) {
  process.stderr.write(`no result "${name}"; known are ${Object.keys(results).join(', ')}\n`);
  process.exitCode = 2;
} else {
  await (await load()).run(options);
}
