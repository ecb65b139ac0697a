/**
 * Policies that come with parameters, linear and tabular. `crates/core/src/policy.rs` says how
 * the words lie and what they mean.
 */
import { Channels } from '../channels';
import {
  ACTION_KIND_INDEX,
  POLICY_LINEAR,
  POLICY_TABULAR,
  POLICY_WORDS_MAX,
} from '../generated/common';
import { allocate } from '../memory';
import { Common } from '../program';

/** Rows that lie side by side. */
const ROWS: i32 = 8;

let room: usize = 0;
/** The policy whose words are there, 0 for none. */
let taken: u32 = 0;

/** Takes the room for the words while a batch is made; untouched memory costs nothing. */
export function reserveParameters(): void {
  room = allocate(4 * POLICY_WORDS_MAX);
}

/** The room for the words; the caller writes them there. */
export function parameterBuffer(): usize {
  return room;
}

/** Takes so many words: 1, or 0 for a policy of another task. */
export function setParameters(words: u32): u32 {
  taken = 0;
  if (words < 2 || words > POLICY_WORDS_MAX) return 0;
  const policy = wordAt(0);
  const isWhole =
    (policy == POLICY_LINEAR && <u64>words == linearWords()) ||
    (policy == POLICY_TABULAR && <u64>words == tabularWords(words));
  if (isWhole) taken = policy;
  return u32(isWhole);
}

/** Writes the action of a policy whose parameters were taken. */
export function actByParameters(policy: u32, i: i32): void {
  if (policy != taken) return;
  if (policy == POLICY_TABULAR) actTabular(i);
  else if (isIndex(0)) actByLogits(i);
  else actLinear(i);
}

@inline
function wordAt(k: usize): u32 {
  return load<u32>(room + (k << 2));
}

@inline
function numberAt(k: usize): f32 {
  return load<f32>(room + (k << 2));
}

@inline
function isIndex(j: i32): bool {
  return load<u32>(Common.actionKinds + (<usize>j << 2)) == ACTION_KIND_INDEX;
}

@inline
function lowestOf(j: i32): i32 {
  return <i32>Math.trunc(<f64>load<f32>(Common.actionRanges + (<usize>j << 3)));
}

/** Choices of action number j, which is an index. */
function choicesOf(j: i32): i32 {
  const low = load<f32>(Common.actionRanges + (<usize>j << 3));
  const width = load<f32>(Common.actionRanges + (<usize>j << 3), 4) - low;
  return <i32>Math.trunc(<f64>width) + 1;
}

function numLogits(): i32 {
  let logits = 0;
  for (let j = 0; j < Channels.actionDim; j++) logits += choicesOf(j);
  return logits;
}

/** The length of a linear policy's words, 0 where they are of other rows than this task's. */
function linearWords(): u64 {
  const rows = isIndex(0) ? numLogits() : Channels.actionDim;
  for (let j = 1; j < Channels.actionDim; j++) {
    if (isIndex(j) != isIndex(0)) return 0;
  }
  if (wordAt(1) != <u32>rows) return 0;
  return 2 + <u64>padded(rows) * (1 + <u64>Common.observationDim);
}

/** The length of a tabular policy's words, 0 where a feature is none of this task's. */
function tabularWords(words: u32): u64 {
  const features = wordAt(1);
  if (features > words) return 0;
  let edges: u64 = 0;
  let cells: u64 = 1;
  for (let f: u32 = 0; f < features; f++) {
    const at: u32 = 2 + 2 * f;
    if (at + 1 >= words || wordAt(at) >= Common.observationDim) return 0;
    const count = wordAt(at + 1);
    edges += count;
    cells *= <u64>count + 1;
    if (edges > words || cells > words) return 0;
  }
  return 2 + 2 * <u64>features + edges + cells * <u64>Channels.actionDim;
}

@inline
function padded(rows: i32): i32 {
  return (rows + ROWS - 1) & -ROWS;
}

/** Bias and products of a row, in the order of the observations. */
function rowOf(row: i32, rows: i32, seen: usize): f32 {
  const numObservations = <i32>Common.observationDim;
  const weights: usize = 2 + rows + (row / ROWS) * numObservations * ROWS + (row % ROWS);
  let sum = <f64>numberAt(2 + row);
  for (let k = 0; k < numObservations; k++) {
    sum += <f64>numberAt(weights + k * ROWS) * <f64>load<f32>(seen + (<usize>k << 2));
  }
  return <f32>sum;
}

function actLinear(i: i32): void {
  const action = Channels.actionsOf(i);
  const rows = padded(Channels.actionDim);
  for (let j = 0; j < Channels.actionDim; j++) {
    store<f32>(action + (<usize>j << 2), rowOf(j, rows, Channels.observationsOf(i)));
  }
}

/** The highest logit of each field that the mask allows, the first of equals. */
function actByLogits(i: i32): void {
  const action = Channels.actionsOf(i);
  const logits = numLogits();
  const rows = padded(logits);
  const mask = Channels.masks + <usize>i * Common.maskDim;
  const isMasked = Common.maskDim == <u32>logits;
  let row = 0;
  for (let j = 0; j < Channels.actionDim; j++) {
    const end = row + choicesOf(j);
    let winner = lowestOf(j);
    let best: f32 = 0;
    let hasBest = false;
    for (let choice = lowestOf(j); row < end; choice++) {
      const value = rowOf(row, rows, Channels.observationsOf(i));
      const isAllowed = !isMasked || load<u8>(mask + row) != 0;
      if (isAllowed && (!hasBest || value > best)) {
        hasBest = true;
        best = value;
        winner = choice;
      }
      row++;
    }
    store<i32>(action + (<usize>j << 2), winner);
  }
}

function actTabular(i: i32): void {
  const features = wordAt(1);
  const seen = Channels.observationsOf(i);
  let edge: usize = 2 + 2 * features;
  let cell: usize = 0;
  for (let f: u32 = 0; f < features; f++) {
    const value = load<f32>(seen + (<usize>wordAt(2 + 2 * f) << 2));
    const count = wordAt(2 + 2 * f + 1);
    let reached: u32 = 0;
    for (let k: u32 = 0; k < count; k++) reached += u32(value >= numberAt(edge + k));
    cell = cell * (count + 1) + reached;
    edge += count;
  }
  const bytes = <usize>Channels.actionDim << 2;
  memory.copy(Channels.actionsOf(i), room + (edge << 2) + cell * bytes, bytes);
}
