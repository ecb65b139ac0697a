/** Series as monitoring systems and web servers write them. */
import { describe, expect, it } from 'vitest';
import { importFiles } from '../../../src/data/import/import.js';
import type { ImportFilesOptions } from '../../../src/data/import/options.js';
import { bytesSource } from '../../../src/data/read/source.js';
import { importOne } from '../../support/imports.js';

async function read(content: string | object, options: ImportFilesOptions = {}) {
  const result = await importOne(content, options);
  if (result.data.as !== 'series') throw new Error(`read as ${result.data.as}`);
  return { ...result, series: result.data.series, first: result.data.series[0] };
}

describe('Prometheus', () => {
  const matrix = (result: object[]) => ({
    status: 'success',
    data: { resultType: 'matrix', result },
  });
  it('reads one series for each set of labels, NaN and absent samples as gaps', async () => {
    const at = (t: number, value: string) => [1_700_000_000 + t, value];
    const { series } = await read(
      matrix([
        { metric: { __name__: 'rps', pod: 'a' }, values: [at(0, '1'), at(15, 'NaN'), at(30, '3')] },
        { metric: { __name__: 'rps', pod: 'b' }, values: [at(0, '5'), at(15, '6'), at(45, '7')] },
      ]),
    );
    expect(series.map(({ name, unit, values }) => [name, unit, ...values])).toEqual([
      ['rps{pod=a}', 'requests/s', 1, NaN, 3],
      ['rps{pod=b}', 'requests/s', 5, 6, NaN, 7],
    ]);
    expect(series[0]).toMatchObject({ step_s: 15, origin: 'epoch' });
  });

  it('refuses a counter taken as it is, and takes its rate when asked', async () => {
    const values = Array.from({ length: 20 }, (_, i) => [1_700_000_000 + 15 * i, `${30 * i}`]);
    const document = matrix([{ metric: { __name__: 'http_requests_total' }, values }]);
    await expect(read(document)).rejects.toThrow(/never falls, as a counter does.*--counter/);
    const { first } = await read(document, { counter: true });
    expect([...first.values]).toEqual(new Array(19).fill(2));
  });
});

describe('CloudWatch', () => {
  it('puts the data points of get-metric-statistics in order', async () => {
    const point = (minute: number, Sum: number) => ({
      Timestamp: `2026-03-01T00:0${minute}:00+00:00`,
      Sum,
      Unit: 'Count',
    });
    const { first, provenance } = await read({
      Label: 'RequestCount',
      Datapoints: [point(2, 180), point(0, 60), point(1, 120), point(4, 60)],
    });
    expect([...first.values]).toEqual([1, 2, 3, NaN, 1]);
    expect(first.times_s[0]).toBe(Date.UTC(2026, 2, 1) / 1000);
    expect(provenance.converted[0]).toMatchObject({ what: 'samples put in order' });
    expect(provenance.repaired).toEqual([]);
  });

  it('reads get-metric-data', async () => {
    const { first } = await read({
      MetricDataResults: [
        {
          Id: 'm1',
          Label: 'CPUUtilization percent',
          Timestamps: ['2026-03-01T00:05:00Z', '2026-03-01T00:00:00Z'],
          Values: [55, 40],
        },
      ],
    });
    expect([...first.values]).toEqual([0.4, 0.55]);
    expect(first.unit).toBe('ratio');
  });
});

describe('access logs', () => {
  const lines = [
    '1.2.3.4 - - [01/Mar/2026:00:00:01 +0100] "GET / HTTP/1.1" 200 512 "-" "curl"',
    '1.2.3.4 - - [01/Mar/2026:00:00:14 +0100] "GET /a[b] HTTP/1.1" 200 512 "-" "curl"',
    '1.2.3.4 - - [01/Mar/2026:00:00:14 +0100] "GET /é HTTP/1.1" 200 512 "-" "curl"',
    '1.2.3.4 - - [01/Mar/2026:00:00:46 +0100] "GET / HTTP/1.1" 500 512 "-" "curl"',
  ];
  it('counts the lines of nginx and Apache by steps', async () => {
    const { first, provenance } = await read(lines.join('\r\n'), { step_s: 15 });
    expect([...first.values]).toEqual([0.2, 0, 0, 1 / 15]);
    expect(first.times_s[0]).toBe(Date.UTC(2026, 1, 28, 23) / 1000);
    expect(provenance.sources[0].format).toBe('access-log');
  });

  it('counts the lines of a load balancer and of Envoy', async () => {
    const alb = (s: string) =>
      `https 2026-03-01T00:00:${s}.186641Z app/lb/50dc 192.168.1.1:2817 10.0.0.1 0.0 0.1 0.0 200`;
    const { first } = await read([alb('01'), alb('59'), alb('02')].join('\n'));
    expect([...first.values]).toEqual([3 / 60]);
    const envoy = (s: string) => `[2026-03-01T00:00:${s}.310Z] "POST /x HTTP/2" 204 - 154 0 226`;
    expect([...(await read([envoy('01'), envoy('02')].join('\n'))).first.values]).toEqual([2 / 60]);
  });

  it('names a line without a time, and leaves it out when that is allowed', async () => {
    const broken = [...lines.slice(0, 3), 'garbage', lines[3]].join('\n');
    await expect(read(broken)).rejects.toThrow(/row 4.*"garbage" has no time.*--skip-bad N/);
    const { log } = await read(broken, { skipBad: 1 });
    expect(log.problems).toMatchObject([{ row: 4 }]);
    expect(log.changes('dropped')[0].count).toBe(1);
  });

  it('adds up the files of a rotated log', async () => {
    const file = (name: string, of: string[]) =>
      bytesSource(name, new TextEncoder().encode(`${of.join('\n')}\n`));
    const { data } = await importFiles([
      file('access.log', lines.slice(2)),
      file('access.log.1', lines.slice(0, 2)),
    ]);
    expect(data.as === 'series' && [...data.series[0].values]).toEqual([4 / 60]);
  });

  it('reads lines however they are cut into pieces', async () => {
    const text = `${lines.join('\n')}\n`;
    const bytes = new TextEncoder().encode(text);
    const whole = await read(text);
    for (let size = 1; size < 60; size += 7) {
      const chunks = async function* () {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      };
      const { data } = await importFiles([{ name: 'log', size: bytes.length, chunks }]);
      expect(data.as === 'series' && [...data.series[0].values]).toEqual([...whole.first.values]);
    }
  });
});

it('counts rows that are nothing but times', async () => {
  const { first, provenance } = await read('submit_time_us\n600000000\n601000000\n670000000\n');
  expect([...first.values]).toEqual([2 / 60, 1 / 60]);
  expect(provenance.sources[0].format).toBe('events');
});
