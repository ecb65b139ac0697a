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

/**
 * Opens the database in a folder, which is made where it is missing; `:memory:` keeps nothing.
 *
 * @throws Error where the file is of a newer version than this.
 */
export function openDatabase(folder: string): Database.Database {
  const isMemory = folder === ':memory:';
  if (!isMemory) mkdirSync(folder, { recursive: true });
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
