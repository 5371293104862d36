import type { Kysely } from "kysely";
import { EXIT, UserError } from "../../base/errors.ts";
import { migrate, SCHEMA_VERSION } from "./migrations.ts";
import type { Tables } from "./tables.ts";

/** A database that a ledger is kept in: what SQLite and Postgres do differently, and no more. */
export interface Backend {
  /** Where it is, without a password: for messages. */
  readonly location: string;
  readonly db: Kysely<Tables>;
  /** Whether `for update skip locked` is there, and needed. */
  readonly rowLocks: boolean;
  /** Whether a table of this name exists. */
  readonly hasTable: (db: Kysely<Tables>, name: string) => Promise<boolean>;
  /** Keeps others from changing the schema until the transaction ends. */
  readonly lockSchema: (transaction: Kysely<Tables>) => Promise<void>;
  /** Keeps others who ask for the same name waiting until the transaction ends. */
  readonly lockName: (transaction: Kysely<Tables>, name: string) => Promise<void>;
  /** What an error of the driver means for people; the error itself where it is none of the surroundings'. */
  readonly explain: (error: unknown) => unknown;
}

/**
 * Makes or updates the tables; does nothing where they are up to date.
 * @throws UserError `ledger-newer`, where nothing is touched; `ledger-foreign` where the database is another program's.
 */
export async function prepareSchema(backend: Backend): Promise<void> {
  // Without the lock a table seen missing may be there at the next look: such a look only spares the lock, and refuses nothing.
  const { db } = backend;
  if ((await backend.hasTable(db, "ledger_schema")) && (await knownVersion(backend, db)) === SCHEMA_VERSION) {
    return;
  }
  await db.transaction().execute(async (transaction) => {
    await backend.lockSchema(transaction);
    // Another helper may have been here meanwhile.
    const version = await lockedVersion(backend, transaction);
    if (version < SCHEMA_VERSION) await migrate(transaction, version);
  });
}

/** 0 where nothing has been made yet. */
async function lockedVersion(backend: Backend, transaction: Kysely<Tables>): Promise<number> {
  if (await backend.hasTable(transaction, "ledger_schema")) return await knownVersion(backend, transaction);
  if (await backend.hasTable(transaction, "runs")) throw foreign(backend);
  return 0;
}

async function knownVersion(backend: Backend, db: Kysely<Tables>): Promise<number> {
  const { version } = await db.selectFrom("ledger_schema").select("version").executeTakeFirstOrThrow();
  if (version > SCHEMA_VERSION) {
    throw new UserError(
      "ledger-newer",
      `The ledger was made by a newer Mayfly: its schema is version ${version}, this Mayfly reads ${SCHEMA_VERSION}.`,
      {
        path: backend.location,
        hint: "Update Mayfly on this machine. Nothing was changed.",
        exitCode: EXIT.unavailable,
      },
    );
  }
  return version;
}

const foreign = ({ location }: Backend): UserError =>
  new UserError("ledger-foreign", "The database has a table `runs` that is not Mayfly's.", {
    path: location,
    hint: "Give Mayfly a database of its own: MAYFLY_LEDGER=sqlite:///path or postgres://user@host/database.",
    exitCode: EXIT.unavailable,
  });
