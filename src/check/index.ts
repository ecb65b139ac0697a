/** Checks of an environment of one's own against the contract. */
export { checkEnv } from './env.js';
export type { Finding } from './findings.js';
export { checkVectorEnv } from './vector-env.js';
