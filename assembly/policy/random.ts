/** The random policy of the core: uniform on the action space that the program describes. */
import { Channels } from '../channels';
import {
  ACTION_KIND_CHOICE,
  ACTION_KIND_INDEX,
  ACTION_KIND_REAL,
  STREAM_POLICY,
} from '../generated/common';
import { Common } from '../program';
import { drawBlock, unitOf, wordBelow, Words } from '../rng';

/** Writes a random action; action numbers 4 k .. 4 k + 3 take the words of block k. */
export function actRandomly(i: i32): void {
  const row = Channels.actionsOf(i);
  for (let j = 0; j < Channels.actionDim; j++) {
    if (j % 4 == 0) drawBlock(i, STREAM_POLICY, j / 4);
    actNumber(row + (<usize>j << 2), j, wordOf(j % 4));
  }
}

function wordOf(k: i32): u32 {
  if (k == 0) return Words.x0;
  if (k == 1) return Words.x1;
  return k == 2 ? Words.x2 : Words.x3;
}

/** Writes action number j to `at`. */
function actNumber(at: usize, j: usize, word: u32): void {
  const kind = load<u32>(Common.actionKinds + (j << 2));
  const low = load<f32>(Common.actionRanges + (j << 3));
  const width = load<f32>(Common.actionRanges + (j << 3), 4) - low;
  if (kind == ACTION_KIND_REAL) {
    store<f32>(at, low + width * unitOf(word));
  } else if (kind == ACTION_KIND_CHOICE) {
    const choice = wordBelow(word, <f64>load<u32>(Common.actionNumChoices + (j << 2)));
    store<f32>(at, load<f32>(Common.actionChoices + (j << 5) + (<usize>choice << 2)));
  } else {
    const value = Math.trunc(<f64>low) + wordBelow(word, Math.trunc(<f64>width) + 1);
    if (kind == ACTION_KIND_INDEX) store<i32>(at, <i32>value);
    else store<f32>(at, <f32>value);
  }
}
