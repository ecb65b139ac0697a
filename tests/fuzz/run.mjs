/**
 * Fuzzes the built server: `node tests/fuzz/run.mjs [--requests 10000]`. Schemathesis, installed
 * below `.venv/`, sends generated requests to every endpoint of the OpenAPI document; then every
 * WebSocket gets malformed frames. Fails on a 5xx that is no 503, a crash or a hang.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const folder = '.venv/schemathesis';
const { values } = parseArgs({ options: { requests: { type: 'string', default: '10000' } } });
const requests = Number(values.requests);
if (!Number.isInteger(requests) || requests < 1) throw new Error('--requests takes a number');

/** Runs a program, showing what it prints; resolves to its exit code and its output. */
function run(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
      process.stdout.write(data);
    });
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

async function install() {
  if (existsSync(join(root, folder, 'bin/schemathesis'))) return;
  const isMade = (await run('python3', ['-m', 'venv', folder])).code === 0;
  const args = ['-m', 'pip', 'install', '--quiet', 'schemathesis==4.32.5'];
  const isGood = isMade && (await run(join(root, folder, 'bin/python'), args)).code === 0;
  if (!isGood) throw new Error('schemathesis could not be installed');
}

function startServer() {
  const settings = ['--port', '0', '--rate-limit', '0', '--sessions', '1000'];
  const server = spawn(process.execPath, ['bin/infragym.mjs', 'serve', ...settings], {
    cwd: root,
    env: { ...process.env, INFRAGYM_DATA_DIR: ':memory:', INFRAGYM_MAX_QUEUE: '100000' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    server.stdout.once('data', (data) => resolve({ server, base: String(data).trim() }));
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

/** Rounds of generated requests, each of a seed of its own, until so many have been sent. */
async function fuzzHttp(base) {
  const { paths } = await (await fetch(`${base}/openapi.json`)).json();
  const operations = Object.values(paths).flatMap(Object.keys).length;
  let sent = 0;
  for (let seed = 1; sent < requests; seed++) {
    const examples = Math.max(1, Math.ceil((requests - sent) / operations));
    const { code, output } = await run(join(root, folder, 'bin/schemathesis'), [
      ...['run', `${base}/openapi.json`, '--url', base, '--workers', '2'],
      ...['--checks', 'not_a_server_error', '--max-examples', String(examples)],
      ...['--phases', 'examples,coverage,fuzzing', '--request-timeout', '20'],
      // An event stream has no end that a generator of requests could wait for.
      ...['--exclude-path-regex', '/stream$', '--continue-on-failure', '--seed', String(seed)],
    ]);
    // An operation with few different requests is done before it has sent its share.
    const generated = Number(/(\d+) generated/.exec(output)?.[1] ?? 0);
    if (code !== 0 || generated === 0) return false;
    sent += generated;
  }
  console.log(`${sent} requests sent`);
  return true;
}

const FRAMES = [
  '',
  '{',
  '[]',
  'null',
  '{"type":1}',
  '{"type":"step","data":[]}',
  '{"type":"reset","data":{"seed":1e999}}',
  '{"type":"reset","data":{"config":{"table":"/etc/passwd"}}}',
  '{"type":"mcp","data":{"jsonrpc":"2.0","method":"tools/call"}}',
  `{"type":"step","data":${'['.repeat(5000)}${']'.repeat(5000)}}`,
  `"${'x'.repeat(2 ** 20)}"`,
  Buffer.alloc(0),
  Buffer.alloc(3),
  Buffer.alloc(2 ** 16, 255),
];

/** Sends every frame, and random ones, each on a connection of its own. */
async function fuzzSockets(base) {
  const body = JSON.stringify({ num_envs: 4 });
  const headers = { 'content-type': 'application/json' };
  const made = await (await fetch(`${base}/vec`, { method: 'POST', headers, body })).json();
  const random = Array.from({ length: 50 }, (_, i) => randomBytes(i * 37));
  for (const path of ['/ws', '/mcp', made.url]) {
    for (const frame of [...FRAMES, ...random]) {
      const socket = new WebSocket(base.replace('http', 'ws') + path);
      await new Promise((resolve) => {
        socket.once('error', resolve);
        socket.once('close', resolve);
        socket.once('open', () => {
          socket.send(frame);
          setTimeout(() => socket.close(), 10);
        });
      });
    }
  }
  return (await fetch(`${base}/health`)).ok;
}

await install();
const { server, base } = await startServer();
const results = [
  ['generated requests', await fuzzHttp(base)],
  ['malformed frames', await fuzzSockets(base)],
  ['the server is still up', server.exitCode === null],
];
server.kill();
for (const [name, isGood] of results) console.log(`${isGood ? 'ok' : 'FAILED'} ${name}`);
process.exitCode = results.every(([, isGood]) => isGood) ? 0 : 1;
