/** Which reference environment steps which family. */
import type { Batch, BatchOptions } from '../backend.js';
import { decodeProgram, programFamily } from '../compile/program.js';
import { type ServingScalars, type ServingTables, servingLayout } from '../generated/serving.js';
import { ReferenceBatch } from './batch.js';
import { ServingEnvironment } from './serving.js';

/** Validates a program and makes a batch of the reference. */
export function createReferenceBatch(bytes: Uint8Array, options: BatchOptions): Batch {
  switch (programFamily(bytes)) {
    default: {
      const program = decodeProgram<ServingScalars, ServingTables>(servingLayout, bytes);
      const environment = new ServingEnvironment(program);
      return new ReferenceBatch(servingLayout, program, environment, options);
    }
  }
}
