/** The cases of both WebAssembly builds beside the common ones. */
import { describe, expect, it } from 'vitest';
import { type Backend, BackendUnavailableError, type BatchOptions } from '../../src/backend.js';
import { makeRng } from '../../src/base/seeding.js';
import { randomServingProgram } from '../support/programs.js';

type Loader = (source?: BufferSource | WebAssembly.Module) => Promise<Backend>;

export function describeWasmBackend(name: string, load: Loader): void {
  describe(`${name} as WebAssembly`, () => {
    const program = randomServingProgram(makeRng('wasm'));
    const options: BatchOptions = {
      numEnvs: 4,
      autoreset: 'next-step',
      threads: 1,
      metrics: false,
      kernel: 'auto',
    };

    it('steps with SIMD unless the scalar oracle is asked for', async () => {
      const backend = await load();
      expect(backend.create(program, { ...options, numEnvs: 64 }).kernel).toBe('simd128');
      expect(backend.create(program, { ...options, kernel: 'simd128' }).kernel).toBe('simd128');
      expect(backend.create(program, { ...options, kernel: 'scalar' }).kernel).toBe('scalar');
    });

    it('refuses more threads than its one', async () => {
      const backend = await load();
      expect(() => backend.create(program, { ...options, threads: 2 })).toThrow(
        `threads is 2: the ${name} backend has one thread, take 1`,
      );
    });

    it('says that a closed batch is closed', async () => {
      const batch = (await load()).create(program, options);
      batch.close();
      expect(() => batch.step()).toThrow('closed');
      expect(() => batch.exportState()).toThrow('closed');
    });

    it('says that a batch is too large for its memory', async () => {
      const backend = await load();
      const large = { ...options, numEnvs: 2 ** 24, metrics: true };
      expect(() => backend.create(program, large)).toThrow(/^numEnvs is 16777216: .* memory/);
    });

    it('refuses a module that is not its own, naming what it lacks', async () => {
      const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
      const loading = load(empty);
      await expect(loading).rejects.toThrow(BackendUnavailableError);
      await expect(loading).rejects.toThrow('does not export memory, program_buffer');
    });

    it('refuses bytes that are no module', async () => {
      const loading = load(Uint8Array.of(1, 2, 3, 4));
      await expect(loading).rejects.toThrow(BackendUnavailableError);
      await expect(loading).rejects.toThrow(name);
    });
  });
}
