/** Which class steps which family: one case a family in each function, decided once a call. */
import * as batch from './batch';
import { Autoscaling } from './envs/autoscaling';
import { Provisioning } from './envs/provisioning';
import { Scheduling } from './envs/scheduling';
import { Serving } from './envs/serving';
import { FAMILY as AUTOSCALING } from './generated/autoscaling';
import { FAMILY as PROVISIONING } from './generated/provisioning';
import { FAMILY as SCHEDULING } from './generated/scheduling';
import { FAMILY as SERVING } from './generated/serving';
import { allocate } from './memory';
import { checkPrelude, familyOf, loadProgram, unknownFamily } from './program';

let family: u32 = 0;
let program: usize = 0;
let programBytes: u32 = 0;

/** Space for a program of so many bytes; the caller fills it before `create`. */
export function programBuffer(bytes: u32): usize {
  program = allocate(bytes);
  programBytes = bytes;
  return program;
}

/** Validates the program and allocates its batch; 0, or the code of the first fault. */
export function create(numEnvs: u32, autoreset: u32, metrics: u32, kernel: u32): u32 {
  const fault = checkPrelude(program, programBytes);
  if (fault != 0) return fault;
  family = familyOf(program);
  switch (family) {
    case SERVING: return createFamily<Serving>(numEnvs, autoreset, metrics, kernel);
    case AUTOSCALING: return createFamily<Autoscaling>(numEnvs, autoreset, metrics, kernel);
    case PROVISIONING: return createFamily<Provisioning>(numEnvs, autoreset, metrics, kernel);
    case SCHEDULING: return createFamily<Scheduling>(numEnvs, autoreset, metrics, kernel);
    default: return unknownFamily();
  }
}

function createFamily<Family>(numEnvs: u32, autoreset: u32, metrics: u32, kernel: u32): u32 {
  const fault = loadProgram<Family>(program, programBytes);
  if (fault == 0) batch.create<Family>(numEnvs, autoreset, metrics != 0, kernel);
  return fault;
}

export function reset(seedLo: u32, seedHi: u32, seeded: u32, masked: u32): void {
  switch (family) {
    case SERVING: return batch.reset<Serving>(seedLo, seedHi, seeded != 0, masked != 0);
    case AUTOSCALING: return batch.reset<Autoscaling>(seedLo, seedHi, seeded != 0, masked != 0);
    case PROVISIONING: return batch.reset<Provisioning>(seedLo, seedHi, seeded != 0, masked != 0);
    case SCHEDULING: return batch.reset<Scheduling>(seedLo, seedHi, seeded != 0, masked != 0);
  }
}

export function step(): void {
  switch (family) {
    case SERVING: return batch.step<Serving>();
    case AUTOSCALING: return batch.step<Autoscaling>();
    case PROVISIONING: return batch.step<Provisioning>();
    case SCHEDULING: return batch.step<Scheduling>();
  }
}

export function rollout(policy: u32, steps: u32): void {
  switch (family) {
    case SERVING: return batch.rollout<Serving>(policy, steps);
    case AUTOSCALING: return batch.rollout<Autoscaling>(policy, steps);
    case PROVISIONING: return batch.rollout<Provisioning>(policy, steps);
    case SCHEDULING: return batch.rollout<Scheduling>(policy, steps);
  }
}
