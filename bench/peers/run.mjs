/**
 * Environments of others, each on one core: `node bench/peers/run.mjs`.
 *
 *   --rounds N      rounds, in each of which every peer is timed once, in turns; default 5
 *   --seconds N     time of a peer in a round, in seconds; default 0.5
 *   --only A,B      only these, by the ids of peers.json
 *   --json          prints a list of rows instead of a table
 *   --serve         answers requests instead, see below
 *
 * A row has name, id, version, environment, computes, envs, threads, steps_per_second (the median
 * of the rounds), steps_per_second_min, steps_per_second_max, steps_per_cpu_second (the median;
 * where it is well above steps_per_second, something else was running).
 *
 * `--serve` is for a benchmark that takes turns with the peers: it reads lines `ID SECONDS` and
 * answers each with one line of JSON: id, name, version, environment, computes, envs, threads,
 * env_steps, wall_s, cpu_s, steps_per_second, steps_per_cpu_second; or { "error": … }. A peer is
 * started and warmed up when it is first asked for (send `ID 0.1` to each beforehand), and waits
 * without computing between requests. Ends with its input.
 *
 * Imports, JIT compilation and warm-up are never timed. README.md says what is comparable.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { choosePeers, startPeer } from './processes.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.5' },
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    serve: { type: 'boolean', default: false },
  },
});

function positive(name) {
  const value = Number(options[name]);
  if (value > 0) return value;
  throw new RangeError(`--${name} is ${options[name]}; it takes a number above 0`);
}

/** The words about a peer beside its figures. */
function describe({ id, name, environment, computes, options }, version) {
  return { name, id, version, environment, computes, envs: options.num_envs, threads: 1 };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** A row of the table from a peer's rounds. */
function summarise(peer, version, rounds) {
  const rates = rounds.map((round) => round.steps_per_second);
  return {
    ...describe(peer, version),
    steps_per_second: median(rates),
    steps_per_second_min: Math.min(...rates),
    steps_per_second_max: Math.max(...rates),
    steps_per_cpu_second: median(rounds.map((round) => round.steps_per_cpu_second)),
  };
}

async function measureAll(chosen, rounds, seconds) {
  const entries = [];
  for (const peer of chosen) {
    entries.push({ peer, process: await startPeer(peer), rounds: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const entry of entries) entry.rounds.push(await entry.process.measure(seconds));
  }
  for (const { process } of entries) process.close();
  return entries.map((entry) => summarise(entry.peer, entry.process.version, entry.rounds));
}

function formatRate(rate) {
  const [value, unit] = rate >= 1e6 ? [rate / 1e6, 'M'] : [rate / 1e3, 'k'];
  return `${value.toPrecision(3)} ${unit}`;
}

function printTable(rows) {
  const wide = Math.max(...rows.map(({ name }) => name.length));
  console.log(`${'peer'.padEnd(wide)}  envs    median      min      max  steps/s on one core`);
  for (const row of rows) {
    const rates = [row.steps_per_second, row.steps_per_second_min, row.steps_per_second_max];
    const figures = rates.map((rate) => formatRate(rate).padStart(9)).join('');
    console.log(`${row.name.padEnd(wide)}${String(row.envs).padStart(6)} ${figures}`);
    const { environment, computes, version } = row;
    console.log(`${' '.repeat(wide)}  ${environment}: ${computes} (${version})`);
  }
}

/** Answers a line `ID SECONDS`. */
async function serveLine(line, started) {
  const [id, time] = line.trim().split(/\s+/);
  const seconds = Number(time);
  if (!(seconds > 0)) throw new RangeError(`"${line}": a request is an id and seconds above 0`);
  const [peer] = choosePeers([id]);
  if (!started.has(id)) started.set(id, await startPeer(peer));
  const process = started.get(id);
  return { ...describe(peer, process.version), ...(await process.measure(seconds)) };
}

async function serve() {
  const started = new Map();
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    const answer = await serveLine(line, started).catch((error) => ({ error: error.message }));
    console.log(JSON.stringify(answer));
  }
  for (const process of started.values()) process.close();
}

async function main() {
  if (options.serve) return serve();
  const chosen = choosePeers(options.only.flatMap((list) => list.split(',')));
  const rows = await measureAll(chosen, positive('rounds'), positive('seconds'));
  if (options.json) console.log(JSON.stringify(rows, null, 2));
  else printTable(rows);
}

await main();
