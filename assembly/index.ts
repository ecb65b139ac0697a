/**
 * The exports of an instance, which serves one batch. The Rust build exports the same functions;
 * `src/backends/wasm-module.ts` is their caller and says what each one takes.
 */
export { channelAt as channel_ptr } from './channels';
export { episodes, kernelId as kernel_id } from './batch';
export { create, programBuffer as program_buffer, reset, rollout, step } from './families';
export {
  parameterBuffer as parameter_ptr,
  setParameters as set_parameters,
} from './policy/parameters';
export {
  exportSlots as export_slots,
  importSlots as import_slots,
  slotBuffer as slot_ptr,
  slotBufferBytes as slot_bytes,
} from './state';
