/** The engine's kernel: its fast path against the oracle, its invariants, hostile traces. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/errors.js';
import type { TraceRequest } from '../../src/envs/engine/requests.js';
import { type EngineConfig, ROUTERS, setUpEngine } from '../../src/envs/engine/setup.js';
import {
  EngineSimulation,
  simulateEngine,
  simulateEngineStream,
} from '../../src/envs/engine/simulate.js';
import { EngineCluster } from '../../src/reference/engine/cluster.js';
import { createEngineState, type EngineState } from '../../src/reference/engine/state.js';

const BASE: EngineConfig = { model: 'llama-3.1-8b', gpu: 'a100-80gb' };

const configs = fc.record({
  model: fc.constant('llama-3.1-8b'),
  gpu: fc.constant('a100-80gb'),
  replicas: fc.integer({ min: 1, max: 3 }),
  router: fc.constantFrom(...ROUTERS),
  max_num_seqs: fc.integer({ min: 1, max: 24 }),
  max_num_batched_tokens: fc.integer({ min: 24, max: 600 }),
  num_gpu_blocks: fc.integer({ min: 70, max: 300 }),
  enable_prefix_caching: fc.boolean(),
  async_scheduling: fc.boolean(),
  reserve_full: fc.boolean(),
  preallocated_blocks: fc.constantFrom(0, 4),
  system_prompt_tokens: fc.constantFrom(0, 40),
  admission_order: fc.constantFrom('fcfs', 'priority', 'deadline'),
  preemption_order: fc.constantFrom('newest', 'lowest-priority'),
  slo_ttft_s: fc.constant([2, 0.2]),
}) as fc.Arbitrary<EngineConfig>;

const traces = fc
  .array(
    fc.record({
      gap: fc.double({ min: 0, max: 0.6, noNaN: true }),
      prompt_tokens: fc.integer({ min: 1, max: 500 }),
      output_tokens: fc.integer({ min: 1, max: 160 }),
      class: fc.integer({ min: 0, max: 1 }),
      session: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((rows): TraceRequest[] => {
    let arrival_s = 0;
    return rows.map(({ gap, share, session, ...row }) => {
      arrival_s += gap;
      const shared_tokens = Math.floor(share * row.prompt_tokens);
      return { ...row, arrival_s, shared_tokens, ...(session !== undefined && { session }) };
    });
  });

const LIMITS = { queue: 40, sessions: 5 };

/** Plays a trace with stops between, which must change nothing. */
function played(trace: readonly TraceRequest[], config: EngineConfig, isFast: boolean, stop = 0) {
  const simulation = new EngineSimulation(config, LIMITS, { isFast });
  for (const request of trace) {
    if (stop > 0) simulation.sample(request.arrival_s - stop);
    simulation.push(request);
  }
  simulation.finishAll();
  const { iterations, ...counts } = simulation.counts();
  return { results: simulation.takeResults(), counts, iterations };
}

describe('the fast path', () => {
  it('gives the bits of the oracle', () => {
    fc.assert(
      fc.property(traces, configs, (trace, config) => {
        expect(played(trace, config, true)).toEqual(played(trace, config, false));
      }),
      { numRuns: 60 },
    );
  });

  it('does not see where time was stopped', () => {
    fc.assert(
      fc.property(traces, configs, (trace, config) => {
        const one = { ...config, replicas: 1 };
        expect(played(trace, one, true, 0.13)).toEqual(played(trace, one, true));
      }),
      { numRuns: 40 },
    );
  });
});

/** Throws where a replica's books do not balance. */
function checkBooks(e: EngineState, s: ReturnType<typeof setUpEngine>['scalars']): void {
  for (let r = 0; r < s.replicas; r++) {
    const held = e.running[r]! + e.preempted[r]!;
    const order = Array.from(e.order.subarray(r * s.slots, (r + 1) * s.slots));
    expect(new Set(order).size).toBe(s.slots);
    const own = order.slice(0, e.running[r]).map((slot) => {
      const at = r * s.slots + slot;
      const room = (e.slotBlocks[at]! + s.systemBlocks) * 16;
      expect(room).toBeGreaterThanOrEqual(e.slotComputed[at]!);
      expect(e.slotBorrowed[at]).toBeLessThanOrEqual(e.slotBlocks[at]!);
      return e.slotBlocks[at]! - e.slotBorrowed[at]!;
    });
    const inUse = own.reduce((sum, blocks) => sum + blocks, 0);
    expect(e.freeBlocks[r]! + inUse).toBe(s.kvBlocks);
    let cached = e.cleanBlocks[r]!;
    let walked = 0;
    for (let k = e.segmentHead[r]!; k > 0; k = e.segmentNext[r * s.segments + k - 1]!) {
      cached += e.segmentBlocks[r * s.segments + k - 1]!;
      expect(++walked).toBeLessThanOrEqual(s.segments);
    }
    expect(cached).toBe(e.freeBlocks[r]);
    expect(held).toBeLessThanOrEqual(s.slots);
    expect(e.queued[r]).toBeLessThanOrEqual(s.queue);
  }
}

