import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { traceLoad } from '../../src/compile/autoscaling/load.js';
import { readCsv } from '../../src/data/csv.js';
import { readRateTrace } from '../../src/data/rate-trace.js';
import { registerRateTrace } from '../../src/index.js';
import { autoscaling } from '../support/autoscaling.js';
import { isSharedDataAbsent, sharedData } from '../support/shared-data.js';

const about = { name: 'shop', source: 'made up', licence: 'MIT' };
const csv = (...rows: string[]) => `minute,requests\n${rows.join('\n')}\n`;

describe('a rate trace', () => {
  it('is read from minutes and requests, and summed to steps', () => {
    const text = csv('0,1', '1,2', '2,3', '3,4', '4,9');
    expect(readRateTrace(text, about).requests).toEqual([1, 2, 3, 4, 9]);
    const pairs = readRateTrace(text, { ...about, minutesPerStep: 2 });
    expect(pairs).toEqual({ ...about, minutesPerEntry: 2, requests: [3, 7] });
    expect(readRateTrace(csv('10,5', '15,6'), about).minutesPerEntry).toBe(5);
  });

  it.each([
    ['has 0 rows', 'minute,requests\n'],
    ['has 1 rows', csv('0,1')],
    ['column "requests": is missing', 'minute,count\n0,1\n'],
    ['data row 3, column "minute": 1 does not follow 1', csv('0,1', '1,2', '1,3')],
    ['data row 3, column "minute": 0 does not follow 1', csv('0,1', '1,2', '0,3')],
    ['data row 3, column "minute": 3 comes 2 after 1', csv('0,1', '1,2', '3,3')],
    ['data row 2, column "requests": -2 is negative', csv('0,1', '1,-2')],
    ['data row 2, column "requests": "NaN" is not a number', csv('0,1', '1,NaN')],
    ['data row 1, column "requests": "" is not a number', csv('0,', '1,2')],
    ['data row 2, column "minute": "x" is not a number', csv('0,1', 'x,2')],
    ['column "requests": has no requests at all', csv('0,0', '1,0')],
    ['the file is empty', ''],
  ])('is refused: %s', (message, text) => {
    expect(() => readRateTrace(text, about)).toThrow(message);
  });

  it('is refused where a column read elsewhere has a NaN, and where steps do not fit', () => {
    const columns = { minute: Float64Array.of(0, 1), requests: Float64Array.of(1, Number.NaN) };
    expect(() => readRateTrace(columns, about)).toThrow('data row 2, column "requests"');
    const minutesPerStep = 3;
    const text = csv('0,1', '2,1', '4,1');
    expect(() => readRateTrace(text, { ...about, minutesPerStep })).toThrow('minutesPerStep is 3');
  });

  it('makes a task once it is registered', () => {
    const rows = Array.from({ length: 300 }, (_, i) => `${i},${100 + (i % 50)}`);
    registerRateTrace('shop', readRateTrace(csv(...rows), about));
    const task = autoscaling('trace', { request_pattern: { kind: 'trace', trace: 'shop' } });
    expect(task.programDigest).not.toBe(autoscaling('trace').programDigest);
  });
});

describe('the windows of a trace', () => {
  const trace = { ...about, minutesPerEntry: 1, requests: [1, 1, 1, 0, 0, 0, 0, 2, 2, 90, 1, 1] };

  it('have the mean asked for, and leave out silence and peaks', () => {
    const { starts, scales } = traceLoad(trace, 2, 60, 100);
    const means = starts.map((start, k) => {
      return ((trace.requests[start + 1] + trace.requests[start + 2]) * scales[k]) / 2;
    });
    expect(means.every((mean) => Math.abs(mean - 60) < 1e-9)).toBe(true);
    const peaks = starts.map((start, k) => {
      return scales[k] * Math.max(...trace.requests.slice(start, start + 3));
    });
    expect(Math.max(...peaks)).toBeLessThanOrEqual(100);
    // 2 and 3 see nothing, 1 and 5 see half their load in one step, 9 begins at the peak.
    expect(starts).toEqual([0, 6]);
  });
});

describe.skipIf(isSharedDataAbsent())('the shipped rates', () => {
  it('are the recording, summed over five minutes', () => {
    const { segment, requests } = readCsv(
      gunzipSync(readFileSync(sharedData('autoscaling/nasa_http_per_minute.csv.gz'))),
    );
    const july = Array.from(requests, Number).filter((_, i) => segment[i] === '1995-07');
    const shipped = readRateTrace(readFileSync('data/rates/nasa-http-1995-07.csv', 'utf8'), about);
    expect(shipped.minutesPerEntry).toBe(5);
    const sums = shipped.requests.map((_, i) => {
      return july.slice(5 * i, 5 * i + 5).reduce((sum, count) => sum + count, 0);
    });
    expect(shipped.requests).toEqual(sums);
    expect(july.length - 5 * sums.length).toBeLessThan(5);
  });
});
