/** Backends that need a toolchain: skipped with a reason where missing, unless required. */
import { describe, it } from 'vitest';
import type { Backend, Kernel } from '../../src/backend.js';

const required = (process.env['REQUIRE_BACKENDS'] ?? '').split(',').map((name) => name.trim());

/** Defines a backend's tests, or one skipped test that says why there are none. */
export async function whenAvailable(
  name: string,
  load: () => Promise<Backend>,
  define: () => void,
): Promise<void> {
  try {
    await load();
  } catch (error) {
    if (required.includes(name)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`SKIPPED ${name}: ${reason}`);
    describe(name, () => {
      it.skipIf(true)(`is not available: ${reason}`, () => {});
    });
    return;
  }
  define();
}

/** The kernel that `auto` takes for large batches; a test of small ones names it. */
export function widestKernel({ kernels }: Backend): Kernel {
  return kernels[kernels.length - 1]!;
}
