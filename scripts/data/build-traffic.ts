/**
 * Builds data/traffic from the recordings: npx tsx scripts/data/build-traffic.ts
 * They are read from ../shared/data/llm_workload; only what is computed from them is written.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { TrafficProfile } from '../../src/data/traffic-profile.js';
import { encodeTraffic } from '../../src/data/traffic-profile.js';

const RECORDINGS = '../shared/data/llm_workload';
const FOLDER = 'data/traffic';
/** Width of the moving averages. */
const SMOOTHING_S = 30;
/** The performance tables end here; a longer prompt counts as this long. */
const PROMPT_MAX = 8192;

interface Request {
  readonly second: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

const AZURE = {
  source:
    'Microsoft Azure Public Dataset, LLM inference trace 2023 (Splitwise, ISCA 2024), ' +
    'Azure/AzurePublicDataset @ b469a113',
  licence: 'CC-BY-4.0',
};
const PROFILES = [
  { name: 'azure-conv', ...AZURE, read: () => readAzure('conv') },
  { name: 'azure-code', ...AZURE, read: () => readAzure('code') },
  {
    name: 'mooncake-conversation',
    source: 'Mooncake conversation trace (FAST 2025), kvcache-ai/Mooncake @ 3b5a5941',
    licence: 'Apache-2.0',
    read: readMooncake,
  },
];

function rowsOf(file: string): string[][] {
  const lines = readFileSync(`${RECORDINGS}/${file}`, 'utf8').trim().split(/\r?\n/);
  return lines.slice(1).map((line) => line.split(','));
}

function readAzure(name: string): Request[] {
  const rows = rowsOf(`raw/AzureLLMInferenceTrace_${name}.csv`);
  const times = rows.map(([time]) => Date.parse(`${time.slice(0, 23).replace(' ', 'T')}Z`) / 1000);
  return rows.map(([, prompt, output], i) => ({
    second: Math.floor(times[i] - times[0]),
    promptTokens: Number(prompt),
    outputTokens: Number(output),
  }));
}

function readMooncake(): Request[] {
  return rowsOf('mooncake_conversation.csv').map(([milliseconds, prompt, output]) => ({
    second: Math.floor(Number(milliseconds) / 1000),
    promptTokens: Number(prompt),
    outputTokens: Number(output),
  }));
}

/** Sums over the window of SMOOTHING_S seconds around each second, cut at the ends. */
function windowSums(values: readonly number[]): { sum: number; seconds: number }[] {
  return values.map((_, i) => {
    const from = Math.max(0, i - SMOOTHING_S / 2);
    const to = Math.min(values.length, i + SMOOTHING_S / 2);
    let sum = 0;
    for (let j = from; j < to; j++) sum += values[j];
    return { sum, seconds: to - from };
  });
}

function quantileOf(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function buildProfile(profile: (typeof PROFILES)[number]): TrafficProfile {
  const requests = profile.read();
  const seconds = requests[requests.length - 1].second + 1;
  const counts = new Array<number>(seconds).fill(0);
  const tokens = new Array<number>(seconds).fill(0);
  for (const { second, promptTokens } of requests) {
    counts[second] += 1;
    tokens[second] += Math.min(promptTokens, PROMPT_MAX);
  }
  const prompts = requests.map((r) => Math.min(r.promptTokens, PROMPT_MAX)).sort((a, b) => a - b);
  const smoothedCounts = windowSums(counts);
  let promptLen = quantileOf(prompts, 0.5);
  return {
    name: profile.name,
    source: profile.source,
    licence: profile.licence,
    ratesRps: smoothedCounts.map(({ sum, seconds }) => Number((sum / seconds).toFixed(3))),
    promptLens: windowSums(tokens).map(({ sum }, i) => {
      // Where nobody asks for half a minute, the last mean stays.
      if (smoothedCounts[i].sum > 0) promptLen = Math.round(sum / smoothedCounts[i].sum);
      return promptLen;
    }),
    promptMedian: quantileOf(prompts, 0.5),
    promptP99: quantileOf(prompts, 0.99),
    outputMean: Number(
      (requests.reduce((sum, r) => sum + r.outputTokens, 0) / requests.length).toFixed(1),
    ),
    truncatedShare: Number(
      (requests.filter((r) => r.promptTokens > PROMPT_MAX).length / requests.length).toFixed(4),
    ),
  };
}

function readme(profiles: readonly TrafficProfile[]): string {
  const rows = profiles.map((p) => {
    const mean = p.ratesRps.reduce((sum, rate) => sum + rate, 0) / p.ratesRps.length;
    const numbers = [p.ratesRps.length, mean.toFixed(2), p.promptMedian, p.promptP99];
    const truncated = `${(100 * p.truncatedShare).toFixed(2)} %`;
    return `| ${[p.name, ...numbers, p.outputMean, truncated, p.licence].join(' | ')} |`;
  });
  return `# Traffic profiles

Written by \`npx tsx scripts/data/build-traffic.ts\`; do not edit. Each file holds figures computed
from a public recording of requests to language models, not the recording: for every second the
arrival rate and the mean prompt, both averaged over ${SMOOTHING_S} s, and a few numbers of its
lengths. Prompts above ${PROMPT_MAX} tokens, where the performance tables end, count as
${PROMPT_MAX}.

| profile | seconds | mean rate, 1/s | median prompt | p99 prompt | mean answer | above | licence |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}

Sources:
${[...new Set(profiles.map((p) => `- ${p.source} (${p.licence})`))].join('\n')}
`;
}

mkdirSync(FOLDER, { recursive: true });
const built = PROFILES.map(buildProfile);
for (const profile of built)
  writeFileSync(`${FOLDER}/${profile.name}.json`, encodeTraffic(profile));
writeFileSync(`${FOLDER}/README.md`, readme(built));
console.log(readme(built));