describe('the books', () => {
  it('balance at every moment, the clocks never go back, and all admitted requests end', () => {
    fc.assert(
      fc.property(traces, configs, (trace, config) => {
        const { scalars, tables, knobs } = setUpEngine(config, LIMITS);
        let ended = 0;
        const events = { first: () => {}, finish: () => void ended++ };
        const cluster = new EngineCluster(scalars, tables, events);
        const e = Object.assign(createEngineState(scalars), knobs);
        cluster.reset(e, scalars.replicas);
        let before = Array.from(e.clock);
        const step = (time: number) => {
          cluster.advance(e, time);
          checkBooks(e, scalars);
          expect(before.every((clock, r) => clock <= e.clock[r]!)).toBe(true);
          before = Array.from(e.clock);
        };
        trace.forEach((request, index) => {
          step(request.arrival_s);
          cluster.arrive(e, {
            index,
            arrival: request.arrival_s,
            promptTokens: request.prompt_tokens,
            outputTokens: request.output_tokens,
            group: request.class ?? 0,
            session: request.session === undefined ? 0 : Number(request.session) + 1,
            sharedTokens: request.shared_tokens ?? 0,
          });
          checkBooks(e, scalars);
        });
        for (let t = 1; t <= 400; t++) step(trace.at(-1)!.arrival_s + t);
        expect(ended + e.rejected).toBe(trace.length);
      }),
      { numRuns: 15 },
    );
  });
});

describe('a trace', () => {
  const one = { arrival_s: 0, prompt_tokens: 100, output_tokens: 10 };

  it('is refused by field where a request is none', () => {
    const refused = (change: object) => () => simulateEngine([{ ...one, ...change }], BASE);
    expect(refused({ arrival_s: -1 })).toThrow(DataError);
    expect(refused({ arrival_s: -1 })).toThrow('request 0: arrival_s is -1; a number from 0 on');
    expect(refused({ prompt_tokens: 0 })).toThrow('prompt_tokens is 0');
    expect(refused({ prompt_tokens: 1e8 })).toThrow('prompt_tokens is 100000000');
    expect(refused({ output_tokens: 1.5 })).toThrow('output_tokens is 1.5');
    expect(refused({ shared_tokens: 101 })).toThrow('shared_tokens is 101');
    expect(refused({ class: 256 })).toThrow('class is 256');
    const late = [{ ...one, arrival_s: 2 }, one];
    expect(() => simulateEngine(late, BASE)).toThrow('request 1: arrival_s is 0; the order of');
  });

  it('with a request larger than the cache has it rejected and goes on', () => {
    const huge = { ...one, prompt_tokens: 10_000_000 };
    const { requests, counts } = simulateEngine([huge, one], BASE);
    expect(requests.map(({ rejected }) => rejected)).toEqual([true, false]);
    expect(counts).toMatchObject({ requests: 2, completed: 1, rejected: 1 });
    expect(requests[0]!.ttft_s).toBeNaN();
  });

  it('of one request is as fast as its parts', () => {
    const { requests } = simulateEngine([one], BASE);
    const [{ ttft_s, e2e_s, tpot_s, queue_s }] = requests as [(typeof requests)[0]];
    expect(ttft_s).toBeGreaterThan(0.015);
    expect(ttft_s).toBeLessThan(0.05);
    expect(e2e_s).toBeCloseTo(ttft_s + 9 * tpot_s, 12);
    expect(queue_s).toBeLessThan(ttft_s);
  });

  it('gives the same results as a stream', () => {
    const trace = Array.from({ length: 200 }, (_, i) => ({ ...one, arrival_s: i / 20 }));
    const stream = [...simulateEngineStream(trace, BASE)];
    const whole = simulateEngine(trace, BASE, { sampleEvery_s: 0.5, keepsEvents: true });
    expect(stream.sort((a, b) => a.request - b.request)).toEqual(whole.requests);
    expect(whole.events.filter(({ kind }) => kind === 'finish')).toHaveLength(200);
    expect(whole.samples.some(({ running }) => running[0]! > 1)).toBe(true);
  });

  it('refuses engines that cannot be', () => {
    const refused = (change: object) => () => simulateEngine([one], { ...BASE, ...change });
    expect(refused({ model: 'gpt-5' })).toThrow('model is "gpt-5": one of llama-3.1-8b');
    expect(refused({ gpu: 'abacus' })).toThrow('gpu is "abacus"');
    expect(refused({ max_num_seqs: 0 })).toThrow('max_num_seqs is 0: an integer in 1..4096');
    expect(refused({ router: 'luck' })).toThrow('router is "luck": one of random');
    expect(refused({ model: 'llama-3.1-70b' })).toThrow('take more GPUs');
  });
});
