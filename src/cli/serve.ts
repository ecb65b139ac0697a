/** `infragym serve`: environments, OpenEnv and experiments over HTTP and WebSocket. */
import type { Command } from 'commander';
import type { ServerConfig } from '../server/index.js';
import { backendOption, finish, integer } from './options.js';
import { note, print, printJson } from './output.js';

type ServeOptions = Partial<ServerConfig> & { readonly json?: boolean };

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('serve the environments over HTTP and WebSocket until interrupted')
    .option('--port <port>', 'default 7860; 0 takes a free one', integer(0, 65_535))
    .option('--host <address>', 'default 127.0.0.1; 0.0.0.0 in a container')
    .option('--openenv <task>', "what OpenEnv's clients find at the root")
    .option('--token <text>', 'bearer token that every request must carry')
    .option('--rate-limit <n>', 'requests a minute from one address, 0 = off', integer(0, 1e9))
    .option('--sessions <n>', 'HTTP sessions that are kept', integer(1, 100_000))
    .option('--sockets <n>', 'WebSocket connections at a time', integer(1, 100_000))
    .option('--vec-envs <n>', 'environments of one batch at most', integer(1, 2 ** 20))
    .option('--max-runs <n>', 'experiments that execute at a time', integer(1, 64))
    .option('--data-dir <folder>', "folder of the experiments' database")
    .option('--cors-origin <origin>', 'Access-Control-Allow-Origin, default *')
    .option('--trust-proxy', 'take the address of a client from X-Forwarded-For')
    .option('--log-level <level>', 'JSON log on stderr, default warn; info has the requests')
    .addOption(backendOption().default(undefined))
    .action(async ({ json, ...options }: ServeOptions) => {
      // Loaded here, so that the other commands do not wait for a web framework.
      const { serve } = await import('../server/index.js');
      await serve(options, { onReady: (address) => announce(address, json === true) });
    });
  finish(command, 'infragym serve --port 7860 --openenv autoscaling/easy-v1');
}

/** The address goes to stdout, for whoever waits for it there. */
function announce(address: string, json: boolean): void {
  if (json) printJson({ address });
  else print(address);
  note(`open it in a browser; the API's documentation is at ${address}/api/docs; Ctrl-C ends`);
}
