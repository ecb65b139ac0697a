/** Files in memory, imported. */
import { importFiles } from '../../src/data/import/import.js';
import type { ImportFilesOptions } from '../../src/data/import/options.js';
import { bytesSource } from '../../src/data/read/source.js';

/** Imports one file of text, bytes or a JSON document. */
export async function importOne(
  content: string | Uint8Array | object,
  options: ImportFilesOptions = {},
  name = 'in',
) {
  return importFiles([bytesSource(name, bytesOf(content))], options);
}

export async function importRuns(content: string | object, options: ImportFilesOptions = {}) {
  const { data } = await importOne(content, options);
  if (data.as !== 'bench') throw new Error(`read as ${data.as}`);
  return data.measurements.runs;
}

export async function importTrace(
  content: string | Uint8Array | object,
  options: ImportFilesOptions = {},
  name = 'in',
) {
  const { data, log, provenance } = await importOne(content, options, name);
  if (data.as !== 'trace') throw new Error(`read as ${data.as}`);
  return { trace: data.trace, data, log, provenance };
}

function bytesOf(content: string | Uint8Array | object): Uint8Array {
  if (content instanceof Uint8Array) return content;
  return new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content));
}
