/** Suggestions for names that are not known. */

/** How many single-character changes (Levenshtein, 1966) turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/**
 * Up to `count` of the known names, nearest first: those that contain what was asked for, then
 * those fewest changes away.
 */
export function nearest(name: string, known: Iterable<string>, count = 3): string[] {
  const asked = name.toLowerCase();
  const ranked = [...new Set(known)].map((candidate) => {
    const isPart = asked.length > 1 && candidate.toLowerCase().includes(asked);
    return { candidate, distance: isPart ? 0 : editDistance(asked, candidate.toLowerCase()) };
  });
  ranked.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return ranked.slice(0, count).map(({ candidate }) => candidate);
}
