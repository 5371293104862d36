import type { Kysely } from "kysely";
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { readerOf } from "./rows.ts";
import type { SavepointsTable, Tables } from "./tables.ts";
import type { Savepoint, SavepointFilter } from "./types.ts";

type Db = Kysely<Tables>;

/** See `Ledger.recordSavepoint`. */
export async function recordSavepoint(db: Db, savepoint: Savepoint): Promise<void> {
  await db
    .insertInto("savepoints")
    .values({
      location: savepoint.location,
      run: savepoint.run,
      tenant: savepoint.tenant,
      job: savepoint.job,
      environment: savepoint.environment,
      attempt: savepoint.attempt,
      kind: savepoint.kind,
      reason: savepoint.reason,
      flink_version: savepoint.flinkVersion,
      format: savepoint.format,
      at: savepoint.at,
      deleted_at: savepoint.deletedAt ?? null,
    })
    // Whoever finds a savepoint again after a helper's end notes it again.
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** See `Ledger.savepoints`. */
export async function savepoints(
  db: Db,
  { location, tenant, job, run, environment, deleted = false }: SavepointFilter = {},
): Promise<readonly Savepoint[]> {
  let query = db.selectFrom("savepoints").selectAll();
  if (location !== undefined) query = query.where("location", "=", location);
  if (tenant !== undefined) query = query.where("tenant", "=", tenant);
  if (job !== undefined) query = query.where("job", "=", job);
  if (run !== undefined) query = query.where("run", "=", run);
  if (environment !== undefined) query = query.where("environment", "=", environment);
  if (!deleted) query = query.where("deleted_at", "is", null);
  const rows = await query.orderBy("at", "desc").orderBy("location", "desc").execute();
  return rows.map(savepointOf);
}

/** See `Ledger.savepointDeleted`. */
export async function savepointDeleted(db: Db, location: string, at: string): Promise<void> {
  const gone = await db
    .updateTable("savepoints")
    .set((build) => ({ deleted_at: build.fn.coalesce("deleted_at", build.val(at)) }))
    .where("location", "=", location)
    .returning("location")
    .executeTakeFirst();
  if (gone !== undefined) return;
  throw new UserError("unknown-savepoint", "The ledger knows of no such savepoint.", {
    path: location,
    hint: "See those of a stream: npx mayfly savepoints STREAM",
    exitCode: EXIT.missingInput,
  });
}

const Kind = z.enum(["savepoint", "checkpoint"]);
const Reason = z.enum(["suspend", "asked", "periodic"]);
const Format = z.enum(["native", "canonical"]);

/** @throws UserError `run-unreadable` */
function savepointOf(row: SavepointsTable): Savepoint {
  const read = readerOf(row.run);
  return {
    location: row.location,
    run: row.run,
    tenant: row.tenant,
    job: row.job,
    environment: row.environment,
    attempt: row.attempt,
    kind: read("kind of a savepoint", Kind, row.kind),
    reason: read("reason of a savepoint", Reason, row.reason),
    flinkVersion: row.flink_version,
    format: read("format of a savepoint", Format, row.format),
    at: row.at,
    ...(row.deleted_at === null ? {} : { deletedAt: row.deleted_at }),
  };
}
