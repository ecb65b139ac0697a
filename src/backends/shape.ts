/** The adapters' reading of a program that no backend has seen yet, and the layout of state. */
import type { BatchOptions } from '../backend.js';
import { channels as channelList } from '../generated/common.js';
import { layouts } from '../generated/index.js';
import {
  channelWidths,
  ELEMENT_BYTES,
  type Layout,
  type RowWidths,
  stateFields,
} from '../program/layout.js';
import { programFamily, programScalars } from '../program/program.js';

export const TYPED_ARRAY = {
  f32: Float32Array,
  f64: Float64Array,
  u32: Uint32Array,
  u8: Uint8Array,
} as const;

/** The layout of a program's family; any, for errors, where there is none: backends refuse it. */
export function layoutOf(program: Uint8Array): Layout {
  const family = programFamily(program);
  return layouts.find((layout) => layout.family === family) ?? layouts[0]!;
}

/** Widths of the rows of a validated program. */
function rowWidths(layout: Layout, program: Uint8Array): RowWidths {
  const scalars = programScalars(layout, program);
  const scalar = (name: string) => scalars[layout.scalars.findIndex((s) => s.name === name)];
  return {
    actionDim: scalar('action_dim'),
    observationDim: scalar('observation_dim'),
    maskDim: scalar('mask_dim'),
  };
}

/** Bytes of every channel. */
export function channelBytes(
  layout: Layout,
  program: Uint8Array,
  options: BatchOptions,
): { name: string; dtype: keyof typeof TYPED_ARRAY; length: number; bytes: number }[] {
  const widths = channelWidths(layout, rowWidths(layout, program), options.metrics);
  return channelList.map(({ name, dtype }, i) => {
    const length = widths[i] * options.numEnvs;
    return { name, dtype, length, bytes: length * ELEMENT_BYTES[dtype] };
  });
}

/** Neighbouring slots of the state of one element size. */
export interface SlotRun {
  readonly count: number;
  /** Bytes of a slot in one environment. */
  readonly bytes: number;
}

/** The state's slots in their order, as runs of one element size. */
export function slotRuns(layout: Layout, program: Uint8Array): SlotRun[] {
  const runs: { count: number; bytes: number }[] = [];
  for (const { dtype, length } of stateFields(layout, programScalars(layout, program))) {
    const bytes = ELEMENT_BYTES[dtype];
    const last = runs.at(-1);
    if (last?.bytes === bytes) last.count += length;
    else runs.push({ count: length, bytes });
  }
  return runs;
}
