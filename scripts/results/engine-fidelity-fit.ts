/** Fits the servers that have calibration rows, and writes what was fitted with where from. */
import { writeFileSync } from 'node:fs';
import { type FittedServer, generationOf } from '../../src/data/engine/calibrations.js';
import { defaultCalibration } from '../../src/data/engine/servers.js';
import { fitCalibration } from '../../src/envs/engine/calibrate.js';
import { setUpEngine } from '../../src/envs/engine/setup.js';
import type { RecordedRun } from './llm-engine-runs.js';

export function fitServers(runs: readonly RecordedRun[], path: string): void {
  const groups = new Map<string, RecordedRun[]>();
  for (const run of runs) {
    if (run.row['split'] !== 'calibration' || !run.isConfigurationKnown) continue;
    const { model, gpu, tensorParallel } = identity(run);
    const key = `${model}, ${tensorParallel} x ${gpu}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const servers = [...groups].map(([name, group]) => fitServer(name, group));
  const body = JSON.stringify(servers, null, 2).replace(/"(\w+)":/g, '$1:');
  const text = `/** Written by \`npm run results -- engine-fidelity --fit\`. Do not edit. */
import type { FittedServer } from './calibrations.js';

export const fittedServers: readonly FittedServer[] = ${body.replaceAll('"', "'")};
`;
  writeFileSync(path, text);
}

function identity(run: RecordedRun) {
  const { model, gpu } = setUpEngine(run.config);
  const tensorParallel = run.config.tensor_parallel_size ?? 1;
  const generation = generationOf(run.config.engine_version ?? '0.19');
  return { model: model.name, gpu: gpu.name, tensorParallel, generation };
}

function fitServer(name: string, group: readonly RecordedRun[]): FittedServer {
  const { model } = setUpEngine(group[0]!.config);
  const server = identity(group[0]!);
  const started = Date.now();
  const fit = fitCalibration(group, defaultCalibration(model, server.generation));
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  process.stdout.write(`${name}: loss ${fit.loss.toFixed(4)} in ${seconds} s\n`);
  const rounded = Object.entries(fit.calibration).map(([key, value]) => {
    return [key, Number(value.toPrecision(4))];
  });
  return {
    name,
    ...server,
    calibration: Object.fromEntries(rounded) as FittedServer['calibration'],
    fittedOn: group.map(({ id }) => id),
  };
}
