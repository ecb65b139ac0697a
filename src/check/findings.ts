/** The findings of the environment checkers. */
import type { CompiledTask } from '../envs/family.js';
import type { Space } from '../spaces/index.js';

/** Something an environment does that it should not. */
export interface Finding {
  /** Which check found it, e.g. `step`. */
  readonly check: string;
  /** The expectation, and what was found instead. */
  readonly message: string;
}

/** One wrong array would otherwise fill the screen. */
const PER_CHECK_MAX = 5;

/** Collects findings, at most five for each check. */
export class Findings {
  readonly list: Finding[] = [];
  private check = '';

  /** Runs a check; an error that it does not expect is a finding too. */
  run(check: string, body: () => void): void {
    this.check = check;
    try {
      body();
    } catch (error) {
      this.add(`no error was expected: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  expect(isRight: boolean, message: string): void {
    if (!isRight) this.add(message);
  }

  /** Bit for bit, so that -0 is not 0. */
  expectEqual(name: string, got: number, expected: readonly number[]): void {
    if (expected.some((value) => Object.is(value, got))) return;
    this.add(`${name} is ${Object.is(got, -0) ? '-0' : got}: ${expected.join(' or ')} is expected`);
  }

  expectMember(space: Space<unknown>, x: unknown, name: string): void {
    const problem = space.describe(x, name);
    if (problem !== null) this.add(problem);
  }

  /** Some families also take actions in a form for people, so membership is not asked. */
  expectEncodable(task: CompiledTask, action: unknown, name: string): void {
    const row = new (task.actionDtype === 'index' ? Int32Array : Float32Array)(task.actionDim);
    try {
      task.encodeAction(action, row);
    } catch (error) {
      this.add(`${name} must be one that encodeAction takes: ${String(error)}`);
    }
  }

  expectThrow(what: string, action: () => unknown): void {
    try {
      action();
    } catch {
      return;
    }
    this.add(`${what} must be refused with an error`);
  }

  private add(message: string): void {
    const { check, list } = this;
    if (list.filter((finding) => finding.check === check).length >= PER_CHECK_MAX) return;
    list.push({ check, message });
  }
}
