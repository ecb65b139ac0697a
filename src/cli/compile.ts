/** `infragym compile`: writes a task, compiled, as one file that another language plays. */
import type { Command } from 'commander';
import { compileTask, decodeBundle, encodeBundle } from '../index.js';
import { finish, readConfig } from './options.js';
import { formatCount, print, printJson, writeFileWhole } from './output.js';

interface CompileCommandOptions {
  readonly task: string;
  readonly config?: string;
  readonly out: string;
  readonly json?: boolean;
}

export function addCompile(program: Command): void {
  const command = program
    .command('compile')
    .description('write a compiled task as one file, a bundle, e.g. for the Python package')
    .requiredOption('--task <task>', 'id or alias')
    .requiredOption('--out <file>', 'the file')
    .option('--config <json>', 'entries of the configuration to replace: JSON, or a file of it')
    .action(runCompile);
  finish(
    command,
    `infragym compile --task autoscaling-easy --config '{"max_steps": 50}' --out my.bundle`,
  );
}

function runCompile({ task, config, out, json }: CompileCommandOptions): void {
  const bytes = encodeBundle(compileTask(task, config === undefined ? {} : readConfig(config)));
  const { description, digest } = decodeBundle(bytes);
  writeFileWhole(out, bytes);
  const { id, program_digest } = description;
  if (json) printJson({ file: out, task: id, bytes: bytes.length, program_digest, digest });
  else print(`${out}: ${id}, ${formatCount(bytes.length)} bytes, digest ${digest}`);
}
