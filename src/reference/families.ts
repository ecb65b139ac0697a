/** Which reference environment steps which family. */
import type { Batch, BatchOptions } from '../backend.js';
import { decodeProgram, programFamily } from '../compile/program.js';
import {
  type AutoscalingScalars,
  type AutoscalingTables,
  autoscalingLayout,
} from '../generated/autoscaling.js';
import {
  type ProvisioningScalars,
  type ProvisioningTables,
  provisioningLayout,
} from '../generated/provisioning.js';
import {
  type SchedulingScalars,
  type SchedulingTables,
  schedulingLayout,
} from '../generated/scheduling.js';
import { type ServingScalars, type ServingTables, servingLayout } from '../generated/serving.js';
import { AutoscalingEnvironment } from './autoscaling.js';
import { ReferenceBatch } from './batch.js';
import { ProvisioningEnvironment } from './provisioning.js';
import { SchedulingEnvironment } from './scheduling.js';
import { ServingEnvironment } from './serving.js';

/** Validates a program and makes a batch of the reference. */
export function createReferenceBatch(bytes: Uint8Array, options: BatchOptions): Batch {
  switch (programFamily(bytes)) {
    case autoscalingLayout.family: {
      const program = decodeProgram<AutoscalingScalars, AutoscalingTables>(
        autoscalingLayout,
        bytes,
      );
      const environment = new AutoscalingEnvironment(program);
      return new ReferenceBatch(autoscalingLayout, program, environment, options);
    }
    case provisioningLayout.family: {
      const program = decodeProgram<ProvisioningScalars, ProvisioningTables>(
        provisioningLayout,
        bytes,
      );
      const environment = new ProvisioningEnvironment(program);
      return new ReferenceBatch(provisioningLayout, program, environment, options);
    }
    case schedulingLayout.family: {
      const program = decodeProgram<SchedulingScalars, SchedulingTables>(schedulingLayout, bytes);
      const environment = new SchedulingEnvironment(program);
      return new ReferenceBatch(schedulingLayout, program, environment, options);
    }
    default: {
      const program = decodeProgram<ServingScalars, ServingTables>(servingLayout, bytes);
      const environment = new ServingEnvironment(program);
      return new ReferenceBatch(servingLayout, program, environment, options);
    }
  }
}
