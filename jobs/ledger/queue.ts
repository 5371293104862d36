// What workers ask of the queue, twice a second each: by indices of the rows that it is about (migrations.ts), whose conditions are repeated here.
import { type ExpressionBuilder, type Kysely, type RawBuilder, sql } from "kysely";
import type { Backend } from "./backend.ts";
import { runOf, wishOf } from "./rows.ts";
import type { RunsTable, Tables } from "./tables.ts";
import type { ClaimedRun, ClaimRequest, HeadsQuery, QueuedRow, TenantLoad, Wished } from "./types.ts";

type Db = Kysely<Tables>;

const WAITS: RawBuilder<boolean> = sql`state = 'queued' and machine is not null`;
const AT_WORK: RawBuilder<boolean> = sql`state in ('planning', 'creating', 'running', 'finishing', 'destroying', 'kept') and machine is not null`;
const WISHED: RawBuilder<boolean> = sql`(cancel_requested_at is not null or wish is not null) and ended_at is null`;

const now = (): string => new Date().toISOString();

/** How many of a tenant's runs wait in an environment. */
export async function waiting(db: Db, environment: string, tenant: string): Promise<number> {
  return await count(db, environment, tenant, WAITS);
}

async function count(
  db: Db,
  environment: string,
  tenant: string,
  which: RawBuilder<boolean>,
): Promise<number> {
  const { found } = await db
    .selectFrom("runs")
    .select((build) => build.fn.countAll<number | string>().as("found"))
    .where("environment", "=", environment)
    .where("tenant", "=", tenant)
    .where(which)
    .executeTakeFirstOrThrow();
  // Postgres counts in 64 bits, which its driver hands over as text.
  return Number(found);
}

/** See `Ledger.load`. */
export async function load(
  db: Db,
  environment: string,
  except: readonly string[] = [],
): Promise<readonly TenantLoad[]> {
  const counted = (which: RawBuilder<boolean>) => {
    const query = db
      .selectFrom("runs")
      .select((build) => ["tenant", "state", build.fn.countAll<number | string>().as("found")])
      .where("environment", "=", environment)
      .where(which)
      .groupBy(["tenant", "state"]);
    return except.length === 0 ? query : query.where("run", "not in", [...except]);
  };
  const rows = await counted(WAITS).unionAll(counted(AT_WORK)).execute();
  const loads = new Map<string, { queued: number; working: number; kept: number }>();
  for (const { tenant, state, found } of rows) {
    const of = loads.get(tenant) ?? { queued: 0, working: 0, kept: 0 };
    of[state === "queued" || state === "kept" ? state : "working"] += Number(found);
    loads.set(tenant, of);
  }
  return [...loads].map(([tenant, counts]) => ({ tenant, ...counts }));
}

/** See `Ledger.heads`. */
export async function heads(
  db: Db,
  { environment, perTenant, without = [], except = [] }: HeadsQuery,
): Promise<readonly QueuedRow[]> {
  const at = now();
  // A further attempt waits from when it is due: it does not pass those that came meanwhile.
  const since = sql<string>`case when not_before > submitted_at then not_before else submitted_at end`;
  let due = db
    .selectFrom("runs")
    .select((build) => [
      "run",
      "tenant",
      "priority",
      "submitted_at",
      "not_before",
      build.fn
        .agg<number | string>("row_number")
        .over((over) => over.partitionBy("tenant").orderBy("priority", "desc").orderBy(since).orderBy("run"))
        .as("by_rank"),
      build.fn
        .agg<number | string>("row_number")
        .over((over) => over.partitionBy("tenant").orderBy(since).orderBy("run"))
        .as("by_age"),
    ])
    .where("environment", "=", environment)
    .where(WAITS)
    .where((build) => isDue(build, at));
  if (without.length > 0) due = due.where("tenant", "not in", [...without]);
  if (except.length > 0) due = due.where("run", "not in", [...except]);
  const rows = await db
    .selectFrom(due.as("due"))
    .select(["run", "tenant", "priority", "submitted_at", "not_before"])
    .where((build) => build.or([build("by_rank", "<=", perTenant), build("by_age", "<=", perTenant)]))
    .execute();
  return rows.map((row) => ({
    run: row.run,
    tenant: row.tenant,
    priority: row.priority,
    submittedAt: row.submitted_at,
    notBefore: row.not_before ?? undefined,
  }));
}

const isDue = (build: ExpressionBuilder<{ readonly runs: RunsTable }, "runs">, at: string) =>
  build.or([build("not_before", "is", null), build("not_before", "<=", at)]);

/** See `Ledger.wished`. */
export async function wished(db: Db, holder: string): Promise<readonly Wished[]> {
  const rows = await db
    .selectFrom("runs")
    .select(["run", "cancel_requested_at", "wish"])
    .where("holder", "=", holder)
    .where(WISHED)
    .execute();
  return rows.map(({ run, cancel_requested_at: cancel, wish }) => ({
    run,
    cancel: cancel !== null,
    wish: wishOf(run, wish),
  }));
}

/** See `Ledger.claim`. */
export async function claim(backend: Backend, request: ClaimRequest): Promise<ClaimedRun | undefined> {
  return await backend.db.transaction().execute(async (transaction) => {
    if (request.run !== undefined && request.running !== undefined) {
      const row = await transaction
        .selectFrom("runs")
        .select(["tenant", "environment"])
        .where("run", "=", request.run)
        .where("state", "=", "queued")
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const { tenant, environment } = row;
      // Else two workers could both count one less than the limit, and both take one.
      await backend.lockName(transaction, `${environment}/${tenant}`);
      if ((await count(transaction, environment, tenant, AT_WORK)) >= request.running) return undefined;
    }
    return await take(transaction, backend.rowLocks, request);
  });
}

async function take(
  db: Db,
  rowLocks: boolean,
  { holder, run, accept }: ClaimRequest,
): Promise<ClaimedRun | undefined> {
  const at = now();
  let next = db
    .selectFrom("runs")
    .select("run")
    .where("state", "=", "queued")
    .where((build) => isDue(build, at))
    .orderBy("priority", "desc")
    .orderBy("submitted_at")
    .orderBy("run")
    .limit(1);
  if (run !== undefined) next = next.where("run", "=", run);
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
  // What is thrown from here on takes the claim back.
  const { spec, ...found } = runOf(row);
  if (spec === undefined) throw new Error(`run ${found.run} was queued without a spec`);
  const claimed = { ...found, spec };
  accept?.(claimed);
  return claimed;
}
