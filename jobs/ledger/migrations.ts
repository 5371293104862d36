import { type Kysely, sql } from "kysely";
import type { Tables } from "./tables.ts";

type Migration = (db: Kysely<Tables>) => Promise<void>;

/**
 * The steps from an empty database to the newest schema, in order; a step that was released never changes. SQLite and Postgres run
 * the same ones.
 */
const MIGRATIONS: readonly Migration[] = [runsEventsLeasesSavepoints, machineStates, queueIndices, streams];

/** The schema that this version reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings a locked database from one version to the newest. */
export async function migrate(db: Kysely<Tables>, from: number): Promise<void> {
  if (from === 0) {
    await db.schema
      .createTable("ledger_schema")
      .addColumn("version", "integer", (column) => column.notNull())
      .execute();
    await db.insertInto("ledger_schema").values({ version: SCHEMA_VERSION }).execute();
  }
  for (const migration of MIGRATIONS.slice(from)) await migration(db);
  await db.updateTable("ledger_schema").set({ version: SCHEMA_VERSION }).execute();
}

async function runsEventsLeasesSavepoints(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable("runs")
    .addColumn("run", "text", (column) => column.primaryKey())
    .addColumn("key", "text")
    .addColumn("spec_digest", "text")
    .addColumn("tenant", "text", (column) => column.notNull())
    .addColumn("job", "text", (column) => column.notNull())
    .addColumn("environment", "text", (column) => column.notNull())
    .addColumn("connection", "text", (column) => column.notNull())
    .addColumn("interval_start", "text")
    .addColumn("interval_end", "text")
    .addColumn("priority", "integer", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("attempt", "integer", (column) => column.notNull())
    .addColumn("phase", "text")
    .addColumn("failure_class", "text")
    .addColumn("spec", "text")
    .addColumn("plan", "text")
    .addColumn("outcome", "text")
    .addColumn("report", "text")
    .addColumn("namespace", "text")
    .addColumn("stack", "text")
    .addColumn("holder", "text")
    .addColumn("fence", "integer", (column) => column.notNull())
    .addColumn("cancel_requested_at", "text")
    .addColumn("not_before", "text")
    .addColumn("submitted_at", "text", (column) => column.notNull())
    .addColumn("started_at", "text")
    .addColumn("ended_at", "text")
    .addColumn("updated_at", "text", (column) => column.notNull())
    .addColumn("left_behind", "text", (column) => column.notNull())
    .addColumn("version", "integer", (column) => column.notNull())
    // A tenant's keys are its own: another's are neither blocked nor found out by them.
    .addUniqueConstraint("runs_key", ["tenant", "key"])
    .execute();
  // The queue, a job's history, and lists: each query of the ledger has its index.
  await db.schema
    .createIndex("runs_queue")
    .on("runs")
    .columns(["state", "priority desc", "submitted_at", "run"])
    .execute();
  await db.schema.createIndex("runs_job").on("runs").columns(["job", "submitted_at"]).execute();
  await db.schema.createIndex("runs_submitted").on("runs").columns(["submitted_at"]).execute();
  await db.schema.createIndex("runs_ended").on("runs").columns(["ended_at"]).execute();

  await db.schema
    .createTable("run_events")
    .addColumn("run", "text", (column) => column.notNull().references("runs.run").onDelete("cascade"))
    .addColumn("seq", "integer", (column) => column.notNull())
    .addColumn("at", "text", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("run_events_place", ["run", "seq"])
    .execute();
  await db.schema
    .createTable("leases_seen")
    .addColumn("run", "text", (column) => column.notNull().references("runs.run").onDelete("cascade"))
    .addColumn("holder", "text", (column) => column.notNull())
    .addColumn("fence", "integer", (column) => column.notNull())
    .addColumn("at", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("leases_seen_once", ["run", "fence", "holder"])
    .execute();
  // Streams write here later. A savepoint outlives the run that made it: its job starts from it again.
  await db.schema
    .createTable("savepoints")
    .addColumn("location", "text", (column) => column.primaryKey())
    .addColumn("run", "text", (column) => column.notNull())
    .addColumn("tenant", "text", (column) => column.notNull())
    .addColumn("job", "text", (column) => column.notNull())
    .addColumn("at", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .execute();
}

/** Runs that workers take from the queue: what the state machine knows of them. */
async function machineStates(db: Kysely<Tables>): Promise<void> {
  await db.schema.alterTable("runs").addColumn("machine", "text").execute();
}

/**
 * What workers ask twice a second is answered by indices of the few rows that it is about, however many runs have ended. The queries
 * repeat the conditions word for word: only so SQLite knows that an index has all rows (https://sqlite.org/partialindex.html).
 */
async function queueIndices(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createIndex("runs_waiting")
    .on("runs")
    .columns(["environment", "tenant", "priority desc", "submitted_at", "run", "not_before"])
    .where(sql<boolean>`state = 'queued' and machine is not null`)
    .execute();
  await db.schema
    .createIndex("runs_at_work")
    .on("runs")
    .columns(["environment", "tenant", "state", "run"])
    .where(
      sql<boolean>`state in ('planning', 'creating', 'running', 'finishing', 'destroying', 'kept') and machine is not null`,
    )
    .execute();
  await db.schema
    .createIndex("runs_wished")
    .on("runs")
    .columns(["holder", "run"])
    .where(sql<boolean>`cancel_requested_at is not null and ended_at is null`)
    .execute();
  // A tenant's list.
  await db.schema.createIndex("runs_tenant").on("runs").columns(["tenant", "submitted_at"]).execute();
}

/** What streams need: wishes, and savepoints with what a later run has to know of them. */
async function streams(db: Kysely<Tables>): Promise<void> {
  await db.schema.alterTable("runs").addColumn("wish", "text").execute();
  await db.schema.dropIndex("runs_wished").execute();
  await db.schema
    .createIndex("runs_wished")
    .on("runs")
    .columns(["holder", "run"])
    .where(sql<boolean>`(cancel_requested_at is not null or wish is not null) and ended_at is null`)
    .execute();
  // Nothing ever wrote into the first one.
  await db.schema.dropTable("savepoints").execute();
  await db.schema
    .createTable("savepoints")
    .addColumn("location", "text", (column) => column.primaryKey())
    .addColumn("run", "text", (column) => column.notNull())
    .addColumn("tenant", "text", (column) => column.notNull())
    .addColumn("job", "text", (column) => column.notNull())
    .addColumn("environment", "text", (column) => column.notNull())
    .addColumn("attempt", "integer", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("flink_version", "text", (column) => column.notNull())
    .addColumn("format", "text", (column) => column.notNull())
    .addColumn("at", "text", (column) => column.notNull())
    .addColumn("deleted_at", "text")
    .execute();
  await db.schema.createIndex("savepoints_job").on("savepoints").columns(["tenant", "job", "at"]).execute();
  await db.schema.createIndex("savepoints_run").on("savepoints").columns(["run", "at"]).execute();
}
