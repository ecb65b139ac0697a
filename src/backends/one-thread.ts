/** Refuses more than one thread, for backends that step on the caller's. */
export function checkOneThread(backend: string, threads: number): void {
  if (threads === 1) return;
  throw new RangeError(`threads is ${threads}: the ${backend} backend has one thread, take 1`);
}
