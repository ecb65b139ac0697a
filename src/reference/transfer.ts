/** State on its way out of a batch and into one: slot by slot, one number per environment. */
import { camel, ELEMENT_BYTES, type StateField } from '../program/layout.js';

/** Numbers by name or by index: a state, or an array of one. */
type Numbers = Record<string | number, number>;

/** The state of environments, as `Batch.exportState` gives it. */
export function exportState(
  fields: readonly StateField[],
  states: readonly object[],
  statistics: Float64Array,
): Uint8Array {
  const bytesPerEnv = fields.reduce((sum, f) => sum + f.length * ELEMENT_BYTES[f.dtype], 0);
  const bytes = new Uint8Array(bytesPerEnv * states.length);
  const view = new DataView(bytes.buffer);
  eachSlot(fields, states, statistics, (dtype, at, values, key) => {
    if (dtype === 'u32') view.setUint32(at, values[key], true);
    else if (dtype === 'f32') view.setFloat32(at, values[key], true);
    else view.setFloat64(at, values[key], true);
  });
  return bytes;
}

/** Takes what `exportState` gave. */
export function importState(
  fields: readonly StateField[],
  states: readonly object[],
  statistics: Float64Array,
  bytes: Uint8Array,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  eachSlot(fields, states, statistics, (dtype, at, values, key) => {
    if (dtype === 'u32') values[key] = view.getUint32(at, true);
    else if (dtype === 'f32') values[key] = view.getFloat32(at, true);
    else values[key] = view.getFloat64(at, true);
  });
}

/** Calls back with each number in the documented order, its place in the bytes and its home. */
function eachSlot(
  fields: readonly StateField[],
  states: readonly object[],
  statistics: Float64Array,
  visit: (dtype: StateField['dtype'], at: number, values: Numbers, key: string | number) => void,
): void {
  const numStatistics = fields.filter(({ part }) => part === 'statistics').length;
  let at = 0;
  let statistic = 0;
  for (const { name, dtype, part, length } of fields) {
    const key = camel(name);
    for (let k = 0; k < length; k++) {
      for (let i = 0; i < states.length; i++, at += ELEMENT_BYTES[dtype]) {
        const state = states[i] as Numbers & Record<string, Numbers>;
        if (part === 'arrays') visit(dtype, at, state[key], k);
        else if (part !== 'statistics') visit(dtype, at, state, key);
        else {
          const row = statistics as unknown as Numbers;
          visit(dtype, at, row, i * numStatistics + statistic);
        }
      }
    }
    if (part === 'statistics') statistic++;
  }
}
