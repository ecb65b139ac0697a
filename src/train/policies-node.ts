/** Lets `createPolicy` take the directory of a trained policy. Node only. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { providePolicies } from '../policies/index.js';
import { loadLearner } from './learner/index.js';
import { decodePolicyFile, POLICY_FILE } from './policy-file.js';

providePolicies(async (name, task) => {
  const file = join(name, POLICY_FILE);
  if (!existsSync(file)) return undefined;
  try {
    return decodePolicyFile(new Uint8Array(readFileSync(file)), task, await loadLearner());
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`${file}: ${error.message}`) : error;
  }
});
