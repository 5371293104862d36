import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Backend, prepareSchema } from "../../jobs/ledger/backend.ts";
import { SCHEMA_VERSION } from "../../jobs/ledger/migrations.ts";
import { get } from "../../jobs/ledger/runs.ts";
import { openSqlite } from "../../jobs/ledger/sqlite.ts";
import { submit } from "../../jobs/ledger/submit.ts";
import { submission, type TempFolder, tempFolder } from "./stores.ts";

let folder: TempFolder;
let ours: Backend;
let theirs: Backend;
beforeEach(async () => {
  folder = tempFolder();
  ours = await openSqlite(`${folder.path}/ledger.sqlite`);
  theirs = await openSqlite(`${folder.path}/ledger.sqlite`);
});
afterEach(async () => {
  await ours.db.destroy();
  await theirs.db.destroy();
  folder.remove();
});

describe("the schema, while another helper makes it", () => {
  test("is the ledger's, though its tables come between two looks for them", async () => {
    let looks = 0;
    const overtaken: Backend = {
      ...ours,
      hasTable: async (db, name) => {
        const there = await ours.hasTable(db, name);
        looks += 1;
        if (looks === 1) await prepareSchema(theirs);
        return there;
      },
    };
    await prepareSchema(overtaken);
    expect(looks).toBeGreaterThan(1);
    expect(await ours.hasTable(ours.db, "runs")).toBe(true);
  });
});

describe("a ledger of the version before streams", () => {
  test("is brought up to date with what is in it", async () => {
    await prepareSchema(ours);
    await submit(ours, submission("pi-1"));
    // As that version left it.
    for (const undo of [
      sql`drop index runs_wished`,
      sql`alter table runs drop column wish`,
      sql`create index runs_wished on runs (holder, run) where cancel_requested_at is not null and ended_at is null`,
      sql`drop table savepoints`,
      sql`create table savepoints (location text primary key, run text not null, state text not null)`,
      sql`update ledger_schema set version = 3`,
    ])
      await undo.execute(ours.db);
    await prepareSchema(theirs);
    expect(await theirs.db.selectFrom("ledger_schema").select("version").executeTakeFirst()).toEqual({
      version: SCHEMA_VERSION,
    });
    expect(await get(theirs.db, "pi-1")).toMatchObject({ run: "pi-1", state: "queued", wish: undefined });
    expect(await theirs.db.selectFrom("savepoints").select(["location", "flink_version"]).execute()).toEqual(
      [],
    );
  });
});
