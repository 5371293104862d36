import type { Kysely } from "kysely";
import { EXIT, UserError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { Backend } from "./backend.ts";
import { digestOf } from "./digest.ts";
import { patchColumns, rowOf, runOf, SUMMARY_COLUMNS, summaryOf } from "./rows.ts";
import type { RunsTable, Tables } from "./tables.ts";
import {
  type ClaimedRun,
  type Ledger,
  type LedgerRun,
  type RunPatch,
  type RunSummaryRow,
  type Submission,
  TERMINAL_STATES,
} from "./types.ts";

type Db = Kysely<Tables>;

const now = (): string => new Date().toISOString();

const isTerminal = (state: string): boolean => TERMINAL_STATES.some((terminal) => terminal === state);

/** See {@link Ledger.submit}. */
export async function submit(db: Db, submission: Submission): Promise<{ run: string; created: boolean }> {
  const row = newRow(submission);
  // Once more only where the key's first run was forgotten between the two statements.
  for (let tries = 0; tries < 3; tries++) {
    const inserted = await db
      .insertInto("runs")
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .returning("run")
      .executeTakeFirst();
    if (inserted !== undefined) return { run: inserted.run, created: true };
    const first =
      submission.key === undefined
        ? undefined
        : await db
            .selectFrom("runs")
            .select(["run", "spec_digest"])
            .where("tenant", "=", row.tenant)
            .where("key", "=", submission.key)
            .executeTakeFirst();
    if (first !== undefined) {
      if (first.spec_digest !== row.spec_digest) throw keyReused(submission, first.run);
      return { run: first.run, created: false };
    }
    if (await exists(db, submission.run)) throw runExists(submission.run);
  }
  throw runExists(submission.run);
}

const exists = async (db: Db, run: string): Promise<boolean> =>
  (await db.selectFrom("runs").select("run").where("run", "=", run).executeTakeFirst()) !== undefined;

const runExists = (run: string): UserError =>
  new UserError("run-exists", `There is a run ${run} already.`, {
    hint: "Leave the run's id out, so that a new one is made.",
    exitCode: EXIT.conflict,
  });

const keyReused = ({ key, spec }: Submission, first: string): UserError =>
  new UserError(
    "key-reused",
    `Key ${key ?? ""} of tenant ${spec.tenant} is taken: run ${first} was submitted with it, for another spec, environment or interval.`,
    {
      path: `run ${first}`,
      hint: `See what that was: npx mayfly show ${first}. Submit with another key.`,
      exitCode: EXIT.conflict,
    },
  );

function newRow(submission: Submission): RunsTable {
  const {
    run,
    key,
    spec,
    environment,
    connection,
    interval,
    priority = 0,
    notBefore,
    holder,
    machine,
  } = submission;
  const at = submission.submittedAt ?? now();
  return rowOf({
    run,
    key,
    spec,
    specDigest: digestOf(submission),
    tenant: spec.tenant,
    job: spec.name,
    environment,
    connection,
    interval,
    priority,
    notBefore,
    holder,
    state: holder === undefined ? "queued" : "planning",
    startedAt: holder === undefined ? undefined : at,
    submittedAt: at,
    updatedAt: at,
    attempt: 0,
    fence: 0,
    left: [],
    version: 1,
    phase: undefined,
    failureClass: undefined,
    outcome: undefined,
    namespace: undefined,
    stack: undefined,
    cancelRequestedAt: undefined,
    endedAt: undefined,
    plan: undefined,
    report: undefined,
    machine,
  });
}

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

/** See {@link Ledger.claim}. */
export async function claim(
  { db, rowLocks }: Backend,
  { holder, run }: Parameters<Ledger["claim"]>[0],
): Promise<ClaimedRun | undefined> {
  const at = now();
  let next = db
    .selectFrom("runs as queued")
    .select("queued.run")
    .where("queued.state", "=", "queued")
    .where((build) =>
      build.or([build("queued.not_before", "is", null), build("queued.not_before", "<=", at)]),
    )
    .orderBy("queued.priority", "desc")
    .orderBy("queued.submitted_at")
    .orderBy("queued.run")
    .limit(1);
  if (run !== undefined) next = next.where("queued.run", "=", run);
  // Others pass over a row that is just being taken, instead of waiting for it. SQLite has one writer at a time anyway.
  if (rowLocks) next = next.forUpdate().skipLocked();
  const row = await db
    .updateTable("runs")
    .set((build) => ({
      state: "planning",
      holder,
      started_at: build.fn.coalesce("started_at", build.val(at)),
      updated_at: at,
      version: build("version", "+", 1),
    }))
    // `=`, not `in`: a subquery with a limit and locks must be evaluated once.
    .where("run", "=", next)
    .where("state", "=", "queued")
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { spec, ...claimed } = runOf(row);
  if (spec === undefined) throw new Error(`run ${claimed.run} was queued without a spec`);
  return { ...claimed, spec };
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
    .where("state", "not in", [...TERMINAL_STATES])
    .returning(SUMMARY_COLUMNS)
    .executeTakeFirst();
  if (held !== undefined) return summaryOf(held);
  const row = await db.selectFrom("runs").select(SUMMARY_COLUMNS).where("run", "=", run).executeTakeFirst();
  if (row === undefined) throw await unknownRun(db, run);
  const found = summaryOf(row);
  // Asking again for what was done is no mistake.
  if (found.state === "cancelled") return found;
  if (!isTerminal(found.state)) return await requestCancel(db, run);
  throw new UserError("run-finished", `Run ${run} has ended already: ${found.state}.`, {
    hint: `See how: npx mayfly show ${run}`,
    exitCode: EXIT.conflict,
  });
}
