/** Environments that are made once and used for one episode after another. */
import { type Backend, type CompiledTask, TaskVectorEnv } from '../../index.js';

/** Idle environments that are kept, of all tasks together. */
const IDLE_MAX = 32;

/** Making an environment validates and copies its whole program; a reset costs nothing like it. */
export class EnvPool {
  private readonly idle: TaskVectorEnv[] = [];

  /** An environment of the task that has to be reset with a seed before it is used. */
  take(task: CompiledTask, backend: Backend): TaskVectorEnv {
    const at = this.idle.findIndex((env) => env.task === task && env.backend === backend.name);
    if (at >= 0) return this.idle.splice(at, 1)[0];
    return new TaskVectorEnv(task, backend, { numEnvs: 1, autoreset: 'disabled', infos: true });
  }

  /** Takes an environment back; the one that has waited longest goes when there are too many. */
  give(env: TaskVectorEnv): void {
    this.idle.push(env);
    if (this.idle.length > IDLE_MAX) this.idle.shift()?.close();
  }
}
