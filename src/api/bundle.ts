/**
 * Bundles: a compiled task whole in one file, so that another language can play it without
 * compiling it. docs/bundles.md describes the format for those who write a reader.
 *
 * | bytes        | content                                                                  |
 * |--------------|--------------------------------------------------------------------------|
 * | 0 .. 4       | the bytes IGTB                                                           |
 * | 4 .. 8       | version, 1                                                               |
 * | 8 .. 12      | bytes of the description, D                                              |
 * | 12 .. 16     | bytes of the program, P                                                  |
 * | 16 .. 24     | digest of everything else, 8 bytes: of bytes 0 .. 16, then from 24 on    |
 * | 24 .. 24 + D | description of the task, JSON in UTF-8                                   |
 * | then         | zeros up to a multiple of 8                                              |
 * | then P bytes | the program                                                              |
 */

import { bytesOfHex, digestOf } from '../base/digest.js';
import type { CompiledTask } from '../envs/family.js';
import { layouts } from '../generated/index.js';
import { decodeProgram, programFamily } from '../program/program.js';
import { spaceFromJson } from '../spaces/from-json.js';
import { show } from '../spaces/space.js';
import { describeProgram, describeTask, type TaskDescription } from './description.js';

const MAGIC = 0x42544749; // IGTB, little-endian
export const BUNDLE_VERSION = 1;
const HEADER_BYTES = 24;
const DIGEST_FROM = 16;

/** A bundle, read. */
export interface Bundle {
  readonly description: TaskDescription;
  /** The program that a backend steps; its digest is `description.program_digest`. */
  readonly program: Uint8Array;
  /** 16 hex digits that name the bundle exactly. */
  readonly digest: string;
}

/** Thrown for bytes that are no bundle; says what is wrong with them. */
export class BundleError extends Error {
  override name = 'BundleError';
}

/**
 * A compiled task as one file.
 *
 * @example
 * writeFileSync('my.bundle', encodeBundle(compileTask('autoscaling/easy-v1', { max_steps: 50 })));
 */
export function encodeBundle(task: CompiledTask): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(describeTask(task)));
  const programFrom = alignUp(HEADER_BYTES + text.length);
  const bytes = new Uint8Array(programFrom + task.program.length);
  const view = new DataView(bytes.buffer);
  [MAGIC, BUNDLE_VERSION, text.length, task.program.length].forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  bytes.set(text, HEADER_BYTES);
  bytes.set(task.program, programFrom);
  bytes.set(bytesOfHex(contentDigest(bytes)), DIGEST_FROM);
  return bytes;
}

/**
 * Reads a bundle: header, digest, description and program, which must agree with each other and
 * with what this build knows of the family.
 *
 * @throws BundleError naming what is wrong; ProgramError for a program that is refused.
 */
export function decodeBundle(bytes: Uint8Array): Bundle {
  const { text, program, digest } = splitBundle(bytes);
  const layout = layouts.find(({ family }) => family === programFamily(program));
  if (layout === undefined) {
    const known = layouts.map(({ name }) => name).join(', ');
    throw new BundleError(`bundle has a program of an unknown family: ${known} are known`);
  }
  decodeProgram(layout, program);
  const description = parseDescription(text);
  const derived: object = describeProgram(layout, program);
  for (const [name, value] of Object.entries(derived)) {
    const given = JSON.stringify(description[name as keyof TaskDescription]);
    if (given === JSON.stringify(value)) continue;
    const shown = show(given ?? 'missing');
    throw new BundleError(`description.${name} is ${shown}: the program says otherwise`);
  }
  checkRows(description);
  return { description, program, digest };
}

