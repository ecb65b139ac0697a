/**
 * The program that `instructions.ts` runs under callgrind: instructions-child.mjs COUNTS, a JSON
 * list. Prints the kernels that were taken. `episodes` is the mark at which callgrind begins
 * another part.
 */
import { makeVec } from '../../dist/index.js';

const kernels = [];
for (const { task, envs: numEnvs, threads, kernel, steps } of JSON.parse(process.argv[2])) {
  const env = await makeVec(task, { numEnvs, threads, backend: 'native', kernel });
  env.reset({ seed: 7 });
  env.rollout('random', 1); // fills the actions that the steps hold
  env.step();
  const before = env.episodes;
  for (let step = 0; step < steps; step++) env.step();
  if (env.episodes < before) throw new Error('episodes went backwards');
  kernels.push(env.kernel);
  env.close();
}
console.log(JSON.stringify(kernels));
