/**
 * Prints a serving task as JSON for the peers that compute the same step: its configuration, and
 * the scalars and tables of its program by their camelCase names: `npx tsx model.ts TASK`.
 */

import {
  type ServingScalars,
  type ServingTables,
  servingLayout,
} from '../../src/generated/serving.js';
import { compileTask } from '../../src/index.js';
import { decodeProgram } from '../../src/program/program.js';

const TABLES = [
  ...(['grid', 'batchNodes', 'kvNodes', 'promptNodes', 'promptEdges'] as const),
  ...(['accept', 'speed', 'quantFactors', 'levelRate', 'resetMetrics'] as const),
];

const id = process.argv[2];
if (id === undefined) throw new Error('usage: npx tsx bench/peers/model.ts TASK');
const { program, config } = compileTask(id);
const { scalars, tables } = decodeProgram<ServingScalars, ServingTables>(servingLayout, program);
if (config['dynamics'] !== 'origin') {
  throw new RangeError(`${id} has dynamics ${config['dynamics']}; the peers compute origin`);
}
const chosen = Object.fromEntries(TABLES.map((name) => [name, Array.from(tables[name])]));
console.log(JSON.stringify({ task: id, config, scalars, tables: chosen }));
