/**
 * Writes replies together. Waking a client that sleeps costs more than a step; where several have
 * asked in one turn of the event loop, all are answered at its end, and one wake-up serves many.
 */
let waiting: (() => void)[] = [];

/** Runs `write` at the end of this turn of the event loop, in the order of the calls. */
export function together(write: () => void): void {
  waiting.push(write);
  if (waiting.length === 1) setImmediate(flush);
}

function flush(): void {
  const writes = waiting;
  waiting = [];
  for (const write of writes) write();
}
