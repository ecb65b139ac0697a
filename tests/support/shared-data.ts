import { existsSync } from 'node:fs';

const folder = '../shared/data';

/**
 * True where the recordings are absent and the tests that read them must be skipped; says so once.
 * Where REQUIRE_DATA is set their absence is an error.
 */
export function isSharedDataAbsent(): boolean {
  if (existsSync(folder)) return false;
  if (process.env['REQUIRE_DATA']) throw new Error(`REQUIRE_DATA is set, but ${folder} is absent`);
  console.warn(`SKIPPED tests on recordings: ${folder} is absent`);
  return true;
}

/** The path of a file among the recordings. */
export function sharedData(path: string): string {
  return `${folder}/${path}`;
}
