import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recordedTraffic } from '../../src/compile/serving/traffic.js';
import { decodeTraffic, encodeTraffic } from '../../src/data/traffic-profile.js';
import { isSharedDataAbsent, sharedData } from '../support/shared-data.js';

const NAMES = ['azure-conv', 'azure-code', 'mooncake-conversation'];
const load = (name: string) => decodeTraffic(readFileSync(`data/traffic/${name}.json`, 'utf8'));
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('traffic profiles', () => {
  it.each(NAMES)('%s survives its text', (name) => {
    const profile = load(name);
    expect(decodeTraffic(encodeTraffic(profile))).toEqual(profile);
    expect(profile.licence).toMatch(/CC-BY-4.0|Apache-2.0/);
  });

  it.each(NAMES)('%s is scaled to the rate that is asked for, in 64 levels', (name) => {
    const profile = load(name);
    const traffic = recordedTraffic(profile, 20);
    expect(traffic.rates.length).toBeLessThanOrEqual(64);
    expect(traffic.levels).toHaveLength(profile.ratesRps.length);
    expect(traffic.meanRate).toBeCloseTo(20, 0);
    expect(traffic.promptLens).toEqual(profile.promptLens);
    const mean = sum(profile.ratesRps) / profile.ratesRps.length;
    const top = Math.max(...profile.ratesRps);
    traffic.levels.forEach((level, i) => {
      const exact = (profile.ratesRps[i] * 20) / mean;
      expect(Math.abs(traffic.rates[level] - exact)).toBeLessThan((top * 20) / mean / 120);
    });
  });

  it.each<[string, string, RegExp]>([
    ['what is not JSON', '{', /not JSON/],
    ['another format', '{"format":"x"}', /format is "x"/],
    ['a missing field', '{"format":"infragym-traffic/1"}', /rates_rps must be an array/],
    [
      'a negative rate',
      '{"format":"infragym-traffic/1","rates_rps":[-1],"prompt_lens":[1]}',
      /rates_rps\[0\] is "-1"/,
    ],
    [
      'silence',
      '{"format":"infragym-traffic/1","rates_rps":[0],"prompt_lens":[1]}',
      /some rate above 0/,
    ],
  ])('refuse %s', (_, text, message) => {
    expect(() => decodeTraffic(text)).toThrow(message);
  });

  it.skipIf(isSharedDataAbsent())('hold the counts of the recordings', () => {
    const recordings = {
      'azure-conv': 'azure2023_conv_per_second.csv',
      'azure-code': 'azure2023_code_per_second.csv',
      'mooncake-conversation': 'mooncake_conversation_per_second.csv',
    };
    for (const [name, file] of Object.entries(recordings)) {
      const text = readFileSync(sharedData(`llm_workload/${file}`), 'utf8').trim();
      const requests = text
        .split('\n')
        .slice(1)
        .map((line) => Number(line.split(',')[1]));
      const profile = load(name);
      expect(profile.ratesRps).toHaveLength(requests.length);
      expect(sum(profile.ratesRps) / sum(requests)).toBeCloseTo(1, 1);
      const middle = Math.floor(requests.length / 2);
      const window = requests.slice(middle - 15, middle + 15);
      expect(profile.ratesRps[middle]).toBeCloseTo(sum(window) / 30, 2);
    }
  });
});
