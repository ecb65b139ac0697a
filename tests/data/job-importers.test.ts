/** Publishers' recordings of jobs: small ones written here, and openb's own where it is there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeDemand, encodeDemand } from '../../src/data/demand-samples.js';
import { importOpenbPods, importSwf, importTaskEvents } from '../../src/data/job-importers.js';
import { isSharedDataAbsent, sharedData } from '../support/shared-data.js';

describe("Google's task_events", () => {
  const event = (time: number, job: number, type: number, cpu = '0.1', mem = '0.05') =>
    `${time},,${job},0,,${type},user,0,2,${cpu},${mem},0.0,0`;
  const rows = [
    event(600e6, 1, 0),
    event(630e6, 1, 1),
    event(660e6, 2, 0),
    event(661e6, 2, 1),
    event(690e6, 2, 5), // killed
    event(751e6, 1, 4),
    event(800e6, 3, 4), // submitted before the file begins
    event(900e6, 4, 0),
    event(901e6, 4, 1),
    event(902e6, 4, 4, '', ''),
    event(950e6, 5, 0),
  ];

  it('become jobs from submission to finish, runs that end otherwise are counted', () => {
    const { trace, skipped } = importTaskEvents(`${rows.join('\n')}\n`, { name: 'google' });
    expect(trace).toEqual({ name: 'google', arrival: [0], cpu: [16], mem: [8], duration: [3] });
    expect(skipped).toEqual({
      'did not finish': 1,
      'no submission': 1,
      'no demand': 1,
      'still open': 1,
    });
  });

  it('are refused with row and column where a cell is no number', () => {
    const bad = [rows[0], rows[1].replace('630000000', 'soon')].join('\n');
    expect(() => importTaskEvents(bad, { name: 'g' })).toThrow(
      /data row 2, column "time_us": "soon"/,
    );
    expect(() => importTaskEvents(rows[2], { name: 'g' })).toThrow(
      /no job is left \(1 still open\)/,
    );
  });
});

describe('the Standard Workload Format', () => {
  const line = '1 100 5 90 4 -1 1048576 4 -1 -1 1 1 1 1 1 1 -1 -1';

  it('becomes jobs of processors and gigabytes', () => {
    const cancelled = '2 160 -1 -1 -1 -1 -1 2 -1 -1 5 1 1 1 1 1 -1 -1';
    const later = '3 220 0 61 2 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1 ; no memory known';
    const { trace, skipped } = importSwf(`; Version: 2\n${line}\n${cancelled}\n${later}\n`, {
      name: 'swf',
    });
    expect(trace).toEqual({
      name: 'swf',
      arrival: [0, 2],
      cpu: [4, 2],
      mem: [4, 1],
      duration: [2, 2],
    });
    expect(skipped).toEqual({ 'did not run': 1 });
  });

  it('is refused with the line and the field', () => {
    expect(() => importSwf(`;\n${line.replace('90', 'x')}`, { name: 's' })).toThrow(
      /data row 2, column "run time": "x"/,
    );
    expect(() => importSwf('; empty\n', { name: 's' })).toThrow(/no job is left/);
    expect(() => importSwf(line, { name: 's', stepSeconds: 0 })).toThrow(/stepSeconds is 0/);
  });
});

describe('openb pods', () => {
  const header = 'name,cpu_milli,memory_mib,creation_time,deletion_time,scheduled_time';

  it('become jobs from scheduling to deletion', () => {
    const csv = `${header}\na,12000,16384,0,1000,100\nb,1000,100,30,90,\n`;
    const { trace, skipped } = importOpenbPods(csv, { name: 'openb' });
    expect(trace).toEqual({ name: 'openb', arrival: [0], cpu: [12], mem: [4], duration: [15] });
    expect(skipped).toEqual({ 'never scheduled': 1 });
  });

  it.skipIf(isSharedDataAbsent())('of the published list are read', () => {
    const bytes = readFileSync(sharedData('cluster/raw/openb_pod_list_default.csv'));
    const { trace, skipped } = importOpenbPods(bytes, { name: 'openb', stepSeconds: 60 });
    const numSkipped = Object.values(skipped).reduce((a, b) => a + b, 0);
    expect(trace.arrival.length + numSkipped).toBe(8152);
    expect(trace.arrival.length).toBeGreaterThan(7000);
    const sorted = [...trace.duration].sort((a, b) => a - b);
    expect(sorted[sorted.length >> 1]).toBe(Math.ceil(616 / 60));
  });
});

describe('demand samples', () => {
  const text = readFileSync('data/demand/google_v2_sampled.json', 'utf8');

  it('are read as they are written, and say that they are sampled', () => {
    const samples = decodeDemand(text);
    expect(encodeDemand(samples)).toBe(text);
    expect(samples.cpuFraction).toHaveLength(512);
    expect(samples.source).toMatch(/Sampled independently/);
    expect(samples.licence).toMatch(/CC-BY-4\.0/);
  });

  it.each([
    [/cpu_fraction\[0\]/, text.replace(/"cpu_fraction":\[[^,]*,/, '"cpu_fraction":[2,')],
    [/runtime_s is not an array/, text.replace('"runtime_s":', '"runtimes":')],
    [/format is/, text.replace('demand/1', 'demand/2')],
    [/are not JSON/, text.slice(0, 99)],
  ])('are refused with %s', (message, damaged) => {
    expect(() => decodeDemand(damaged)).toThrow(message);
  });
});
