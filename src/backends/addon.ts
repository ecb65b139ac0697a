/** The native addon that `npm run build:native` leaves in `dist`. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const ADDON_URL = new URL('../../dist/native/infragym.node', import.meta.url);

/** Its exports. @throws what `require` throws, where it is not there or does not load. */
export function requireAddon<Exports>(): Exports {
  return createRequire(import.meta.url)(fileURLToPath(ADDON_URL)) as Exports;
}
