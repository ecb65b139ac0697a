import { type Fact, type GpuFacts, guessed, measured, published } from './facts.js';

const NVIDIA_A100 = 'NVIDIA A100 80GB datasheet';
const NVIDIA_H100 = 'NVIDIA H100 datasheet';
const SWEEPS = 'llm-d-benchmark sweeps, calibration rows';
const IOG = 'IOG-Foundation/llm-inference-benchmarks, 1 request/s: TPOT of several models';
const PROFILES = 'LLMServingSim profiler, attention and dense tables';

const usual: Pick<
  GpuFacts,
  | 'flopsEfficiency'
  | 'decodeAttentionEfficiency'
  | 'prefillAttentionEfficiency'
  | 'mixedRatio'
  | 'bandwidthEfficiency'
> = {
  bandwidthEfficiency: guessed(0.9, 'between those measured'),
  flopsEfficiency: guessed(0.67, 'as measured on A100'),
  decodeAttentionEfficiency: guessed(0.7, 'as measured on A100 and RTX PRO 6000'),
  prefillAttentionEfficiency: guessed(0.5, 'as measured on A100'),
  mixedRatio: guessed(0.6, 'between 0.4 and 0.8 on RTX PRO 6000'),
};

const nvlink = (value: number): Fact => guessed(value, 'a third to a half of NVLink');
const pcie = guessed(10e9, 'NCCL over PCIe without peer access: 8 to 13 GB/s');

const price = (value: number): Fact => guessed(value, 'on-demand list prices, 2025, rounded');

