/** What `instructions.ts` runs under callgrind: TASK ENVS THREADS KERNEL STEPS; prints the kernel. */
import { makeVec } from '../dist/index.js';

const [task, envs, threads, kernel, steps] = process.argv.slice(2);
const options = { numEnvs: Number(envs), threads: Number(threads), backend: 'native', kernel };
const env = await makeVec(task, options);
env.reset({ seed: 7 });
env.rollout('random', 1); // fills the actions that the steps hold
for (let step = 0; step < Number(steps); step++) env.step();
console.log(env.kernel);
