import type { GpuFacts, ModelFacts, OpTable } from './facts.js';
import { opTables } from './op-table-data.js';

/** Seconds of an iteration's operations; linear between the profiled numbers and beyond them. */
export function opTableSeconds(table: OpTable, tokens: number, layers: number): number {
  const { tokens: at } = table;
  let k = 0;
  while (k < at.length - 2 && at[k + 1]! < tokens) k++;
  const share = (tokens - at[k]!) / (at[k + 1]! - at[k]!);
  const blend = (values: readonly number[]) => values[k]! + share * (values[k + 1]! - values[k]!);
  return (layers * blend(table.layerUs) + blend(table.outsideUs)) * 1e-6;
}

export function findOpTable(
  model: ModelFacts,
  gpu: GpuFacts,
  tensorParallel: number,
): OpTable | undefined {
  return opTables.find((table) => {
    const isSame = table.model === model.name && table.gpu === gpu.name;
    return isSame && table.tensorParallel === tensorParallel;
  });
}
