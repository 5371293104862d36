import { fileURLToPath } from "node:url";
import { EXIT, UserError } from "../../base/errors.ts";
import { type Backend, prepareSchema } from "./backend.ts";
import { append, events, leases, noteLease } from "./events.ts";
import { history, list, prune } from "./lists.ts";
import { claim, heads, load, wished } from "./queue.ts";
import { adopt, forget, get, requestCancel, update } from "./runs.ts";
import { recordSavepoint, savepointDeleted, savepoints } from "./savepoints.ts";
import { find, submit } from "./submit.ts";
import type { Ledger } from "./types.ts";
import { wish } from "./wishes.ts";

/** See index.ts. */
export async function openLedger(url: string): Promise<Ledger> {
  const backend = await openBackend(url);
  try {
    await prepareSchema(backend);
  } catch (error) {
    await backend.db.destroy();
    throw backend.explain(error);
  }
  return ledgerOn(backend);
}

async function openBackend(url: string): Promise<Backend> {
  if (!URL.canParse(url)) throw invalidUrl();
  const parsed = new URL(url);
  switch (parsed.protocol) {
    case "sqlite:":
      return await (await import("./sqlite.ts")).openSqlite(filePath(parsed));
    case "postgres:":
    case "postgresql:":
      // The driver is loaded by those alone who use it.
      return await (await import("./postgres.ts")).openPostgres(url);
    default:
      throw invalidUrl();
  }
}

function filePath(url: URL): string {
  if (url.host !== "" || url.pathname.length < 2) throw invalidUrl();
  return fileURLToPath(`file://${url.pathname}`);
}

// The URL itself is not shown: it may hold a password.
const invalidUrl = (): UserError =>
  new UserError("ledger-url-invalid", "MAYFLY_LEDGER is no address of a ledger.", {
    path: "MAYFLY_LEDGER",
    hint: "Give sqlite:///absolute/path/ledger.sqlite or postgres://user@host:5432/database.",
    exitCode: EXIT.usage,
  });

function ledgerOn(backend: Backend): Ledger {
  const { db, location } = backend;
  /** Errors of the driver become errors for people. */
  const told = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw backend.explain(error);
    }
  };
  return {
    location,
    submit: async (submission, options) => await told(() => submit(backend, submission, options)),
    find: async (tenant, key) => await told(() => find(db, tenant, key)),
    adopt: async (run) => await told(() => adopt(db, run)),
    get: async (run) => await told(() => get(db, run)),
    list: async (filter) => await told(() => list(db, filter)),
    history: async (job, filter) => await told(() => history(db, job, filter)),
    update: async (run, version, patch) => await told(() => update(db, run, version, patch)),
    claim: async (request) => await told(() => claim(backend, request)),
    load: async (environment, except) => await told(() => load(db, environment, except)),
    heads: async (query) => await told(() => heads(db, query)),
    wished: async (holder) => await told(() => wished(db, holder)),
    wish: async (run, asked) => await told(() => wish(db, run, asked)),
    recordSavepoint: async (savepoint) => {
      await told(() => recordSavepoint(db, savepoint));
    },
    savepoints: async (filter) => await told(() => savepoints(db, filter)),
    savepointDeleted: async (at, when) => {
      await told(() => savepointDeleted(db, at, when));
    },
    requestCancel: async (run) => await told(() => requestCancel(db, run)),
    append: async (run, appended) => await told(() => append(backend, run, appended)),
    events: async (run, after) => await told(() => events(db, run, after)),
    noteLease: async (run, lease) => {
      await told(() => noteLease(db, run, lease));
    },
    leases: async (run) => await told(() => leases(db, run)),
    forget: async (run, version) => {
      await told(() => forget(db, run, version));
    },
    prune: async (endedBefore) => await told(() => prune(backend, endedBefore)),
    close: async () => {
      await db.destroy();
    },
  };
}
