/** Policies by the names that commands take. */
import {
  type CompiledTask,
  constantPolicy,
  familyOf,
  nearest,
  type Policy,
  randomPolicy,
} from '../index.js';
import { UsageError } from './output.js';

/** A policy for a task; what has to be searched for it is searched now. */
export async function policyNamed(name: string, task: CompiledTask): Promise<Policy> {
  if (name === 'baseline' || name === 'constant') return constantPolicy(task.baselineAction, name);
  if (name === 'random') return randomPolicy();
  const { policies } = familyOf(task.spec.id);
  const known = nearest(name, policies).join(', ');
  throw new UsageError(`policy is "${name}": ${task.layout.name} has ${known}`);
}
