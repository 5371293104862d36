import { type Kysely, sql } from "kysely";
import { EXIT, UserError } from "../../base/errors.ts";
import { suggest } from "../../base/nearest.ts";
import type { Backend } from "./backend.ts";
import { SUMMARY_COLUMNS, summaryOf } from "./rows.ts";
import type { Tables } from "./tables.ts";
import { RESUMED, type RunFilter, type RunSummaryRow, TERMINAL_STATES } from "./types.ts";

type Db = Kysely<Tables>;

/** See `Ledger.list`. */
export async function list(db: Db, filter: RunFilter = {}): Promise<readonly RunSummaryRow[]> {
  const { states, tenant, job, since, leftBehind, detached, environment, limit, onUnreadable } = filter;
  // `in ()` is no SQL on Postgres.
  if (states?.length === 0) return [];
  let query = db.selectFrom("runs").select(SUMMARY_COLUMNS);
  if (states !== undefined) query = query.where("state", "in", [...states]);
  if (tenant !== undefined) query = query.where("tenant", "=", tenant);
  if (job !== undefined) query = query.where("job", "=", job);
  if (since !== undefined) query = query.where("submitted_at", ">=", since);
  if (leftBehind === true) query = query.where("left_behind", "!=", "[]");
  if (detached === true) query = query.where("machine", "is not", null);
  if (environment !== undefined) query = query.where("environment", "=", environment);
  if (limit !== undefined) query = query.limit(limit);
  const rows = await query.orderBy("submitted_at", "desc").orderBy("run", "desc").execute();
  return rows.flatMap((row) => {
    try {
      return [summaryOf(row)];
    } catch (error) {
      // One that another version wrote, or that is damaged, does not hide the others.
      if (onUnreadable === undefined || !(error instanceof UserError)) throw error;
      onUnreadable(row.run, error);
      return [];
    }
  });
}

/** Jobs that a mistyped name is held against. */
const KNOWN = 200;

/** See `Ledger.history`. */
export async function history(
  db: Db,
  job: string,
  filter: Pick<RunFilter, "tenant" | "since" | "limit" | "onUnreadable"> = {},
): Promise<readonly RunSummaryRow[]> {
  const runs = await list(db, { ...filter, job });
  if (runs.length > 0) return runs;
  const known = await db.selectFrom("runs").select("job").distinct().orderBy("job").limit(KNOWN).execute();
  const names = known.map((row) => row.job);
  // There are runs, only none that the filter lets through.
  if (names.includes(job)) return [];
  throw new UserError("unknown-job", `The ledger knows of no run of a job ${job}.`, {
    hint: suggest(job, names),
    exitCode: EXIT.missingInput,
  });
}

/** Runs of one statement, so that others who write wait for milliseconds. */
const AT_ONCE = 200;

/** See `Ledger.prune`. Events and leases go with their runs. */
export async function prune({ db, rowLocks }: Backend, endedBefore: string): Promise<number> {
  for (let gone = 0; ; ) {
    let old = db
      .selectFrom("runs")
      .select("run")
      .where("state", "in", [...TERMINAL_STATES])
      .where("ended_at", "<", endedBefore)
      .where("left_behind", "=", "[]")
      // A stream is resumed by what is known of the run that was suspended, however long ago.
      .where((build) =>
        build.or([
          build("state", "!=", "suspended"),
          build.exists(
            build
              .selectFrom("runs as later")
              .select("later.run")
              .whereRef("later.tenant", "=", "runs.tenant")
              .where("later.key", "=", sql<string>`${sql.lit(RESUMED)} || runs.run`),
          ),
        ]),
      )
      .orderBy("ended_at")
      .limit(AT_ONCE);
    // Several helpers may do it at once.
    if (rowLocks) old = old.forUpdate().skipLocked();
    const runs = (await old.execute()).map(({ run }) => run);
    if (runs.length === 0) return gone;
    const deleted = await db.deleteFrom("runs").where("run", "in", runs).returning("run").execute();
    gone += deleted.length;
  }
}
