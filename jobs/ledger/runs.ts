import type { Kysely } from "kysely";
import { EXIT, UserError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { patchColumns, rowOf, runOf, SUMMARY_COLUMNS, summaryOf } from "./rows.ts";
import type { Tables } from "./tables.ts";
import { type LedgerRun, type RunPatch, type RunSummaryRow, TERMINAL_STATES } from "./types.ts";

type Db = Kysely<Tables>;

const now = (): string => new Date().toISOString();

export const isTerminal = (state: string): boolean => TERMINAL_STATES.some((terminal) => terminal === state);

/** See {@link Ledger.adopt}. */
export async function adopt(db: Db, run: LedgerRun): Promise<boolean> {
  const { namespace, stack } = run.plan ?? {};
  const row = rowOf({ ...run, namespace: run.namespace ?? namespace, stack: run.stack ?? stack });
  const inserted = await db
    .insertInto("runs")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning("run")
    .executeTakeFirst();
  return inserted !== undefined;
}

/** See {@link Ledger.get}. */
export async function get(db: Db, run: string): Promise<LedgerRun> {
  const row = await db.selectFrom("runs").selectAll().where("run", "=", run).executeTakeFirst();
  if (row === undefined) throw await unknownRun(db, run);
  return runOf(row);
}

/** Names that a mistyped one is held against: the newest. */
const KNOWN = 500;

/** The error for a run that is not there. */
export async function unknownRun(db: Db, run: string): Promise<UserError> {
  const known = await db
    .selectFrom("runs")
    .select("run")
    .orderBy("submitted_at", "desc")
    .limit(KNOWN)
    .execute();
  const near = nearest(
    run,
    known.map((row) => row.run),
  );
  return new UserError("unknown-run", `The ledger knows of no run ${run}.`, {
    hint:
      near === undefined
        ? "See the runs it knows: npx mayfly runs"
        : `Did you mean ${near}? See the runs it knows: npx mayfly runs`,
    exitCode: EXIT.missingInput,
  });
}

/** See {@link Ledger.update}. */
export async function update(db: Db, run: string, version: number, patch: RunPatch): Promise<number> {
  const changed = await db
    .updateTable("runs")
    .set({ ...patchColumns(patch), updated_at: now(), version: version + 1 })
    .where("run", "=", run)
    .where("version", "=", version)
    .returning("version")
    .executeTakeFirst();
  if (changed === undefined) throw await notMine(db, run);
  return changed.version;
}

/** See {@link Ledger.forget}. */
export async function forget(db: Db, run: string, version: number): Promise<void> {
  const gone = await db
    .deleteFrom("runs")
    .where("run", "=", run)
    .where("version", "=", version)
    .returning("run")
    .executeTakeFirst();
  if (gone === undefined) throw await notMine(db, run);
}

async function notMine(db: Db, run: string): Promise<UserError> {
  const row = await db.selectFrom("runs").select(["holder"]).where("run", "=", run).executeTakeFirst();
  if (row === undefined) return await unknownRun(db, run);
  const holder = row.holder === null ? "" : ` Its holder is ${row.holder}.`;
  return new UserError("run-changed", `Another helper changed run ${run} meanwhile.${holder}`, {
    hint: `Look at it again: npx mayfly show ${run}`,
    exitCode: EXIT.conflict,
  });
}

/** See {@link Ledger.requestCancel}. */
export async function requestCancel(db: Db, run: string): Promise<RunSummaryRow> {
  const at = now();
  const message = "The run was cancelled before it began.";
  const queued = await db
    .updateTable("runs")
    .set((build) => ({
      ...patchColumns({ state: "cancelled", endedAt: at, outcome: { kind: "cancelled", message } }),
      cancel_requested_at: at,
      updated_at: at,
      version: build("version", "+", 1),
    }))
    .where("run", "=", run)
    .where("state", "=", "queued")
    .returning(SUMMARY_COLUMNS)
    .executeTakeFirst();
  if (queued !== undefined) return summaryOf(queued);
  const held = await db
    .updateTable("runs")
    .set((build) => ({ cancel_requested_at: build.fn.coalesce("cancel_requested_at", build.val(at)) }))
    .where("run", "=", run)
    .where("state", "not in", [...TERMINAL_STATES, "kept"])
    .returning(SUMMARY_COLUMNS)
    .executeTakeFirst();
  if (held !== undefined) return summaryOf(held);
  const row = await db.selectFrom("runs").select(SUMMARY_COLUMNS).where("run", "=", run).executeTakeFirst();
  if (row === undefined) throw await unknownRun(db, run);
  const found = summaryOf(row);
  // Asking again for what was done is no mistake.
  if (found.state === "cancelled") return found;
  if (found.state === "kept") {
    throw new UserError("run-kept", `Run ${run} has ended; its cluster was left up on purpose.`, {
      hint: `Remove that: npx mayfly destroy ${run}`,
      exitCode: EXIT.conflict,
    });
  }
  if (!isTerminal(found.state)) return await requestCancel(db, run);
  throw new UserError("run-finished", `Run ${run} has ended already: ${found.state}.`, {
    hint: `See how: npx mayfly show ${run}`,
    exitCode: EXIT.conflict,
  });
}
