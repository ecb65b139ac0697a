/** What is verified unless tasks are named, and how the rest of the program stays alive. */

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
