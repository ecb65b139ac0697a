/**
 * Measures the built server on this machine, client and server sharing its processors:
 * `node bench/server/run.mjs [--seconds 5] [--soak 30] [--json]`. HTTP and WebSocket steps are
 * compared with bare echoes measured in the same run, in turns. `--soak` steps 256 sessions for
 * so many seconds and looks at errors, latency and memory; `--soak 600` is the ten-minute one.
 * Exits with 1 where a target is missed.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { batch, http, messages, openEnvLoad, stepBodies } from './clients.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    soak: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds);
const soakSeconds = Number(options.soak);
if (!(seconds > 0) || !(soakSeconds >= 0)) throw new Error('--seconds and --soak take numbers');

const ROUNDS = 5;
const CONNECTIONS = 16;
const SOAK_SESSIONS = 256;

/** Starts a program that prints its address; resolves to the process and the address. */
function start(args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve({ child, base: String(data).trim() }));
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}`)));
  });
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/**
 * Measures two things in turns, so that both meet the same machine; medians of both. What comes
 * before the first round is not counted: until V8 has compiled them, the rates are a third.
 */
async function inTurns(measure, against) {
  const rates = [];
  const bare = [];
  await measure();
  await against();
  for (let round = 0; round < ROUNDS; round++) {
    rates.push(await measure());
    bare.push(await against());
  }
  const [rate, echo] = [median(rates), median(bare)];
  return { rate, echo, ratio: rate / echo };
}

function requestRate({ requests, non2xx, errors }) {
  if (non2xx > 0 || errors > 0) throw new Error(`${non2xx} replies were no 200, ${errors} errors`);
  return requests.average;
}

async function residentBytes(base) {
  const text = await (await fetch(`${base}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)[1]);
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Least-squares slope of values that were taken one a second, per second. */
function slope(values) {
  const middle = (values.length - 1) / 2;
  const average = mean(values);
  const rise = values.reduce((sum, value, i) => sum + (i - middle) * (value - average), 0);
  return rise / values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
}

/** Resident bytes, once a second, for as long as `work` takes. */
async function watchMemory(base, work) {
  const samples = [];
  let isOver = false;
  const end = work.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    samples.push(await residentBytes(base));
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 1000))]);
  }
  return samples;
}

/**
 * Errors, latency and growth of memory, the first sixth of the time left out as warm-up. Growth is
 * the last tenth of the samples against the first tenth.
 */
async function soak(base) {
  const bodies = await stepBodies(base, SOAK_SESSIONS);
  await http(`${base}/step`, bodies, Math.ceil(soakSeconds / 6));
  const load = http(`${base}/step`, bodies, soakSeconds);
  const samples = await watchMemory(base, load);
  const result = await load;
  const tenth = Math.ceil(samples.length / 10);
  const before = mean(samples.slice(0, tenth));
  const after = mean(samples.slice(-tenth));
  return {
    seconds: soakSeconds,
    sessions: SOAK_SESSIONS,
    requests: result.requests.total,
    failures: result.non2xx + result.errors + result.timeouts,
    p50_ms: result.latency.p50,
    p99_ms: result.latency.p99,
    max_ms: result.latency.max,
    memory_mb_start: before / 2 ** 20,
    memory_mb_end: after / 2 ** 20,
    memory_mb_per_minute: (slope(samples) * 60) / 2 ** 20,
    memory_growth: after / before - 1,
  };
}

function printSoak({ seconds: time, sessions, requests, ...soaked }) {
  const { failures, p50_ms, p99_ms, max_ms } = soaked;
  const [start, end, rate] = ['start', 'end', 'per_minute'].map((name) =>
    soaked[`memory_mb_${name}`].toFixed(1),
  );
  console.log(`soak of ${time} s: ${sessions} sessions, ${requests} steps, ${failures} failures`);
  console.log(`  latency p50 ${p50_ms} ms, p99 ${p99_ms} ms, max ${max_ms} ms`);
  console.log(`  memory ${start} MB, then ${end} MB, ${rate} MB/minute`);
}

const settings = ['--rate-limit', '0', '--sessions', '1000', '--port', '0'];
const memory = { INFRAGYM_DATA_DIR: ':memory:' };
const server = await start(['bin/infragym.mjs', 'serve', ...settings], memory);
const echo = await start(['bench/server/echo.mjs']);
const results = {};
try {
  const bodies = await stepBodies(server.base, CONNECTIONS);
  results.http = await inTurns(
    async () => requestRate(await http(`${server.base}/step`, bodies, seconds)),
    async () => requestRate(await http(`${echo.base}/echo`, bodies, seconds)),
  );
  const load = { count: CONNECTIONS, seconds, ...openEnvLoad };
  const bare = { ...load, first: undefined, check: () => undefined };
  results.websocket = await inTurns(
    () => messages(`${server.base}/ws`, load),
    () => messages(echo.base, bare),
  );
  results.batch = await batch(server.base, { numEnvs: 4096, seconds });
  if (soakSeconds > 0) results.soak = await soak(server.base);
} finally {
  server.child.kill();
  echo.child.kill();
}

const { http: steps, websocket, batch: frames, soak: long } = results;
const checks = [
  ['POST /step, ratio to an echo', steps.ratio, steps.ratio >= 0.6, '>= 0.6'],
  ['WebSocket step, ratio to an echo', websocket.ratio, websocket.ratio >= 0.5, '>= 0.5'],
  ['batch, env-steps/s', frames.rate, frames.rate >= 2e6, '>= 2e6'],
];
if (long !== undefined) {
  checks.push(['soak, failures', long.failures, long.failures === 0, '0']);
  checks.push(['soak, p99 ms', long.p99_ms, long.p99_ms < 50, '< 50']);
  checks.push(['soak, memory growth', long.memory_growth, long.memory_growth <= 0.1, '<= 0.1']);
}
const isGood = checks.every(([, , passed]) => passed);
if (options.json) {
  console.log(JSON.stringify({ ok: isGood, ...results }, null, 2));
} else {
  console.log(`POST /step ${steps.rate.toFixed(0)}/s, echo ${steps.echo.toFixed(0)}/s`);
  console.log(`WebSocket step ${websocket.rate.toFixed(0)}/s, echo ${websocket.echo.toFixed(0)}/s`);
  if (long !== undefined) printSoak(long);
  for (const [name, value, passed, target] of checks) {
    console.log(
      `${passed ? 'ok    ' : 'MISSED'} ${name}: ${Number(value.toPrecision(4))} (${target})`,
    );
  }
}
process.exitCode = isGood ? 0 : 1;
