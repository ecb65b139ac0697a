/** The tasks verified by default, and the pauses that keep the rest of the program alive. */

import { listTasks } from '../api/registry.js';

export function taskIds(): string[] {
  return listTasks().map((task) => task.id);
}

/** Lets a page paint and a terminal hear Ctrl-C. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
