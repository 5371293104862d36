import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Backend, prepareSchema } from "../../jobs/ledger/backend.ts";
import { openSqlite } from "../../jobs/ledger/sqlite.ts";
import { type TempFolder, tempFolder } from "./stores.ts";

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
