/** Damaged and hostile files: an answer or a DataError, in bounded time and memory. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/data/errors.js';
import { DEFAULT_READ_LIMITS } from '../../../src/data/read/source.js';
import { importOne } from '../../support/imports.js';

const samples: Record<string, string> = {
  series: `time;rps\n${[10, 11, 12, 13, 15].map((m) => `2026-03-01 00:${m};${m},5\n`).join('')}`,
  trace: `arrival_s,prompt_tokens,output_tokens\n0,10,5\n1.5,20,6\n`,
  mooncake: '{"timestamp":0,"input_length":10,"output_length":5,"hash_ids":[1]}\n'.repeat(3),
  log: '1.2.3.4 - - [01/Mar/2026:00:00:01 +0100] "GET / HTTP/1.1" 200 5 "-" "x"\n'.repeat(5),
  prometheus: '{"data":{"result":[{"metric":{},"values":[[1700000000,"1"],[1700000015,"2"]]}]}}',
  cloudwatch: '{"Label":"x","Datapoints":[{"Timestamp":"2026-03-01T00:00:00Z","Sum":1}]}',
  vllm: '{"completed":1,"duration":1,"mean_ttft_ms":5,"request_rate":"inf","model_id":"m"}',
  guidellm: '{"benchmarks":[{"config":{"strategy":{"type_":"synchronous"}},"metrics":{"a":{}}}]}',
  metrics: '# TYPE a gauge\nvllm:time_to_first_token_seconds_count{a="b"} 5\n',
  swf: '; Version: 2\n1 0 5 60 4 -1 -1 4 60 -1 1 1 1 1 1 1 -1 -1\n',
};

async function outcome(bytes: Uint8Array): Promise<unknown> {
  try {
    return await importOne(bytes, { rate: 1 });
  } catch (error) {
    return error;
  }
}

describe('damaged files', () => {
  const edit = fc.tuple(
    fc.double({ min: 0, max: 0.999999, noNaN: true }),
    fc.constantFrom('change', 'cut', 'repeat'),
    fc.nat(255),
  );
  it.each(Object.keys(samples))('of %s give an answer or a DataError', async (kind) => {
    const plain = new TextEncoder().encode(samples[kind]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(edit, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (edits, zip) => {
          let bytes = zip ? new Uint8Array(gzipSync(plain)) : plain.slice();
          for (const [share, how, value] of edits) {
            const at = Math.floor(share * bytes.length);
            if (how === 'change') bytes[at] = value;
            else if (how === 'cut') bytes = bytes.slice(0, at);
            else
              bytes = new Uint8Array([
                ...bytes.slice(0, at),
                ...bytes.slice(Math.max(0, at - value)),
              ]);
          }
          const found = await outcome(bytes);
          if (found instanceof Error) expect(found).toBeInstanceOf(DataError);
        },
      ),
      { numRuns: 150, seed: 17 },
    );
  });

  it('of nothing but noise give a DataError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        const found = await outcome(bytes);
        if (found instanceof Error) expect(found).toBeInstanceOf(DataError);
      }),
      { numRuns: 300 },
    );
  });
});

describe('hostile files', () => {
  const refusal = async (content: string | Uint8Array, limits = {}) =>
    importOne(content, { limits: { ...DEFAULT_READ_LIMITS, ...limits } }).then(
      () => new Error('accepted'),
      (error: Error) => error,
    );

  it('that decompress to more than the limit stop there', async () => {
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(50_000_000, '0,1\n')));
    const error = await refusal(bomb, { decodedBytes: 1_000_000 });
    expect(error.message).toMatch(/decompressed bytes: \d+ exceeds the limit of 1000000/);
  });

  it('with a quote that never ends stop at the longest record', async () => {
    const text = `t_s,rps\n0,1\n1,1\n2,"${'x\n'.repeat(2_000_000)}`;
    const error = await refusal(text, { recordChars: 100_000 });
    expect(error.message).toMatch(/a quote that is never closed/);
  });

  it('with a line that never ends stop, too', async () => {
    const log = '1.2.3.4 - - [01/Mar/2026:00:00:01 +0100] "GET / HTTP/1.1" 200 5\n';
    const error = await refusal(`${log.repeat(3)}${'x'.repeat(3_000_000)}`, {
      recordChars: 100_000,
    });
    expect(error.message).toMatch(/a line is longer than any log has/);
  });

  it('with one time far off do not make a grid of it', async () => {
    const rows = Array.from({ length: 100 }, (_, i) => `${i},1`).join('\n');
    const error = await refusal(`t_s,rps\n${rows}\n1e12,1\n`);
    expect(error.message).toMatch(/is a time wrong\?/);
  });

  it('with more rows or columns than the limit are refused', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => `${i},1`).join('\n');
    expect((await refusal(`t_s,rps\n${rows}\n`, { rows: 20 })).message).toMatch(/limit of 20/);
    expect((await refusal(`t_s,${'x,'.repeat(50)}y\n1\n`, { columns: 20 })).message).toMatch(
      /columns: 52 exceeds/,
    );
  });

  it('of names that objects have are read like others', async () => {
    const { data } = await importOne('t_s,__proto__,constructor\n0,1,2\n1,3,4\n');
    expect(data.as === 'series' && data.series.map(({ name }) => name)).toEqual([
      '__proto__',
      'constructor',
    ]);
  });
});
