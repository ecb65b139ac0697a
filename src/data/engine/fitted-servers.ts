/** Written by `npm run results -- engine-fidelity --fit`. Do not edit. */
import type { FittedServer } from './calibrations.js';

export const fittedServers: readonly FittedServer[] = [
  {
    name: 'llama-3.1-8b, 1 x rtx-pro-6000',
    model: 'llama-3.1-8b',
    gpu: 'rtx-pro-6000',
    tensorParallel: 1,
    generation: 'vllm-0.19',
    calibration: {
      layer_s: 0.00003282,
      sequence_s: 0.000006116,
      prefill_s: 0.003506,
      arrival_s: 0.008486,
      frontend_request_s: 0.002,
      frontend_token_s: 0.0000023,
      emission_s: 0.00006,
    },
    fittedOn: ['llmservingsim/RTXPRO6000_Llama-3.1-8B'],
  },
  {
    name: 'llama-3.1-8b, 1 x a100-80gb',
    model: 'llama-3.1-8b',
    gpu: 'a100-80gb',
    tensorParallel: 1,
    generation: 'vllm-0.8',
    calibration: {
      layer_s: 0.00008344,
      sequence_s: 0.0000789,
      prefill_s: 0.005379,
      arrival_s: 0.008398,
      frontend_request_s: 0.002,
      frontend_token_s: 0.0000023,
      emission_s: 0.00006,
    },
    fittedOn: [
      'llmd-benchmark/vllm_8b_x2__sharegpt__q1',
      'llmd-benchmark/vllm_8b_x2__sharegpt__q7',
    ],
  },
  {
    name: 'llama-3.1-70b, 2 x a100-80gb',
    model: 'llama-3.1-70b',
    gpu: 'a100-80gb',
    tensorParallel: 2,
    generation: 'vllm-0.8',
    calibration: {
      layer_s: 0.0001027,
      sequence_s: 0.0002554,
      prefill_s: 0.005204,
      arrival_s: 0.006669,
      frontend_request_s: 0.002,
      frontend_token_s: 0.0000023,
      emission_s: 0.00006,
    },
    fittedOn: [
      'llmd-benchmark/exp0_vllm_70b_a100__sharegpt__q0.5',
      'llmd-benchmark/exp0_vllm_70b_a100__sharegpt__q1',
    ],
  },
  {
    name: 'llama-4-scout-fp8, 4 x h100-80gb',
    model: 'llama-4-scout-fp8',
    gpu: 'h100-80gb',
    tensorParallel: 4,
    generation: 'vllm-0.8',
    calibration: {
      layer_s: 0.0001538,
      sequence_s: 0.0000187,
      prefill_s: 0.004022,
      arrival_s: 0.008007,
      frontend_request_s: 0.002,
      frontend_token_s: 0.0000023,
      emission_s: 0.00006,
    },
    fittedOn: [
      'llmd-benchmark/exp4_vllm_llama4scout_h100__sharegpt__q5',
      'llmd-benchmark/exp4_vllm_llama4scout_h100__sharegpt__q30',
    ],
  },
];
