/** `infragym hpa`: cases, dry runs, and what it refuses. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { infragym, json, root, temporaryFolder } from './run.js';

const folder = temporaryFolder();

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const casesFile = join(root, 'tests/vectors/hpa-cases.json');

const object = write(
  'hpa.yaml',
  `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  minReplicas: 0
  maxReplicas: 10
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}
`,
);

const pod = (cpu: string | null) => ({ usage: { cpu }, requests: { cpu: 1 } });
const syncs = write(
  'syncs.json',
  JSON.stringify([
    { time_s: 0, replicas: 2, pods: [pod('900m'), pod('0.9')] },
    { time_s: 15, pods: [pod('500m'), pod('500m'), pod('500m'), pod(null)] },
    { time_s: 30, pods: [] },
  ]),
);

describe('infragym hpa', () => {
  it('checks published cases, and fails where one differs', async () => {
    const report = await json<{ ok: boolean; cases: unknown[] }>(['hpa', casesFile, '--json']);
    expect(report).toMatchObject({ ok: true });
    expect(report.cases).toHaveLength(29);
    const document = JSON.parse(readFileSync(casesFile, 'utf8'));
    document.cases[0].expected = 9;
    const changed = write('changed.json', JSON.stringify(document));
    const { code, stdout } = await infragym(['hpa', changed]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/WRONG\s+ready pods above target\s+5\s+9/);
  });

  it('decides every sync of a dry run', async () => {
    const { decisions } = await json<{ decisions: { desired: number }[] }>([
      ...['hpa', object, '--syncs', syncs, '--json'],
    ]);
    expect(decisions.map(({ desired }) => desired)).toEqual([4, 4, 4]);
    const { stdout, stderr } = await infragym(['hpa', object, '--syncs', syncs]);
    expect(stdout).toContain('cpu 90 % → 4');
    expect(stdout).toContain('no usable metric; cpu: no pods match');
    expect(stderr).toContain('minReplicas is 0');
  });

  it('names what it cannot read', async () => {
    const refused = async (args: string[]) => {
      const { code, stderr } = await infragym(args);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused(['hpa', object])).toContain('syncs are needed');
    const headless = write('headless.json', '[{"time_s": 0}]');
    expect(await refused(['hpa', object, '--syncs', headless])).toContain('syncs[0].replicas');
    const bad = write(
      'bad.json',
      '[{"time_s": 0, "replicas": 1, "pods": [{"usage": {"cpu": "x"}}]}]',
    );
    expect(await refused(['hpa', object, '--syncs', bad])).toContain(
      'syncs[0].pods[0].usage.cpu is "x": a quantity is needed',
    );
  });
});
