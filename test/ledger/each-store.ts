// The same tests on each database that a ledger may be kept in.
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import { type Ledger, openLedger } from "../../jobs/ledger/index.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { type TempFolder, tempFolder } from "./stores.ts";

/** What a test has: a new ledger, whose address other processes may be told, and a folder. */
export interface Store {
  readonly ledger: Ledger;
  readonly url: string;
  readonly folder: string;
  /** Address of another database, which is empty. */
  readonly another: () => Promise<string>;
}

/** Describes `what` in SQLite and in Postgres; where the latter can't be had its tests are skipped and say why. */
export function onEachStore(what: string, tests: (store: Store) => void): void {
  let server: PostgresServer | undefined;
  let missing = "";
  beforeAll(async () => {
    const started = await startPostgres();
    if ("missing" in started) missing = started.missing;
    else server = started;
  }, 180_000);
  afterAll(async () => {
    await server?.stop();
  });

  describe.each(["SQLite", "Postgres"])(`${what} in %s`, (name) => {
    let folder: TempFolder | undefined;
    let store: Store | undefined;
    const have = (): Store => {
      if (store === undefined) throw new Error("used outside of a test");
      return store;
    };
    beforeEach(async (context) => {
      if (name === "Postgres" && server === undefined) {
        console.warn(`No test on Postgres: ${missing}`);
        context.skip(missing);
        return;
      }
      folder = tempFolder();
      const { path } = folder;
      let databases = 0;
      const another = async (): Promise<string> =>
        name === "Postgres" && server !== undefined
          ? await server.database()
          : `sqlite://${path}/ledger${databases++ === 0 ? "" : `-${databases}`}.sqlite`;
      const url = await another();
      store = { url, folder: path, another, ledger: await openLedger(url) };
    });
    afterEach(async () => {
      await store?.ledger.close();
      store = undefined;
      folder?.remove();
    });
    tests({
      get ledger() {
        return have().ledger;
      },
      get url() {
        return have().url;
      },
      get folder() {
        return have().folder;
      },
      get another() {
        return have().another;
      },
    });
  });
}
