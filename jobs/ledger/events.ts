import type { Kysely } from "kysely";
import { RunEvent } from "../../schema/events.ts";
import type { Backend } from "./backend.ts";
import { unknownRun } from "./runs.ts";
import type { Tables } from "./tables.ts";
import type { SeenLease, StoredEvent } from "./types.ts";

type Db = Kysely<Tables>;

/** See `Ledger.append`. */
export async function append(
  { db, rowLocks }: Backend,
  run: string,
  events: readonly RunEvent[],
): Promise<number> {
  return await db.transaction().execute(async (transaction) => {
    // Whoever appends to the same run waits here, so that each event has one place. On SQLite the transaction itself is that lock.
    const row = transaction.selectFrom("runs").select("run").where("run", "=", run);
    if ((await (rowLocks ? row.forUpdate() : row).executeTakeFirst()) === undefined)
      throw await unknownRun(transaction, run);
    const { last } = await transaction
      .selectFrom("run_events")
      .select((build) => build.fn.max<number | null>("seq").as("last"))
      .where("run", "=", run)
      .executeTakeFirstOrThrow();
    const before = last ?? 0;
    const rows = events.map((event, index) => ({
      run,
      seq: before + index + 1,
      at: event.at,
      body: JSON.stringify(event),
    }));
    for (let from = 0; from < rows.length; from += ROWS) {
      await transaction
        .insertInto("run_events")
        .values(rows.slice(from, from + ROWS))
        .execute();
    }
    return before + rows.length;
  });
}

/** Rows of one statement: databases bound its number of parameters. */
const ROWS = 500;

/** See `Ledger.events`. */
export async function events(
  db: Db,
  run: string,
  after = 0,
): Promise<{ events: readonly StoredEvent[]; unknown: number }> {
  const rows = await db
    .selectFrom("run_events")
    .select(["seq", "body"])
    .where("run", "=", run)
    .where("seq", ">", after)
    .orderBy("seq")
    .execute();
  if (rows.length === 0) {
    const known = await db.selectFrom("runs").select("run").where("run", "=", run).executeTakeFirst();
    if (known === undefined) throw await unknownRun(db, run);
  }
  const read = rows.flatMap(({ seq, body }): StoredEvent[] => {
    const parsed = RunEvent.safeParse(JSON.parse(body));
    return parsed.success ? [{ seq, event: parsed.data }] : [];
  });
  return { events: read, unknown: rows.length - read.length };
}

/** See `Ledger.noteLease`. */
export async function noteLease(
  db: Db,
  run: string,
  { holder, fence }: Omit<SeenLease, "at">,
): Promise<void> {
  await db
    .insertInto("leases_seen")
    .columns(["run", "holder", "fence", "at"])
    .expression((build) =>
      // Nothing is noted of a run that was forgotten meanwhile.
      build
        .selectFrom("runs")
        .select((row) => [
          row.ref("run").as("run"),
          row.val(holder).as("holder"),
          row.val(fence).as("fence"),
          row.val(new Date().toISOString()).as("at"),
        ])
        .where("run", "=", run),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** See `Ledger.leases`. */
export async function leases(db: Db, run: string): Promise<readonly SeenLease[]> {
  return await db
    .selectFrom("leases_seen")
    .select(["holder", "fence", "at"])
    .where("run", "=", run)
    .orderBy("fence")
    .orderBy("at")
    .execute();
}
