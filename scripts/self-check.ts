/**
 * Makes the digests of the backends' self-check on the reference and prints them; with `--write`
 * also pins them in `src/backends/self-check.ts`. To be run where results change on purpose.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadReference } from '../src/backends/reference.js';
import { checkPrograms, runCheck } from '../src/backends/self-check.js';
import { digestOf } from '../src/base/digest.js';

const target = new URL('../src/backends/self-check.ts', import.meta.url);

const started = performance.now();
const programs = checkPrograms();
const compiled = performance.now();
const { digest } = runCheck(await loadReference(), programs);
const stepped = performance.now();

const golden = `GOLDEN = { programs: '${digestOf(...programs)}', outputs: '${digest}' }`;
console.log(golden);
const [compileMs, stepMs] = [compiled - started, stepped - compiled].map((ms) => ms.toFixed(1));
console.error(`compiled in ${compileMs} ms, stepped in ${stepMs} ms`);
if (process.argv.includes('--write')) {
  const text = readFileSync(target, 'utf8');
  writeFileSync(target, text.replace(/GOLDEN = \{.*\}/, golden));
}
