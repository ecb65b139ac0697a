/** JSON Schemas of a task's actions, observations and state, and its metadata. */
import { type CompiledTask, type TaskSpec, VERSION } from '../../index.js';
import { hasObjectActions } from '../sessions/action.js';

type JsonSchema = Record<string, unknown>;

/**
 * The schema of actions on the wire. Fields of an object may be absent and then take the
 * baseline's values; an action that is no object is the field `action` of one.
 */
export function actionSchema(task: CompiledTask): JsonSchema {
  const space = task.actionSpace.toJSON();
  if (!hasObjectActions(task)) {
    const properties = { action: { ...space, default: plain(task.baselineAction) } };
    return { title: 'Action', type: 'object', properties, additionalProperties: false };
  }
  const fields = Object.entries(space['properties'] as Record<string, JsonSchema>);
  const baseline = task.baselineAction as Record<string, unknown>;
  const properties = fields.map(([name, field]) => {
    return [name, { ...fieldSchema(field), default: baseline[name] }];
  });
  return {
    title: 'Action',
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  };
}

/** A field of an action: one number of a Box travels bare, a choice of two also as a boolean. */
function fieldSchema(field: JsonSchema): JsonSchema {
  const isNumber = field['space'] === 'Box' && field['maxItems'] === 1;
  if (isNumber) return field['items'] as JsonSchema;
  if (field['space'] !== 'Discrete') return field;
  const { space: _space, n, start: _start, ...integer } = field;
  return n === 2 ? { anyOf: [integer, { type: 'boolean' }] } : integer;
}

/** The schema of observations, with what the clients would drop beside them. */
export function observationSchema(task: CompiledTask): JsonSchema {
  const { items, prefixItems } = task.observationSpace.toJSON() as {
    items?: JsonSchema;
    prefixItems?: JsonSchema[];
  };
  const fields = task.observationNames.map((name, i): [string, JsonSchema] => {
    const doc = task.layout.observations.find((field) => field.name === name)?.doc;
    const schema = prefixItems?.[i] ?? items ?? { type: 'number' };
    return [name, doc === undefined ? schema : { ...schema, description: doc }];
  });
  const properties: Record<string, JsonSchema> = {
    ...Object.fromEntries(fields),
    terminated: { type: 'boolean', description: 'the episode ended by its own rules' },
    truncated: { type: 'boolean', description: 'the episode ended by its horizon' },
    info: { type: 'object', description: 'what a step reports beside its numbers' },
  };
  return {
    title: 'Observation',
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

const STATE_SCHEMA: JsonSchema = {
  title: 'State',
  type: 'object',
  properties: {
    episode_id: { type: ['string', 'null'] },
    step_count: { type: 'integer', minimum: 0 },
    cumulative_reward: { type: 'number' },
    done: { type: 'boolean' },
    workload_phase: { type: ['string', 'null'] },
    task: { type: 'string' },
    seed: { type: ['integer', 'null'] },
    program_digest: { type: 'string' },
  },
  required: ['episode_id', 'step_count'],
};

/** The answer to `GET /schema`. */
export function taskSchemas(task: CompiledTask) {
  return {
    action: actionSchema(task),
    observation: observationSchema(task),
    state: STATE_SCHEMA,
  };
}

/** The answer to `GET /metadata`. */
export function taskMetadata({ id, description }: TaskSpec) {
  return {
    name: id,
    description,
    version: VERSION,
    author: 'InfraGym contributors',
    readme_content: null,
    documentation_url: null,
  };
}

/** Typed arrays as JSON arrays. */
export function plain(value: unknown): unknown {
  return ArrayBuffer.isView(value) ? [...(value as Float32Array)] : value;
}
