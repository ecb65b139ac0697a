/** Limits of WebSocket connections: how many, how large, and how long one may be silent. */
import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { together } from './batched-writes.js';

const HEARTBEAT_MS = 30_000;
/** A client that reads this much slower than it asks is cut off. */
const BUFFERED_BYTES_MAX = 64 * 2 ** 20;

/** RFC 6455 close codes. */
export const CLOSE = { normal: 1000, goingAway: 1001, tooBig: 1009, tryAgainLater: 1013 } as const;

/** Counts the connections, finds dead ones by pings, and closes all at the end. */
export class SocketLimits {
  private readonly open = new Set<WebSocket>();
  private readonly silent = new WeakSet<WebSocket>();
  private readonly timer: NodeJS.Timeout;

  /** @param capacity most connections at a time */
  constructor(readonly capacity: number) {
    this.timer = setInterval(() => this.pingAll(), HEARTBEAT_MS);
    this.timer.unref();
  }

  get size(): number {
    return this.open.size;
  }

  /** Takes a connection up; false where there are too many, and the caller has to end it. */
  admit(socket: WebSocket): boolean {
    if (this.open.size >= this.capacity) return false;
    this.open.add(socket);
    socket.on('close', () => this.open.delete(socket));
    socket.on('pong', () => this.silent.delete(socket));
    socket.on('message', () => this.silent.delete(socket));
    return true;
  }

  /** Ends every connection; those that do not answer the closing within a second are cut. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    const closing = [...this.open].map(
      (socket) =>
        new Promise<void>((resolve) => {
          const cut = setTimeout(() => socket.terminate(), 1000);
          socket.once('close', () => {
            clearTimeout(cut);
            resolve();
          });
          socket.close(CLOSE.goingAway, 'the server is going down');
        }),
    );
    await Promise.all(closing);
  }

  private pingAll(): void {
    for (const socket of this.open) {
      if (this.silent.has(socket)) {
        socket.terminate();
        continue;
      }
      this.silent.add(socket);
      socket.ping();
    }
  }
}

/** Sends, unless what waits to be read has grown too large: then the connection is cut. */
export function sendBounded(socket: WebSocket, data: string | Uint8Array): void {
  together(() => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > BUFFERED_BYTES_MAX) socket.terminate();
    else socket.send(data, { binary: typeof data !== 'string' });
  });
}

/** Largest text of a frame whose length is two bytes. */
const SHORT_FRAME_BYTES_MAX = 0xffff;

/**
 * Sends ASCII text as one unfragmented frame of RFC 6455, in one write: ws encodes the text, and
 * writes head and text apart, for more than all else that a small reply costs to send. `stream` is
 * what `socket` was upgraded from; both write whole frames at once, so theirs never mix.
 */
export function sendAscii(socket: WebSocket, stream: Writable, text: string): void {
  const { length } = text;
  if (length > SHORT_FRAME_BYTES_MAX) {
    sendBounded(socket, text);
    return;
  }
  const head =
    length < 126
      ? String.fromCharCode(0x81, length)
      : String.fromCharCode(0x81, 126, length >> 8, length & 0xff);
  together(() => {
    if (socket.readyState !== socket.OPEN) return;
    if (stream.writableLength > BUFFERED_BYTES_MAX) socket.terminate();
    else stream.write(head + text, 'latin1');
  });
}

/**
 * Handles a connection's messages one after the other, although some are answered later than at
 * once. A frame of more than `limit` bytes ends the connection.
 */
export function inOrder(
  socket: WebSocket,
  limit: number,
  handle: (text: string) => Promise<void> | void,
): void {
  const waiting: string[] = [];
  let isBusy = false;
  const workLater = async (first: Promise<void>) => {
    isBusy = true;
    socket.pause(); // what is read meanwhile would only wait here
    await first;
    for (let text = waiting.shift(); text !== undefined; text = waiting.shift()) await handle(text);
    socket.resume();
    isBusy = false;
  };
  socket.on('error', () => socket.terminate());
  socket.on('message', (data: Buffer) => {
    if (data.length > limit) {
      socket.close(CLOSE.tooBig, `a frame may have ${limit} bytes`);
      return;
    }
    const text = data.toString();
    if (isBusy) {
      waiting.push(text);
      return;
    }
    const later = handle(text);
    if (later !== undefined) void workLater(later);
  });
}
