import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeImported } from '../../../src/data/import/encode.js';
import { importTrace } from '../../support/imports.js';
import { isSharedDataAbsent, sharedData } from '../../support/shared-data.js';

describe('request traces', () => {
  it('reads Azure’s with all seven digits of its times', async () => {
    const { trace, provenance } = await importTrace(
      'TIMESTAMP,ContextTokens,GeneratedTokens\n' +
        '2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n',
    );
    expect(provenance.sources[0].format).toBe('azure-llm');
    expect(trace.arrival_s[1]).toBeCloseTo(4.314579, 9);
    expect([...trace.prompt_tokens]).toEqual([374, 396]);
    expect(trace.start_epoch_s).toBeCloseTo(Date.UTC(2023, 10, 16, 18, 15, 46) / 1000 + 0.68059, 6);
  });

  it('reads BurstGPT, leaving failed requests out and counting them', async () => {
    const { trace, provenance } = await importTrace(
      'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n' +
        '5,ChatGPT,472,18,490,Conversation log\n45,GPT-4,1087,0,1087,Conversation log\n' +
        '118,ChatGPT,417,276,693,API log\n',
    );
    expect([...trace.arrival_s]).toEqual([5, 118]);
    expect(provenance.dropped).toEqual([{ what: 'requests without output tokens', count: 1 }]);
    expect(trace.classes).toEqual(['Conversation log', 'API log']);
  });

  it('reads Mooncake: the parent is the last request with the same blocks', async () => {
    const lines = [
      { timestamp: 0, input_length: 1100, output_length: 5, hash_ids: [1, 2, 3] },
      { timestamp: 1000, input_length: 1300, output_length: 5, hash_ids: [1, 2, 9] },
      { timestamp: 1000, input_length: 900, output_length: 5, hash_ids: [7, 8] },
      { timestamp: 2500, input_length: 1500, output_length: 5, hash_ids: [1, 2, 3] },
    ];
    const { trace } = await importTrace(lines.map((line) => JSON.stringify(line)).join('\n'));
    expect([...trace.arrival_s]).toEqual([0, 1, 1, 2.5]);
    expect([...trace.prefix_parent!]).toEqual([-1, 0, -1, 0]);
    expect([...trace.prefix_tokens!]).toEqual([0, 1024, 0, 1500]);
  });

  it('reads a detailed result of vLLM with what was measured', async () => {
    const { trace } = await importTrace(
      {
        completed: 2,
        duration: 3,
        mean_ttft_ms: 100,
        input_lens: [10, 20, 30],
        output_lens: [3, 2, 1],
        ttfts: [0.1, 0.2, 0],
        itls: [[0.01, 0.02], [0.05], []],
        errors: ['', '', 'timeout'],
        start_times: [1000.5, 1001.25, 1002],
      },
      { as: 'trace' },
    );
    expect([...trace.arrival_s]).toEqual([0, 0.75]);
    expect(trace.e2e_s![0]).toBeCloseTo(0.13);
    expect([...trace.ttft_s!]).toEqual([0.1, 0.2]);
  });

  it('reads conversations once a rate is given, each answer after the one before', async () => {
    const conversation = {
      id: 'c1',
      conversations: [
        { from: 'human', value: 'x'.repeat(40) },
        { from: 'gpt', value: 'y'.repeat(80) },
        { from: 'human', value: 'x'.repeat(40) },
        { from: 'gpt', value: 'y'.repeat(20) },
      ],
    };
    await expect(importTrace([conversation])).rejects.toThrow(/--rate REQUESTS_PER_S/);
    const { trace } = await importTrace([conversation], { rate: 2 });
    expect([...trace.prompt_tokens]).toEqual([10, 40]);
    expect([...trace.output_tokens]).toEqual([20, 5]);
    expect([...trace.prefix_parent!]).toEqual([-1, 0]);
    expect([...trace.arrival_s]).toEqual([0, 0.5]);
  });

  it('takes columns by their roles, and names those that are missing', async () => {
    const text = 'when;in;out\n0,5;10;20\n1,5;11;21\n';
    const columns = { arrival: 'when', prompt: 'in', output: 'out' };
    const { trace } = await importTrace(text, { as: 'trace', columns });
    expect([...trace.arrival_s]).toEqual([0.5, 1.5]);
    await expect(importTrace(text, { as: 'trace' })).rejects.toThrow(/--columns/);
  });

  it.each([
    ['0,10,5\n-1,10,5\n', /row 2.*arrives 1 s before the row above.*--sort/],
    ['0,10,5\n1,10.5,5\n', /row 2.*10\.5 prompt tokens/],
    ['0,10,5\n1,-3,5\n', /row 2.*-3 prompt tokens/],
    ['0,10,5\n1,,5\n', /row 2, column "prompt_tokens": is empty.*--skip-bad/],
    ['0,10,5\nsoon,10,5\n', /row 2.*"soon" is no time/],
  ])('refuses %j', async (rows, problem) => {
    const text = `arrival_s,prompt_tokens,output_tokens\n${rows}`;
    await expect(importTrace(text)).rejects.toThrow(problem);
  });

  it('cuts a window out, parents beyond it gone', async () => {
    const { trace } = await importTrace(
      'arrival_s,prompt_tokens,output_tokens,prefix_parent,prefix_tokens\n' +
        '0,10,1,-1,0\n10,20,1,0,8\n20,30,1,1,16\n30,40,1,-1,0\n',
      { from: '10', to: '30' },
    );
    expect([...trace.arrival_s]).toEqual([0, 10]);
    expect([...trace.prefix_parent!]).toEqual([-1, 0]);
    expect([...trace.prefix_tokens!]).toEqual([0, 16]);
  });
});

describe('a written trace', () => {
  const request = fc.record({
    gap: fc.double({ min: 0, max: 1000, noNaN: true }),
    prompt: fc.integer({ min: 1, max: 200_000 }),
    output: fc.integer({ min: 1, max: 8192 }),
    ttft: fc.option(fc.double({ min: 0, max: 10, noNaN: true })),
  });
  it.each(['out.csv', 'out.parquet'])('is read back the same from %s', async (name) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        async (requests, isEpoch) => {
          let t = isEpoch ? 1_700_000_000 : 0;
          const rows = requests.map(({ gap, prompt, output, ttft }) => {
            t += gap;
            return [t, prompt, output, ttft ?? ''].join(',');
          });
          const text = `arrival_s,prompt_tokens,output_tokens,ttft_s\n${rows.join('\n')}\n`;
          const { trace, data } = await importTrace(text);
          const again = await importTrace(encodeImported(data, name), {}, name);
          const { provenance: _a, name: _n, ...expected } = trace;
          const { provenance: _b, name: _m, ...found } = again.trace;
          expect(found).toEqual(expected);
          expect(again.provenance.sources).toHaveLength(2);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe.skipIf(isSharedDataAbsent())('recorded traces', () => {
  it.each([
    ['llm_workload/raw/AzureLLMInferenceTrace_conv.csv', 19_366],
    ['llm_workload/raw/AzureLLMInferenceTrace_code.csv', 8819],
    ['llm_workload/mooncake_conversation.csv', 12_031],
  ])('reads %s', async (path, count) => {
    const { trace } = await importTrace(new Uint8Array(readFileSync(sharedData(path))));
    expect(trace.arrival_s).toHaveLength(count);
  });
});
