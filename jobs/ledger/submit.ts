import type { Kysely } from "kysely";
import { EXIT, UserError } from "../../base/errors.ts";
import { JobSpec } from "../../schema/job.ts";
import type { Backend } from "./backend.ts";
import { digestOf } from "./digest.ts";
import { waiting } from "./queue.ts";
import { rowOf } from "./rows.ts";
import type { RunsTable, Tables } from "./tables.ts";
import { type Ledger, LIVE_STATES, type Submission } from "./types.ts";

type Db = Kysely<Tables>;
type Submitted = Awaited<ReturnType<Ledger["submit"]>>;

/** See {@link Ledger.submit}. */
export async function submit(
  backend: Backend,
  submission: Submission,
  { admit, exclusive = false }: NonNullable<Parameters<Ledger["submit"]>[1]> = {},
): Promise<Submitted> {
  const { db } = backend;
  if (admit === undefined && !exclusive) return await insert(db, submission);
  return await db.transaction().execute(async (transaction) => {
    const { spec, environment, key } = submission;
    await backend.lockName(transaction, `${environment}/${spec.tenant}`);
    // What was taken once is not judged again: the queue may be full of it.
    const known = key !== undefined && (await find(transaction, spec.tenant, key)) !== undefined;
    if (!known && exclusive) await refuseSecond(transaction, submission);
    if (!known) admit?.(await waiting(transaction, environment, spec.tenant));
    return await insert(transaction, submission);
  });
}

/** @throws UserError `stream-is-live` */
async function refuseSecond(db: Db, { spec, environment }: Submission): Promise<void> {
  const live = await db
    .selectFrom("runs")
    .select(["run", "state"])
    .where("job", "=", spec.name)
    .where("tenant", "=", spec.tenant)
    .where("environment", "=", environment)
    .where("state", "in", [...LIVE_STATES])
    .executeTakeFirst();
  if (live === undefined) return;
  throw new UserError(
    "stream-is-live",
    `Stream ${spec.name} of tenant ${spec.tenant} has a live run in environment ${environment}: ${live.run} is ${live.state}.`,
    {
      path: `run ${live.run}`,
      hint: `Change it with: npx mayfly upgrade ${spec.name} FILE. Or end that run first, with its state kept: npx mayfly suspend ${live.run}`,
      exitCode: EXIT.conflict,
    },
  );
}

async function insert(db: Db, submission: Submission): Promise<Submitted> {
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
            .select(["run", "spec_digest", "spec", "environment", "interval_start", "interval_end"])
            .where("tenant", "=", row.tenant)
            .where("key", "=", submission.key)
            .executeTakeFirst();
    if (first !== undefined) {
      if (first.spec_digest !== row.spec_digest && digestToday(first) !== row.spec_digest)
        throw keyReused(submission, first.run);
      return { run: first.run, created: false };
    }
    if (await exists(db, submission.run)) throw runExists(submission.run);
  }
  throw runExists(submission.run);
}

/** Of what was submitted to an older version, as if it were submitted today: its spec gets the fields that came since, with their defaults. */
function digestToday({
  spec: text,
  environment,
  interval_start: start,
  interval_end: end,
}: Pick<RunsTable, "spec" | "environment" | "interval_start" | "interval_end">): string | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text ?? "null");
  } catch {
    // A damaged row is not what anybody submits.
    return undefined;
  }
  const spec = JobSpec.safeParse(document).data;
  if (spec === undefined) return undefined;
  const interval = start === null || end === null ? undefined : { start, end };
  return digestOf({ spec, environment, interval });
}

/** See {@link Ledger.find}. */
export async function find(db: Db, tenant: string, key: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("runs")
    .select("run")
    .where("tenant", "=", tenant)
    .where("key", "=", key)
    .executeTakeFirst();
  return row?.run;
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
  const at = submission.submittedAt ?? new Date().toISOString();
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
