/** Seeds and digests, for everything else. */
export { Digest, type DigestOptions, digestOf } from './digest.js';
export { nearest } from './nearest.js';
export { provideNotice } from './notice.js';
export {
  addSeed,
  formatSeed,
  makeRng,
  parseSeed,
  parseSeedRange,
  type Rng,
  type Seed,
} from './seeding.js';