/** The shipped GPUs. */
export const engineGpus: readonly GpuFacts[] = [
  {
    ...usual,
    name: 'a100-80gb',
    memoryGib: published(79.15, 'torch.cuda.mem_get_info of an A100-SXM4-80GB'),
    bandwidthBytesPerS: published(2.039e12, NVIDIA_A100),
    flops16PerS: published(312e12, NVIDIA_A100),
    flops8PerS: published(312e12, `${NVIDIA_A100}: no FP8, computed in 16 bits`),
    bandwidthEfficiency: measured(0.82, SWEEPS),
    flopsEfficiency: measured(0.67, SWEEPS),
    decodeAttentionEfficiency: measured(0.7, SWEEPS),
    prefillAttentionEfficiency: measured(0.5, SWEEPS),
    linkBytesPerS: nvlink(250e9),
    pricePerHour: price(2),
  },
  {
    ...usual,
    name: 'a100-40gb',
    memoryGib: published(39.4, 'torch.cuda.mem_get_info of an A100-SXM4-40GB'),
    bandwidthBytesPerS: published(1.555e12, NVIDIA_A100),
    flops16PerS: published(312e12, NVIDIA_A100),
    flops8PerS: published(312e12, `${NVIDIA_A100}: no FP8, computed in 16 bits`),
    bandwidthEfficiency: guessed(0.82, 'as of the A100 80GB'),
    linkBytesPerS: nvlink(250e9),
    pricePerHour: price(1.3),
  },
  {
    ...usual,
    name: 'h100-80gb',
    memoryGib: published(79.1, 'torch.cuda.mem_get_info of an H100-80GB-HBM3'),
    bandwidthBytesPerS: published(3.35e12, NVIDIA_H100),
    flops16PerS: published(989e12, NVIDIA_H100),
    flops8PerS: published(1979e12, NVIDIA_H100),
    bandwidthEfficiency: measured(0.94, `${IOG}, on the PCIe card`),
    linkBytesPerS: nvlink(400e9),
    pricePerHour: price(3),
  },
  {
    ...usual,
    name: 'h100-pcie',
    memoryGib: published(79.1, 'torch.cuda.mem_get_info of an H100 PCIe'),
    bandwidthBytesPerS: published(2.0e12, NVIDIA_H100),
    flops16PerS: published(756e12, NVIDIA_H100),
    flops8PerS: published(1513e12, NVIDIA_H100),
    bandwidthEfficiency: measured(0.94, IOG),
    linkBytesPerS: pcie,
    pricePerHour: price(2.4),
  },
  {
    ...usual,
    name: 'h200',
    memoryGib: published(139.8, 'torch.cuda.mem_get_info of an H200'),
    bandwidthBytesPerS: published(4.8e12, 'NVIDIA H200 datasheet'),
    flops16PerS: published(989e12, 'NVIDIA H200 datasheet'),
    flops8PerS: published(1979e12, 'NVIDIA H200 datasheet'),
    bandwidthEfficiency: guessed(0.94, 'as of the H100'),
    linkBytesPerS: nvlink(400e9),
    pricePerHour: price(3.8),
  },
  {
    ...usual,
    name: 'l40s',
    memoryGib: published(44.4, 'torch.cuda.mem_get_info of an L40S'),
    bandwidthBytesPerS: published(0.864e12, 'NVIDIA L40S datasheet'),
    flops16PerS: published(362e12, 'NVIDIA L40S datasheet'),
    flops8PerS: published(733e12, 'NVIDIA L40S datasheet'),
    linkBytesPerS: pcie,
    pricePerHour: price(1),
  },
  {
    ...usual,
    name: 'rtx-4090',
    memoryGib: published(23.52, 'torch.cuda.mem_get_info of an RTX 4090'),
    bandwidthBytesPerS: published(1.008e12, 'NVIDIA Ada architecture whitepaper'),
    flops16PerS: published(165e12, 'NVIDIA Ada architecture whitepaper, FP32 accumulate'),
    flops8PerS: published(330e12, 'NVIDIA Ada architecture whitepaper, FP32 accumulate'),
    bandwidthEfficiency: measured(0.93, PROFILES),
    flopsEfficiency: measured(0.96, PROFILES),
    decodeAttentionEfficiency: measured(0.87, PROFILES),
    prefillAttentionEfficiency: measured(0.9, PROFILES),
    mixedRatio: measured(1.0, `${PROFILES}: 0.8 to 1.3`),
    linkBytesPerS: pcie,
    pricePerHour: price(0.4),
  },
  {
    ...usual,
    name: 'rtx-pro-6000',
    memoryGib: published(94.97, 'torch.cuda.mem_get_info of an RTX PRO 6000 Blackwell'),
    bandwidthBytesPerS: published(1.792e12, 'NVIDIA RTX PRO 6000 Blackwell datasheet'),
    flops16PerS: published(503e12, 'NVIDIA RTX Blackwell PRO architecture whitepaper'),
    flops8PerS: published(1007e12, 'NVIDIA RTX Blackwell PRO architecture whitepaper'),
    bandwidthEfficiency: measured(0.83, PROFILES),
    flopsEfficiency: measured(0.75, PROFILES),
    decodeAttentionEfficiency: measured(0.74, PROFILES),
    prefillAttentionEfficiency: measured(0.6, PROFILES),
    mixedRatio: measured(0.6, `${PROFILES}: 0.4 to 0.8`),
    linkBytesPerS: pcie,
    pricePerHour: price(1.2),
  },
  {
    ...usual,
    name: 'mi300x',
    memoryGib: published(191.5, 'AMD Instinct MI300X datasheet'),
    bandwidthBytesPerS: published(5.3e12, 'AMD Instinct MI300X datasheet'),
    flops16PerS: published(1307e12, 'AMD Instinct MI300X datasheet'),
    flops8PerS: published(2615e12, 'AMD Instinct MI300X datasheet'),
    bandwidthEfficiency: guessed(0.75, 'no measurement at hand'),
    flopsEfficiency: guessed(0.45, 'no measurement at hand'),
    linkBytesPerS: guessed(200e9, 'Infinity Fabric'),
    pricePerHour: price(2.5),
  },
];

/** Names that people's tools write, as a pattern, and the shipped GPU. */
const aliases: readonly (readonly [RegExp, string])[] = [
  [/a100.*40\s*gb/i, 'a100-40gb'],
  [/a100/i, 'a100-80gb'],
  [/h100.*pcie/i, 'h100-pcie'],
  [/h100/i, 'h100-80gb'],
  [/h200/i, 'h200'],
  [/l40s/i, 'l40s'],
  [/4090/i, 'rtx-4090'],
  [/rtx\s*pro\s*6000/i, 'rtx-pro-6000'],
  [/mi300x/i, 'mi300x'],
];

/** The facts of a GPU by its own name or one that tools write; undefined for an unknown one. */
export function findGpu(name: string, more: readonly GpuFacts[] = []): GpuFacts | undefined {
  const all = [...more, ...engineGpus];
  const same = all.find((gpu) => gpu.name.toLowerCase() === name.toLowerCase());
  if (same !== undefined) return same;
  const alias = aliases.find(([pattern]) => pattern.test(name));
  return alias && all.find((gpu) => gpu.name === alias[1]);
}
