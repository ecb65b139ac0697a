/** Calibrations by model, GPU and parallelism: those that were fitted, and defaults for others. */
import type { EngineCalibration, EngineGeneration, FittedServer } from './calibrations.js';
import type { GpuFacts, ModelFacts } from './facts.js';
import { fittedServers } from './fitted-servers.js';
import { findModel } from './models.js';

/**
 * For a server that was never measured: seconds a layer, a sequence and layer, a prefill, of the
 * order of the fitted servers of that generation.
 */
const DEFAULTS = {
  'vllm-0.8': { layer: 82e-6, sequenceLayer: 2.5e-6, prefill: 5e-3 },
  'vllm-0.19': { layer: 37e-6, sequenceLayer: 0.35e-6, prefill: 3.3e-3 },
} as const satisfies Record<EngineGeneration, object>;
const ARRIVAL_S = 8e-3;
/** The front end: a request, a prompt token (21k-token prompts), a token on its way out. */
const FRONTEND_REQUEST_S = 2e-3;
const FRONTEND_TOKEN_S = 2.3e-6;
const EMISSION_S = 60e-6;

export interface ChosenCalibration {
  readonly calibration: EngineCalibration;
  /** The server that it was fitted on, or null for the defaults: a guess. */
  readonly server: FittedServer | null;
}

/** The calibration of a server; the defaults where none was fitted for its generation. */
export function calibrationFor(
  model: ModelFacts,
  gpu: GpuFacts,
  tensorParallel: number,
  generation: EngineGeneration,
): ChosenCalibration {
  const server = fittedServers.find((fitted) => {
    const isSame = fitted.model === model.name && fitted.gpu === gpu.name;
    return isSame && fitted.tensorParallel === tensorParallel && fitted.generation === generation;
  });
  if (server !== undefined) return { calibration: server.calibration, server };
  const standard = defaultCalibration(model, generation);
  const sequence_s = sequenceOn(gpu, generation, model) ?? standard.sequence_s;
  return { calibration: { ...standard, sequence_s }, server: null };
}

/** The cost of a sequence by layers, as a server with the same GPU has it. */
function sequenceOn(gpu: GpuFacts, generation: EngineGeneration, model: ModelFacts) {
  const fitted = fittedServers.find((s) => s.gpu === gpu.name && s.generation === generation);
  const facts = fitted && findModel(fitted.model);
  if (fitted === undefined || facts === undefined) return null;
  return (fitted.calibration.sequence_s * model.layers) / facts.layers;
}

/** Where a calibration begins, and what an unmeasured server is taken to have. */
export function defaultCalibration(
  model: ModelFacts,
  generation: EngineGeneration,
): EngineCalibration {
  const { layer, sequenceLayer, prefill } = DEFAULTS[generation];
  return {
    layer_s: layer,
    sequence_s: sequenceLayer * model.layers,
    prefill_s: prefill,
    arrival_s: ARRIVAL_S,
    frontend_request_s: FRONTEND_REQUEST_S,
    frontend_token_s: FRONTEND_TOKEN_S,
    emission_s: EMISSION_S,
  };
}
