/**
 * Encodes transitions as a parquet file, row group by row group, in a way that can be taken up
 * again: what has been encoded needs only its bytes and a checkpoint of a few kilobytes.
 */
import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { JsonObject } from '../base/json.js';
import { DataError } from '../data/errors.js';
import type { CompiledTask } from '../envs/family.js';
import { hasSingleIndex, type Transitions } from './transitions.js';

/** Where the file says what it is: JSON under this key of its metadata. */
export const DATASET_KEY = 'infragym.dataset';

/** The origin of a data set: names its transitions exactly. */
export interface DatasetHeader {
  readonly format_version: 1;
  readonly task: string;
  readonly program_digest: string;
  readonly config: JsonObject;
  readonly policy: string;
  /** Episode k is episode 0 of this seed + k, modulo 2^64. In decimal digits. */
  readonly seed: string;
  readonly episodes: number;
  readonly observation_names: readonly string[];
  readonly action_names: readonly string[];
}

/** The header of a data set of a task. */
export function datasetHeader(
  task: CompiledTask,
  source: Pick<DatasetHeader, 'policy' | 'seed' | 'episodes'>,
): DatasetHeader {
  const { spec, config, programDigest, observationNames, layout, actionDim } = task;
  const hasNames = layout.actions.length === actionDim;
  return {
    format_version: 1,
    task: spec.id,
    program_digest: programDigest,
    config,
    ...source,
    observation_names: observationNames,
    action_names: hasNames ? layout.actions.map(({ name }) => name) : [],
  };
}

type Leaf = 'FLOAT' | 'INT32' | 'BOOLEAN';
type Columns = readonly (readonly [name: keyof Transitions, leaf: Leaf, isList: boolean])[];

/** The columns of a task's data sets; `masks` only where there are masks. */
function columnsOf(task: CompiledTask): Columns {
  const action = task.actionDtype === 'index' ? 'INT32' : 'FLOAT';
  const columns: Columns = [
    ['episode_id', 'INT32', false],
    ['step', 'INT32', false],
    ['observations', 'FLOAT', true],
    ['actions', action, !hasSingleIndex(task)],
    ['rewards', 'FLOAT', false],
    ['costs', 'FLOAT', false],
    ['terminations', 'BOOLEAN', false],
    ['truncations', 'BOOLEAN', false],
    ['next_observations', 'FLOAT', true],
  ];
  return task.maskDim === 0 ? columns : [...columns, ['masks', 'BOOLEAN', true]];
}

/** Nothing is ever null, so that readers get plain arrays. */
function schemaOf(columns: Columns): SchemaElement[] {
  const fields = columns.flatMap(([name, type, isList]): SchemaElement[] => {
    if (!isList) return [{ name, type, repetition_type: 'REQUIRED' }];
    return [
      { name, repetition_type: 'REQUIRED', converted_type: 'LIST', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type, repetition_type: 'REQUIRED' },
    ];
  });
  return [{ name: 'root', num_children: columns.length }, ...fields];
}

/** How far an encoder has come: all it needs to go on. */
interface Checkpoint {
  readonly header: DatasetHeader;
  /** Bytes of the file so far. */
  readonly bytes: number;
  /** Episodes in them. */
  readonly episodes: number;
  readonly rows: number;
  readonly rowGroups: ParquetWriter['row_groups'];
}

export class DatasetEncoder {
  private readonly columns: Columns;
  private readonly writer = new ByteWriter();
  private readonly parquet: ParquetWriter;
  private numEpisodes = 0;

  constructor(
    task: CompiledTask,
    readonly header: DatasetHeader,
  ) {
    this.columns = columnsOf(task);
    this.parquet = new ParquetWriter({
      writer: this.writer,
      schema: schemaOf(this.columns),
      createdBy: 'infragym',
      kvMetadata: [{ key: DATASET_KEY, value: JSON.stringify(header) }],
    });
  }

  /**
   * Goes on from a checkpoint.
   *
   * @throws DataError where it is none, or one of another data set
   */
  static resume(task: CompiledTask, header: DatasetHeader, checkpoint: string): DatasetEncoder {
    const saved = parseCheckpoint(checkpoint);
    const [wanted, found] = [header, saved.header].map((h) => JSON.stringify(h));
    if (wanted !== found) throw new DataError(differenceOf(header, saved.header));
    const encoder = new DatasetEncoder(task, header);
    encoder.writer.index = 0;
    encoder.writer.offset = saved.bytes;
    encoder.parquet.row_groups = saved.rowGroups;
    encoder.parquet.num_rows = BigInt(saved.rows);
    encoder.numEpisodes = saved.episodes;
    return encoder;
  }

  /** Episodes encoded so far. */
  get episodes(): number {
    return this.numEpisodes;
  }

  /** Transitions encoded so far. */
  get transitions(): number {
    return Number(this.parquet.num_rows);
  }

  /** Length of the file so far. */
  get bytes(): number {
    return this.writer.offset;
  }

  /** The bytes of one row group, to be put behind those before it. */
  encode(rows: Transitions, numEpisodes: number): Uint8Array {
    const columnData = this.columns.map(([name]): ColumnSource => {
      const data = rows[name] as unknown as ColumnSource['data'];
      // Bounds help readers to skip row groups, which nobody does by a reward's bits.
      const statistics = name === 'episode_id';
      return { name, data, statistics, offsetIndex: false };
    });
    this.parquet.write({ columnData, rowGroupSize: rows.rewards.length });
    this.numEpisodes += numEpisodes;
    return this.take();
  }

  /** The bytes that end the file. */
  finish(): Uint8Array {
    this.parquet.finish();
    return this.take();
  }

  /** The checkpoint that `resume` takes, once the bytes so far are kept. */
  checkpoint(): string {
    const { header, bytes, episodes, transitions } = this;
    const rowGroups = this.parquet.row_groups;
    const saved: Checkpoint = { header, bytes, episodes, rows: transitions, rowGroups };
    const plain = (_: string, value: unknown) =>
      typeof value === 'bigint' ? { bigint: value.toString() } : value;
    return `${JSON.stringify(saved, plain)}\n`;
  }

  private take(): Uint8Array {
    const bytes = this.writer.getBytes().slice();
    this.writer.index = 0;
    return bytes;
  }
}

function parseCheckpoint(text: string): Checkpoint {
  const revive = (_: string, value: unknown) => {
    const digits = (value as { bigint?: unknown } | null)?.bigint;
    return typeof digits === 'string' ? BigInt(digits) : value;
  };
  try {
    const saved = JSON.parse(text, revive) as Partial<Checkpoint>;
    if (saved.header?.format_version === 1 && Array.isArray(saved.rowGroups)) {
      return saved as Checkpoint;
    }
  } catch {
    // Said below, as for JSON that is something else.
  }
  throw new DataError('the progress file is damaged');
}

function differenceOf(wanted: DatasetHeader, found: DatasetHeader): string {
  const names = Object.keys(wanted) as (keyof DatasetHeader)[];
  const shown = (value: unknown) => (typeof value === 'object' ? 'another one' : String(value));
  const name = names.find((key) => JSON.stringify(wanted[key]) !== JSON.stringify(found[key]));
  if (name === undefined) return 'the progress file is of another data set';
  return `the progress file is of another data set: its ${name} is ${shown(found[name])}`;
}
