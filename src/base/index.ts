/** What everything else uses: seeds, digests. */
export { Digest, type DigestOptions, digestOf } from './digest.js';
export { nearest } from './nearest.js';
export {
  addSeed,
  formatSeed,
  makeRng,
  parseSeed,
  parseSeedRange,
  type Seed,
} from './seeding.js';
