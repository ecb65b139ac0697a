/** Load for the server: HTTP by autocannon, WebSockets that ask and wait, batches by frames. */
import autocannon from 'autocannon';
import { WebSocket } from 'ws';

// No episode ends while it is measured; each session keeps 12 bytes for each step of its episode.
const LONG = { episode_len: 200_000 };
const ACTION = { kv_budget: 0.5, batch_size: 128, spec_length: 0 };

export async function post(url, body) {
  const reply = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}

/** Makes sessions whose episodes do not end; resolves to the bodies of their steps. */
export async function stepBodies(base, count) {
  const bodies = [];
  for (let seed = 0; seed < count; seed++) {
    const { session_id } = await post(`${base}/reset`, { task_id: 1, seed, config: LONG });
    bodies.push(JSON.stringify({ session_id, action: ACTION }));
  }
  return bodies;
}

/** Posts bodies in turn, one for each connection; resolves to autocannon's result. */
export async function http(url, bodies, seconds) {
  let next = 0;
  return autocannon({
    url,
    method: 'POST',
    connections: bodies.length,
    duration: seconds,
    headers: { 'content-type': 'application/json' },
    setupClient: (client) => client.setBody(bodies[next++ % bodies.length]),
  });
}

function open(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace('http', 'ws'), { perMessageDeflate: false });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Messages a second that `count` connections exchange, each waiting for its reply. */
export async function messages(url, { count, seconds, first, message, check }) {
  const sockets = await Promise.all(Array.from({ length: count }, () => open(url)));
  for (const socket of sockets) {
    if (first === undefined) continue;
    const reply = new Promise((resolve) => socket.once('message', resolve));
    socket.send(first);
    await reply;
  }
  let exchanged = 0;
  let isOver = false;
  for (const socket of sockets) {
    socket.on('message', (data) => {
      exchanged++;
      if (exchanged % 1000 === 1) check(String(data));
      if (!isOver) socket.send(message);
    });
    socket.send(message);
  }
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  isOver = true;
  const rate = exchanged / ((performance.now() - started) / 1000);
  for (const socket of sockets) socket.close();
  return rate;
}

export const openEnvLoad = {
  first: JSON.stringify({ type: 'reset', data: { config: LONG } }),
  message: JSON.stringify({ type: 'step', data: ACTION }),
  check(text) {
    if (!text.startsWith('{"type":"observation"')) throw new Error(text.slice(0, 200));
  },
};

/** Environment steps a second of one batch, two frames on their way at a time. */
export async function batch(base, { numEnvs, seconds }) {
  const made = await post(`${base}/vec`, { task_id: 1, num_envs: numEnvs });
  const socket = await open(base + made.url);
  const rows = new Float32Array(numEnvs * made.baseline_action.length);
  for (let i = 0; i < numEnvs; i++) rows.set(made.baseline_action, i * made.baseline_action.length);
  const frame = Buffer.alloc(4 + rows.byteLength);
  frame.writeUInt32LE(1, 0);
  frame.set(new Uint8Array(rows.buffer), 4);
  let frames = 0;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    socket.on('message', (data) => {
      if (data.length !== made.layout.reply.bytes) return reject(new Error(String(data)));
      frames++;
      const elapsed = (performance.now() - started) / 1000;
      if (elapsed < seconds) return socket.send(frame);
      socket.close();
      return resolve({ rate: (frames * numEnvs) / elapsed, backend: made.backend });
    });
    socket.send(frame);
    socket.send(frame);
  });
}
