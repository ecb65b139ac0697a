/** The Python side of the generator: the numbers by which the package speaks to the core. */
import { type CommonSpec, HEADER } from './spec.js';

const tuple = (names: readonly string[]): string =>
  `(\n${names.map((name) => `    "${name}",\n`).join('')})`;

/** `_generated.py` of the Python package. */
export function pythonCommon(common: CommonSpec): string {
  return [
    `# ${HEADER}`,
    '"""The core\'s channels, modes, kernels and policies, in the order of their numbers."""',
    '',
    `CHANNELS = ${tuple(common.channels.map(({ name }) => name))}`,
    `AUTORESET_MODES = ${tuple(common.autoreset)}`,
    `KERNELS = ${tuple(common.kernels)}`,
    `CORE_POLICIES = ${tuple(common.policies)}`,
    `FIRST_HEURISTIC = ${common.first_heuristic}`,
    `POLICY_WORDS_MAX = ${common.policy_words_max}`,
    '',
  ].join('\n');
}
