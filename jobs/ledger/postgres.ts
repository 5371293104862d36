// The shared ledger: Postgres by `pg` behind Kysely's dialect. A boundary: what the server says is read here.
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { EXIT, UserError } from "../../base/errors.ts";
import type { Backend } from "./backend.ts";
import { passwordFromFile } from "./password-file.ts";
import type { Tables } from "./tables.ts";

/** A server that answers at all does so sooner; a helper has a lease to renew every 10 s. */
const CONNECT_TIMEOUT_MS = 5000;
const QUERY_TIMEOUT_MS = 8000;
/** A helper asks for little at once; many helpers share the server's connections. */
const CONNECTIONS = 3;

/** Of the advisory lock under which the schema is made: any number that nobody else uses. */
const SCHEMA_LOCK = 0x6d61_7966;
/** Of those of tenants' queues; those of two numbers are others than those of one. */
const NAME_LOCK = 1;

/**
 * Connects to the server that a URL names; the password may come from PGPASSWORD or PGPASSFILE. A connection that breaks is made
 * anew by the next call.
 */
export async function openPostgres(url: string): Promise<Backend> {
  const location = withoutPassword(url);
  const pool = new pg.Pool({
    connectionString: await withPassword(url),
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: QUERY_TIMEOUT_MS,
    // A helper that was stopped, or cut off, in the midst of a transaction keeps its run locked for its successor no longer than that.
    idle_in_transaction_session_timeout: QUERY_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: "mayfly",
    // A connection at rest does not keep a program from ending.
    allowExitOnIdle: true,
  });
  // A connection at rest that breaks is told here, and has left the pool already: the next call makes a new one.
  pool.on("error", () => undefined);
  // One that breaks in the midst of a transaction tells its query, if it has one, and this listener: without one the process would end.
  // https://node-postgres.com/apis/client#error
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
  });
  return {
    location,
    db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }),
    rowLocks: true,
    hasTable: async (db, name) => {
      // Not to_regclass(): it may answer from a cache that does not see what another helper made while we waited for the lock.
      const { rows } =
        await sql`select 1 from pg_tables where schemaname = any(current_schemas(false)) and tablename = ${name}`.execute(
          db,
        );
      return rows.length > 0;
    },
    lockSchema: async (transaction) => {
      await sql`select pg_advisory_xact_lock(${SCHEMA_LOCK}::bigint)`.execute(transaction);
    },
    lockName: async (transaction, name) => {
      // Two names of one hash only wait for each other.
      await sql`select pg_advisory_xact_lock(${NAME_LOCK}::int, hashtext(${name}))`.execute(transaction);
    },
    explain: (error) => explain(location, error),
  };
}

/** With the password of the password file, where neither the URL nor PGPASSWORD has one. */
async function withPassword(url: string): Promise<string> {
  const parsed = new URL(url);
  if (parsed.password !== "" || process.env["PGPASSWORD"] !== undefined) return url;
  const password = await passwordFromFile({
    host: decodeURIComponent(parsed.hostname) || "localhost",
    port: parsed.port || "5432",
    database: decodeURIComponent(parsed.pathname.slice(1)),
    user: decodeURIComponent(parsed.username),
  });
  if (password === undefined) return url;
  parsed.password = encodeURIComponent(password);
  return parsed.href;
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = "";
  return parsed.searchParams.has("password") ? (parsed.href.split("?")[0] ?? "") : parsed.href;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
function explain(location: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const details = { path: location, cause: error };
  // pg's own words where the server wants a password and there is none.
  if (/^28/.test(code) || code === "42501" || /password must be a (non-empty )?string/.test(error.message)) {
    return new UserError("ledger-denied", `The ledger's database refused this user: ${error.message}`, {
      ...details,
      hint: "Hand the password over by PGPASSWORD or PGPASSFILE, or have the user granted rights on the database.",
      exitCode: EXIT.denied,
    });
  }
  if (code === "3D000") {
    return new UserError("ledger-missing", `The ledger's database is not there: ${error.message}`, {
      ...details,
      hint: "Make it (createdb), or correct MAYFLY_LEDGER.",
      exitCode: EXIT.missingInput,
    });
  }
  if (code === "25006") {
    return new UserError("ledger-read-only", `The ledger's database can't be written: ${error.message}`, {
      ...details,
      hint: "Name the primary server in MAYFLY_LEDGER, not a read replica.",
      exitCode: EXIT.unavailable,
    });
  }
  if (code === "53100" || code === "53200") {
    return new UserError("ledger-full", `The ledger's server has no room left: ${error.message}`, {
      ...details,
      hint: "Make room on the server, then try again.",
      exitCode: EXIT.unavailable,
    });
  }
  if (code === "XX001" || code === "XX002") {
    return new UserError("ledger-corrupt", `The ledger's database is damaged: ${error.message}`, {
      ...details,
      hint: "Restore it from a backup. Live runs are found in the cluster: kubectl get namespaces -l mayfly.dev/run.",
      exitCode: EXIT.unavailable,
    });
  }
  if (code === "55P03" || code === "57014" || code === "40P01" || code === "40001") {
    return new UserError("ledger-busy", `The ledger's database is too busy: ${error.message}`, {
      ...details,
      hint: "Try again.",
      exitCode: EXIT.unreachable,
    });
  }
  if (unreachable(code, error)) {
    return new UserError("ledger-unreachable", `The ledger's database can't be reached: ${reason(error)}`, {
      ...details,
      hint: "See whether the server runs and MAYFLY_LEDGER names it. The next call connects anew.",
      exitCode: EXIT.unreachable,
    });
  }
  return error;
}

/** Of the system, of the server as it stops or starts, or of pg itself, which gives those no code. */
const unreachable = (code: string, error: Error): boolean =>
  /^(E[A-Z]+|08...|57P0[1-5]|53300)$/.test(code) ||
  /connection (terminated|timeout)|timeout exceeded when trying to connect|query read timeout|not queryable/i.test(
    error.message,
  );

/** A name with several addresses fails with several errors, and a text that is empty. */
const reason = (error: Error): string =>
  error instanceof AggregateError ? error.errors.map(String).join("; ") : error.message;
