/** The database of runs: SQLite with a write-ahead log, brought up to date by migrations. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';

/** Each brings a database from the version of its index to the next; never edited, only added. */
const MIGRATIONS = [
  `CREATE TABLE runs (
     id TEXT PRIMARY KEY,
     created_at TEXT NOT NULL,
     started_at TEXT,
     finished_at TEXT,
     status TEXT NOT NULL,
     job TEXT NOT NULL,
     error TEXT
   );
   CREATE TABLE episodes (
     row INTEGER PRIMARY KEY AUTOINCREMENT,
     run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
     agent TEXT NOT NULL,
     pool TEXT NOT NULL,
     seed INTEGER NOT NULL,
     score REAL NOT NULL,
     episode_return REAL NOT NULL,
     length INTEGER NOT NULL,
     breakdown TEXT NOT NULL,
     statistics TEXT NOT NULL,
     UNIQUE (run_id, agent, pool, seed)
   );
   CREATE INDEX runs_by_time ON runs (created_at);`,
];

const MEMORY = ':memory:';

/**
 * Claims a folder, which is made where it is missing, for one server: a second one would mark the
 * runs of the first as interrupted. The claim is an exclusive transaction on a file of its own, so
 * that the system ends it with the process, however that ends. Returns what gives the folder back.
 *
 * @throws RangeError where another server has the folder.
 */
export function claimFolder(folder: string): () => void {
  if (folder === MEMORY) return () => undefined;
  mkdirSync(folder, { recursive: true });
  const lock = new Database(join(folder, 'server.lock'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    const needed = 'a folder of its own is needed (--data-dir)';
    throw new RangeError(`dataDir is "${folder}", which another server is using: ${needed}`);
  }
  return () => {
    lock.exec('ROLLBACK');
    lock.close();
  };
}

/**
 * Opens the database in a folder; `:memory:` keeps nothing.
 *
 * @throws Error where the file is of a newer version than this.
 */
export function openDatabase(folder: string): Database.Database {
  const isMemory = folder === MEMORY;
  const database = new Database(isMemory ? folder : join(folder, 'runs.sqlite'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
    user_version: number;
  };
  if (version > MIGRATIONS.length) {
    throw new Error(`the database in ${folder} is of version ${version}: a newer program wrote it`);
  }
  for (let next = version; next < MIGRATIONS.length; next++) {
    database.exec(`BEGIN; ${MIGRATIONS[next]} PRAGMA user_version = ${next + 1}; COMMIT;`);
  }
  return database;
}
