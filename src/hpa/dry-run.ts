/** A dry run: an autoscaler's object against a recorded series of its pods, sync by sync. */
import { DataError } from '../data/errors.js';
import {
  CONTROLLER_DEFAULTS,
  type ControllerFlags,
  type Decision,
  HorizontalPodAutoscaler,
  type SyncInput,
} from './controller.js';
import type { PodSample } from './pods.js';
import { milliOf } from './quantity.js';
import { Reader } from './reader.js';

/** A dry run as it was read. */
export interface DryRun {
  readonly hpa: HorizontalPodAutoscaler;
  /** Syncs in order; `replicas` is null where the last decision is followed. */
  readonly syncs: readonly DryRunSync[];
}

/** Input of one sync; values and usages are in thousandths already. */
export type DryRunSync = Omit<SyncInput, 'replicas'> & { readonly replicas: number | null };

const COUNT_MAX = 2 ** 31 - 1;

/**
 * Reads a dry run: `{hpa, syncs, controller?, replicas?}`, or an autoscaler's object and its syncs
 * apart. A sync is `{time_s, replicas?, pods?, metrics?}`; a pod is `{phase?, ready?, deleted?,
 * started_s?, ready_changed_s?, measured_s?, metric_window_s?, usage: {cpu: "250m"},
 * requests: {cpu: "1"}}`; `metrics` holds values of Object and External metrics by name.
 *
 * @throws DataError with the path of the field, its value and what is needed.
 */
export function readDryRun(document: unknown, syncs?: unknown): DryRun {
  const root = new Reader(document, '');
  const isWhole = root.at('hpa').isPresent;
  const flags = isWhole ? root.at('controller').optional(readFlags) : null;
  const hpa = new HorizontalPodAutoscaler(isWhole ? root.at('hpa').value : document, flags ?? {});
  const list = syncs === undefined ? root.at('syncs') : new Reader(syncs, 'syncs');
  const first = isWhole ? root.at('replicas').optional((f) => f.integer(0, COUNT_MAX)) : null;
  const read = list.list().map((field) => readSync(field));
  if (read.length === 0) throw new DataError('syncs is empty: at least one sync is needed');
  const [head, ...rest] = read;
  const replicas = head!.replicas ?? first;
  if (replicas === null) {
    throw new DataError(`${list.path}[0].replicas is missing: the size to begin with is needed`);
  }
  return { hpa, syncs: [{ ...head!, replicas }, ...rest] };
}

/** Plays a dry run: one decision a sync. A sync without `replicas` takes the last decision's. */
export function playDryRun({ hpa, syncs }: DryRun): Decision[] {
  hpa.reset();
  let size = 0;
  return syncs.map((sync) => {
    const decision = hpa.sync({ ...sync, replicas: sync.replicas ?? size });
    size = decision.desired;
    return decision;
  });
}

function readFlags(field: Reader): Partial<ControllerFlags> {
  const stated = Object.keys(field.value as object);
  const unknown = stated.find((name) => !(name in CONTROLLER_DEFAULTS));
  if (unknown !== undefined) {
    const names = Object.keys(CONTROLLER_DEFAULTS).join(', ');
    throw new DataError(`${field.path}.${unknown} is no flag of the controller: ${names}`);
  }
  return Object.fromEntries(stated.map((name) => [name, field.at(name).number(0)]));
}

function readSync(field: Reader): DryRunSync {
  const count = (name: string) => field.at(name).optional((f) => f.integer(0, COUNT_MAX));
  const replicas = count('replicas');
  const status = count('status_replicas');
  return {
    now_s: field.at('time_s').number(),
    replicas,
    ...(status === null ? {} : { status_replicas: status }),
    pods: (field.at('pods').optional((f) => f.list()) ?? []).map(readPod),
    values: field.at('metrics').optional(readQuantities) ?? {},
  };
}

const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;

function readPod(field: Reader): PodSample {
  const ready = field.at('ready');
  const entries = {
    phase: field.at('phase').optional((f) => f.oneOf(PHASES)),
    deleted: field.at('deleted').optional((f) => f.boolean()),
    started_s: field.at('started_s').optional((f) => f.number()),
    ready_changed_s: field.at('ready_changed_s').optional((f) => f.number()),
    measured_s: field.at('measured_s').optional((f) => f.number()),
    metric_window_s: field.at('metric_window_s').optional((f) => f.number(0)),
    usage: field.at('usage').optional(readQuantities),
    requests: field.at('requests').optional(readQuantities),
  };
  const stated = Object.entries(entries).filter(([, value]) => value !== null);
  // A ready of null is a pod that has no such condition yet; an absent one is the usual, true.
  const isReady = ready.value === undefined ? {} : { ready: ready.optional((f) => f.boolean()) };
  return { ...Object.fromEntries(stated), ...isReady };
}

function readQuantities(field: Reader): Record<string, number | null> {
  if (typeof field.value !== 'object' || Array.isArray(field.value)) throw field.not('an object');
  const names = Object.keys(field.value as object);
  return Object.fromEntries(
    names.map((name) => {
      const value = field.at(name);
      return [name, value.isPresent ? milliOf(value.value, value.path) : null];
    }),
  );
}
