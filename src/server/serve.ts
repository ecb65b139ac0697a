/** Runs the server until it is told to stop. */
import type { AddressInfo } from 'node:net';
import { buildServer } from './app.js';
import { readEnvironment, resolveConfig, type ServerConfig } from './http/config.js';
import { warmTicks } from './http/warm-ticks.js';

const SHUTDOWN_MS = 10_000;

export interface ServeEvents {
  /** Called once requests are answered. */
  onReady?(address: string): void;
}

/**
 * Serves until SIGINT or SIGTERM, then lets the requests in flight finish: resolves when
 * everything is closed. A second signal, or ten seconds, end the process at once. Settings that
 * are not given come from INFRAGYM_… variables, those also from `.env`.
 *
 * @throws RangeError for a setting that is wrong; Error where the address cannot be had.
 */
export async function serve(
  options: Partial<ServerConfig> = {},
  { onReady }: ServeEvents = {},
): Promise<void> {
  await warmTicks();
  const environment = readEnvironment();
  const config = resolveConfig(options, environment);
  const app = await buildServer(config, environment);
  const stopped = nextSignal();
  await app.listen({ host: config.host, port: config.port });
  const { port } = app.server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  onReady?.(`http://${host}:${port}`);
  await stopped;
  const cut = setTimeout(() => process.exit(1), SHUTDOWN_MS);
  cut.unref();
  void nextSignal().then(() => process.exit(1));
  await app.close();
  clearTimeout(cut);
}

/** Resolves at the next SIGINT or SIGTERM. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    const heard = () => {
      process.off('SIGINT', heard);
      process.off('SIGTERM', heard);
      resolve();
    };
    process.on('SIGINT', heard);
    process.on('SIGTERM', heard);
  });
}
