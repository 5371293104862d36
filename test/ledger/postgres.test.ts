// What only a shared ledger can meet: a server that is down, restarts, refuses, or is a replica.
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openLedger } from "../../jobs/ledger/index.ts";
import { PASSWORD, type PostgresServer, startPostgres, withClient } from "./postgres-server.ts";
import { submission, tempFolder } from "./stores.ts";

let server: PostgresServer;
let missing: string | undefined;
beforeAll(async () => {
  const started = await startPostgres();
  if ("missing" in started) missing = started.missing;
  else server = started;
}, 180_000);
afterAll(async () => {
  if (missing === undefined) await server.stop();
});
beforeEach((context) => {
  if (missing !== undefined) context.skip(missing);
});

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

describe("a ledger on a Postgres", () => {
  test("that goes down and comes back: a clear error meanwhile, and the next call works", async () => {
    const ledger = await openLedger(await server.database());
    await ledger.submit(submission("pi-1"));
    await server.kill();
    await expect(ledger.list()).rejects.toMatchObject({ code: "ledger-unreachable", exitCode: 74 });
    await expect(ledger.submit(submission("pi-2"))).rejects.toMatchObject({ code: "ledger-unreachable" });
    await server.start();
    expect(await ledger.submit(submission("pi-2"))).toEqual({ run: "pi-2", created: true });
    expect((await ledger.list()).map(({ run }) => run).sort()).toEqual(["pi-1", "pi-2"]);
    await ledger.close();
  });

  test("that crashes in the midst of transactions: each call tells it, and the process goes on", async () => {
    const ledger = await openLedger(await server.database());
    await ledger.submit(submission("pi-1"));
    for (let crash = 1; crash <= 3; crash++) {
      // Each goes on until the crash: a quick machine would be done with a fixed number before it.
      const calls = Promise.allSettled(
        Array.from({ length: 30 }, async (_, caller) => {
          for (let call = 0; ; call++) await ledger.submit(submission(`pi-${crash}-${caller}-${call}`));
        }),
      );
      await setTimeout(crash * 10);
      await server.kill();
      const failed = (await calls).filter((result) => result.status === "rejected");
      expect(failed.length).toBeGreaterThan(0);
      for (const { reason } of failed) expect(reason).toMatchObject({ code: "ledger-unreachable" });
      await server.start();
    }
    expect((await ledger.get("pi-1")).run).toBe("pi-1");
    await ledger.close();
  });

  test("that was restarted between two calls: the second does not notice", async () => {
    const ledger = await openLedger(await server.database());
    await ledger.submit(submission("pi-1"));
    await server.kill();
    await server.start();
    expect((await ledger.get("pi-1")).run).toBe("pi-1");
    await ledger.close();
  });

  test("gives a tenant's last places once, though many claims ask for them at the same time", async () => {
    const url = await server.database();
    const ledgers = await Promise.all([1, 2, 3, 4].map(async () => await openLedger(url)));
    const runs = Array.from({ length: 6 }, (_, index) => `pi-${index}`);
    for (const run of runs) await ledgers[0]?.submit(submission(run, { machine: "{}" }));
    const claimed = await Promise.all(
      ledgers.flatMap((ledger) =>
        runs.map(async (run) => await ledger.claim({ holder: "worker", run, running: 3 })),
      ),
    );
    expect(claimed.filter((run) => run !== undefined)).toHaveLength(3);
    expect(await ledgers[0]?.load("lab")).toEqual([{ tenant: "demo", queued: 3, working: 3, kept: 0 }]);
    for (const ledger of ledgers) await ledger.close();
  });

  test("that is not there", async () => {
    await expect(openLedger("postgres://mayfly@127.0.0.1:1/ledger")).rejects.toMatchObject({
      code: "ledger-unreachable",
      path: "postgres://mayfly@127.0.0.1:1/ledger",
    });
  });

  test("without the database", async () => {
    await expect(openLedger(`postgres://mayfly@127.0.0.1:${server.port}/no_such`)).rejects.toMatchObject({
      code: "ledger-missing",
      exitCode: 66,
    });
  });

  test("takes the password from PGPASSFILE, refuses a wrong one, and shows none", async () => {
    const url = await server.database();
    await withClient(server.port, async (client) => {
      await client.query(`create role secured login superuser password '${PASSWORD}'`);
    });
    const secured = `postgres://secured@127.0.0.1:${server.port}/${nameOf(url)}`;
    await expect(openLedger(secured)).rejects.toMatchObject({ code: "ledger-denied", exitCode: 77 });
    const wrong = `postgres://secured:wrong-${PASSWORD}@127.0.0.1:${server.port}/${nameOf(url)}`;
    const error: unknown = await openLedger(wrong).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ledger-denied", path: secured });
    expect(JSON.stringify(error) + String(error)).not.toContain(PASSWORD);

    const folder = tempFolder();
    const file = join(folder.path, "pgpass");
    await writeFile(file, `127.0.0.1:${server.port}:*:secured:${PASSWORD}\n`);
    await chmod(file, 0o600);
    process.env["PGPASSFILE"] = file;
    try {
      const ledger = await openLedger(secured);
      expect(ledger.location).toBe(secured);
      await ledger.submit(submission("pi-1"));
      await ledger.close();
    } finally {
      delete process.env["PGPASSFILE"];
      folder.remove();
    }
  });

  test("made by a newer Mayfly: refused, and nothing touched", async () => {
    const url = await server.database();
    await (await openLedger(url)).close();
    const database = nameOf(url);
    await withClient(
      server.port,
      async (client) => {
        await client.query("update ledger_schema set version = 99");
        await client.query("alter table runs rename column plan to plan_of_the_future");
      },
      database,
    );
    await expect(openLedger(url)).rejects.toMatchObject({ code: "ledger-newer", exitCode: 69 });
    await expect(openLedger(url)).rejects.toThrow("schema is version 99");
    const { rows } = await withClient(
      server.port,
      async (client) => await client.query("select version from ledger_schema"),
      database,
    );
    expect(rows).toEqual([{ version: 99 }]);
  });

  test("whose database is another program's: refused, and nothing touched", async () => {
    const url = await server.database();
    const database = nameOf(url);
    await withClient(
      server.port,
      async (client) => await client.query("create table runs (cricket int)"),
      database,
    );
    await expect(openLedger(url)).rejects.toMatchObject({ code: "ledger-foreign" });
    const { rows } = await withClient(
      server.port,
      async (client) => await client.query("select tablename from pg_tables where schemaname = 'public'"),
      database,
    );
    expect(rows).toEqual([{ tablename: "runs" }]);
  });

  test("that only reads", async () => {
    const url = await server.database();
    await (await openLedger(url)).close();
    await withClient(server.port, async (client) => {
      await client.query(`alter database ${nameOf(url)} set default_transaction_read_only = on`);
    });
    const ledger = await openLedger(url);
    expect(await ledger.list()).toEqual([]);
    await expect(ledger.submit(submission("pi-1"))).rejects.toMatchObject({ code: "ledger-read-only" });
    await ledger.close();
  });
});
