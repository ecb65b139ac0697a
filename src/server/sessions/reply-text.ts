/**
 * The replies to a step as JSON text: what `present.ts` puts into objects, written without making
 * them. A test holds the two together.
 */
import type { CompiledTask } from '../../index.js';
import { originNumber } from './catalog.js';
import { type JsonPart, JsonText, jsonPart } from './json-text.js';
import { PRIORITIES } from './observation-json.js';
import { writeReport } from './report-text.js';
import type { Session } from './session.js';

/** The text before each number of an observation, and that after the last. */
interface Frame {
  readonly before: readonly JsonPart[];
  readonly after: JsonPart;
}

const PART = {
  observation: jsonPart('{"observation":'),
  message: jsonPart('{"type":"observation","data":{"observation":'),
  reward: jsonPart(',"reward":'),
  done: jsonPart(',"done":'),
  terminated: jsonPart(',"terminated":'),
  truncated: jsonPart(',"truncated":'),
  info: jsonPart(',"info":{"timestep":'),
  mask: jsonPart(',"action_mask":'),
  session: jsonPart(',"session_id":'),
  end: jsonPart('}'),
} as const;

/** Steps are taken and put into words one at a time. */
const text = new JsonText();
const frames = new WeakMap<CompiledTask, { root: Frame; openEnv: Frame }>();

/** The reply to `POST /step` at the root. */
export function rootReplyText(session: Session): string {
  text.begin().raw(PART.observation);
  writeNumbers(framesOf(session.task).root, session.observation);
  text.raw(PART.end);
  writeResult(session);
  writeEnding(session);
  text.raw(PART.end);
  return text.finish();
}

/** The reply to a step at a mount, `{observation, reward, done, session_id}`. */
export function mountReplyText(session: Session): string {
  text.begin().raw(PART.observation);
  writeOpenEnvResult(session);
  text.raw(PART.session);
  text.json(session.id);
  text.raw(PART.end);
  return text.finish();
}

/** The WebSocket's message after a reset or a step. */
export function messageText(session: Session): string {
  text.begin().raw(PART.message);
  writeOpenEnvResult(session);
  text.raw(PART.end);
  text.raw(PART.end);
  return text.finish();
}

function writeOpenEnvResult(session: Session): void {
  writeNumbers(framesOf(session.task).openEnv, session.observation);
  writeEnding(session);
  text.raw(PART.end);
  writeResult(session);
}

function writeNumbers({ before, after }: Frame, row: Float32Array): void {
  for (let i = 0; i < before.length; i++) {
    text.raw(before[i]);
    text.number(row[i]);
  }
  text.raw(after);
}

function writeResult({ reward, done }: Session): void {
  text.raw(PART.reward);
  if (reward === null) text.json(reward);
  else text.number(reward);
  text.raw(PART.done);
  text.flag(done);
}

function writeEnding(session: Session): void {
  text.raw(PART.terminated);
  text.flag(session.terminated);
  text.raw(PART.truncated);
  text.flag(session.truncated);
  text.raw(PART.info);
  text.number(session.stepCount);
  writeReport(text, session.task, session.rows);
  writeMask(session.mask);
  text.raw(PART.end);
}

function writeMask(mask: Uint8Array): void {
  if (mask.length === 0) return;
  text.raw(PART.mask);
  text.json(Array.from(mask));
}

function framesOf(task: CompiledTask): { root: Frame; openEnv: Frame } {
  let known = frames.get(task);
  if (known === undefined) {
    const openEnv = frameOf(task.observationNames, []);
    const isOrigin = originNumber(task.spec) !== undefined;
    known = { openEnv, root: isOrigin ? frameOf(task.observationNames, PRIORITIES) : openEnv };
    frames.set(task, known);
  }
  return known;
}

/** `listed` are the names whose numbers are one list, `priority_distribution`. */
function frameOf(names: readonly string[], listed: readonly string[]): Frame {
  const last = listed.at(-1);
  const before = names.map((name, i) => {
    const closing = i > 0 && names[i - 1] === last ? ']' : '';
    const comma = i > 0 ? ',' : '{';
    if (name === listed[0]) return `${comma}"priority_distribution":[`;
    return listed.includes(name) ? ',' : `${closing}${comma}${JSON.stringify(name)}:`;
  });
  const after = names.at(-1) !== undefined && names.at(-1) === last ? ']' : '';
  return { before: before.map(jsonPart), after: jsonPart(after) };
}
