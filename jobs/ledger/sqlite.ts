// The embedded ledger: node:sqlite behind Kysely's SQLite dialect. A boundary: what SQLite takes and gives is checked here.
import { constants } from "node:fs";
import { access, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { Kysely, type SqliteDatabase, SqliteDialect, type SqliteStatement, sql } from "kysely";
import { EXIT, UserError } from "../../base/errors.ts";
import type { Backend } from "./backend.ts";
import type { Tables } from "./tables.ts";

/** How long a helper waits for another one's write; each takes milliseconds. The process stands still meanwhile. */
const BUSY_TIMEOUT_MS = 5000;

/** Opens the file, and makes it where it is not there: for its owner only. @throws UserError */
export async function openSqlite(path: string): Promise<Backend> {
  await makeWritable(path);
  const { DatabaseSync } = await withoutExperimentalWarning(async () => await import("node:sqlite"));
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    await setUp(database);
  } catch (error) {
    database?.close();
    throw explain(path, error);
  }
  return {
    location: path,
    db: new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapted(database) }) }),
    rowLocks: false,
    hasTable: async (db, name) => {
      const { rows } = await sql`select 1 from sqlite_master where type = 'table' and name = ${name}`.execute(
        db,
      );
      return rows.length > 0;
    },
    // Every transaction here begins with the write lock.
    lockSchema: async () => {
      await Promise.resolve();
    },
    lockName: async () => {
      await Promise.resolve();
    },
    explain: (error) => explain(path, error),
  };
}

/** Node calls its SQLite a release candidate and says so on every start; other experimental things are still told. */
async function withoutExperimentalWarning<T>(load: () => Promise<T>): Promise<T> {
  const emitWarning = process.emitWarning.bind(process);
  const quiet: typeof process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (/SQLite/.test(String(warning))) return;
    Reflect.apply(emitWarning, undefined, [warning, ...rest]);
  };
  process.emitWarning = quiet;
  try {
    return await load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

async function makeWritable(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(path, "a", 0o600);
    await file.close();
    // SQLite writes its log and its shared memory beside the file.
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw explain(path, error);
  }
}

async function setUp(database: DatabaseSync): Promise<void> {
  // Readers and one writer at once, from several processes: https://sqlite.org/wal.html
  await patiently(() => {
    if (database.prepare("pragma journal_mode").get()?.["journal_mode"] !== "wal") {
      database.exec("pragma journal_mode = wal");
    }
  });
  // What was promised survives a loss of power: a run is known before anything of it exists in a cloud.
  database.exec("pragma synchronous = full");
}

/** To enter WAL mode SQLite wants the file to itself, and does not wait for it as for other locks. */
async function patiently(action: () => void): Promise<void> {
  const end = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      action();
      return;
    } catch (error) {
      if (primaryCode(error) !== SQLITE.busy || performance.now() > end) throw error;
    }
    await sleep(20);
  }
}

function adapted(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => {
      database.close();
    },
    prepare: (text) => {
      // After some errors, such as a full disk, SQLite has rolled back by itself: https://sqlite.org/c3ref/get_autocommit.html
      if (text === "rollback" && !database.isTransaction) return NOTHING;
      // A transaction that reads first could not wait for another writer afterwards: https://sqlite.org/lang_transaction.html
      const statement = database.prepare(text === "begin" ? "begin immediate" : text);
      const adaptedStatement: SqliteStatement = {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...parameters.map(inputValue)),
        run: (parameters) => statement.run(...parameters.map(inputValue)),
        iterate: (parameters) => statement.iterate(...parameters.map(inputValue)),
      };
      return adaptedStatement;
    },
  };
}

const NOTHING: SqliteStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
};

function inputValue(value: unknown): SQLInputValue {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "bigint") {
    return value;
  }
  throw new TypeError(`The ledger can't store a ${typeof value}.`);
}

/** https://sqlite.org/rescode.html */
const SQLITE = {
  busy: 5,
  locked: 6,
  readonly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
} as const;

/** Without the details that the upper bytes hold. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode & 0xff;
}

function explain(path: string, error: unknown): unknown {
  const details = { path, cause: error, exitCode: EXIT.unavailable };
  const reason = error instanceof Error ? error.message : String(error);
  switch (primaryCode(error) ?? fileCode(error) ?? "") {
    case SQLITE.busy:
    case SQLITE.locked:
      return new UserError(
        "ledger-busy",
        `Another process has kept the ledger for ${BUSY_TIMEOUT_MS / 1000} s.`,
        {
          ...details,
          hint: "Try again. Many helpers are better served by Postgres: MAYFLY_LEDGER=postgres://user@host/database.",
        },
      );
    case SQLITE.readonly:
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new UserError("ledger-read-only", `The ledger can't be written: ${reason}`, {
        ...details,
        hint: "Make the file and its folder writable for this user, or name another one: MAYFLY_LEDGER=sqlite:///path/ledger.sqlite.",
      });
    case SQLITE.full:
    case "ENOSPC":
      return new UserError("ledger-full", "There is no room left for the ledger.", {
        ...details,
        hint: "Make room on its disk, then try again. What was written before is whole.",
      });
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return new UserError("ledger-corrupt", `The ledger's file is damaged: ${reason}`, {
        ...details,
        hint:
          `Move it aside (mv ${path} ${path}.damaged, with its -wal and -shm), and save what can be: sqlite3 ${path}.damaged .recover. ` +
          "Live runs are found in the cluster: kubectl get namespaces -l mayfly.dev/run.",
      });
    case SQLITE.cantOpen:
    case SQLITE.io:
    case "EISDIR":
    case "ENOTDIR":
    case "ENOENT":
      return new UserError("ledger-unusable", `The ledger's file can't be used: ${reason}`, {
        ...details,
        hint: "Name a file on a local disk: MAYFLY_LEDGER=sqlite:///path/ledger.sqlite.",
      });
    default:
      return error;
  }
}

function fileCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.code;
}
