/** `infragym doctor`: what this machine has, and the command that would add what is missing. */
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import type { Command } from 'commander';
import { type BackendStatus, backendReport, VERSION } from '../index.js';
import { finish } from './options.js';
import { formatTable, print, printJson, shortenPaths } from './output.js';

interface Tool {
  readonly tool: string;
  /** Null where it is not on PATH. */
  readonly version: string | null;
  readonly needed_for: string;
  /** The command that adds it; null where it is there. */
  readonly add: string | null;
}

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('what this machine has: backends, kernels, toolchains, versions')
    .action(async ({ json }: { json?: boolean }) => {
      const backends = await backendReport();
      const tools = findTools();
      const report = { ...describeMachine(), backends, toolchains: tools };
      if (json) printJson(report);
      else printReport(report, backends, tools);
    });
  finish(command, 'infragym doctor');
}

function describeMachine() {
  return {
    infragym: VERSION,
    node: process.version.slice(1),
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
  };
}

function findTools(): Tool[] {
  const wasmTarget = installedTargets().includes('wasm32-unknown-unknown');
  const tools: [tool: string, version: string | null, neededFor: string, add: string][] = [
    ['cargo', versionOf('cargo'), 'native, wasm', 'see https://rustup.rs'],
    ['rustc', versionOf('rustc'), 'native, wasm', 'see https://rustup.rs'],
    [
      'wasm32-unknown-unknown',
      wasmTarget ? 'installed' : null,
      'wasm',
      'rustup target add wasm32-unknown-unknown',
    ],
    ['wasm-pack', versionOf('wasm-pack'), 'wasm', 'cargo install wasm-pack --locked'],
    ['wasm-bindgen', versionOf('wasm-bindgen'), 'wasm', 'cargo install wasm-bindgen-cli'],
  ];
  return tools.map(([tool, version, needed_for, add]) => {
    return { tool, version, needed_for, add: version === null ? add : null };
  });
}

function versionOf(program: string): string | null {
  return /\d+\.\d+\.\d+\S*/.exec(outputOf(program, ['--version']))?.[0] ?? null;
}

function installedTargets(): string[] {
  return outputOf('rustup', ['target', 'list', '--installed']).split('\n');
}

/** The output of a program; nothing where it is absent or fails. */
function outputOf(program: string, args: readonly string[]): string {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout : '';
}

function printReport(
  machine: ReturnType<typeof describeMachine>,
  backends: readonly BackendStatus[],
  tools: readonly Tool[],
): void {
  const { infragym, node, platform, cpu, threads } = machine;
  print(`infragym ${infragym}, Node ${node}, ${platform}, ${cpu}, ${threads} threads\n`);
  print(backendTable(backends));
  print();
  const rows = tools.map((t) => [t.tool, t.version ?? '–', t.needed_for, t.add ?? '']);
  print(formatTable(['toolchain', 'version', 'needed for', 'what adds it'], rows));
  print('\nnpm run build builds every backend that these allow.');
}

/** Backends, fastest first, with their kernels; below, why a faster one is not used. */
function backendTable(backends: readonly BackendStatus[]): string {
  const rows = backends.map(({ name, available, refused, kernel, maxThreads }) => [
    name,
    available ? 'yes' : refused ? 'refused' : 'no',
    kernel ?? '–',
    available ? maxThreads : '–',
  ]);
  const absent = backends.flatMap(({ name, reason }) =>
    reason === null ? [] : [`${name}: ${shortenPaths(reason)}`],
  );
  const table = formatTable(['backend', 'available', 'kernel', 'threads'], rows);
  return [table, ...absent].join('\n');
}