/** The parts of a bundle whose lengths and digest are right. */
function splitBundle(bytes: Uint8Array) {
  if (bytes.length < HEADER_BYTES) {
    const needed = `a header of ${HEADER_BYTES} bytes is needed`;
    throw new BundleError(`bundle has ${bytes.length} bytes: ${needed}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [magic, version, textBytes, programBytes] = [0, 4, 8, 12].map((at) =>
    view.getUint32(at, true),
  );
  if (magic !== MAGIC) throw new BundleError('bundle does not begin with the bytes IGTB');
  if (version !== BUNDLE_VERSION) {
    throw new BundleError(`bundle has version ${version}: ${BUNDLE_VERSION} is needed`);
  }
  const programFrom = alignUp(HEADER_BYTES + textBytes);
  if (bytes.length !== programFrom + programBytes) {
    const needed = `its header asks for ${programFrom + programBytes}`;
    throw new BundleError(`bundle has ${bytes.length} bytes: ${needed}`);
  }
  const digest = contentDigest(bytes);
  if (bytesOfHex(digest).some((byte, i) => byte !== bytes[DIGEST_FROM + i])) {
    throw new BundleError('bundle is damaged: its content has another digest than its header');
  }
  const text = bytes.subarray(HEADER_BYTES, HEADER_BYTES + textBytes);
  return { text, program: new Uint8Array(bytes.subarray(programFrom)), digest };
}

function parseDescription(text: Uint8Array): TaskDescription {
  let description: unknown;
  try {
    description = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    throw new BundleError(`description is no JSON: ${(error as Error).message}`);
  }
  const isObject = typeof description === 'object' && description !== null;
  if (isObject && !Array.isArray(description)) return description as TaskDescription;
  throw new BundleError(`description is ${show(description)}: an object is needed`);
}

/** The parts that are not in the program: names, spaces, baseline, report and grader. */
function checkRows(description: TaskDescription): void {
  const { action_dim: numActions, observation_dim: numObservations } = description;
  for (const name of ['id', 'name', 'difficulty', 'description'] as const) {
    expect(name, description[name], typeof description[name] === 'string', 'a text');
  }
  for (const name of ['aliases', 'report'] as const) {
    expect(name, description[name], Array.isArray(description[name]), 'an array');
  }
  expectNamed('actions', description.actions, numActions);
  expectNamed('observations', description.observations, numObservations);
  expect('config', description.config, isRecord(description.config), 'an object');
  const { grader, baseline } = description;
  expect('grader', grader, isRecord(grader) && typeof grader.kind === 'string', 'its kind');
  const row: unknown = isRecord(baseline) ? baseline.row : undefined;
  const isRow = Array.isArray(row) && row.length === numActions && row.every(Number.isFinite);
  expect('baseline.row', row, isRow, `an array of ${numActions} numbers`);
  checkSpaces(description);
}

function checkSpaces(description: TaskDescription): void {
  const { action_row_space, observation_space, observation_dim, baseline } = description;
  try {
    const observations = spaceFromJson(observation_space, 'observation_space');
    expect('observation_space', 0, observations.flatDim === observation_dim, 'a Box of its rows');
    spaceFromJson(description.action_space, 'action_space');
    const rows = spaceFromJson(action_row_space, 'action_row_space');
    const action = action_row_space.space === 'Discrete' ? baseline.row[0] : baseline.row;
    expect('baseline.row', baseline.row, rows.contains(action), 'a member of action_row_space');
  } catch (error) {
    if (error instanceof RangeError) throw new BundleError(`description.${error.message}`);
    throw error;
  }
}

function expectNamed(name: string, fields: readonly unknown[], count: number): void {
  const isWhole = Array.isArray(fields) && fields.length === count;
  const areNamed = isWhole && fields.every((field) => typeof field?.name === 'string');
  expect(name, fields, areNamed, `an array of ${count} named fields`);
}

function expect(name: string, value: unknown, isRight: boolean, needed: string): void {
  if (!isRight) throw new BundleError(`description.${name} is ${show(value)}: ${needed} is needed`);
}

const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const contentDigest = (bytes: Uint8Array): string =>
  digestOf(bytes.subarray(0, DIGEST_FROM), bytes.subarray(HEADER_BYTES));

const alignUp = (bytes: number): number => 8 * Math.ceil(bytes / 8);
