// The ledger's database stops, is full, held by another, read-only, of a newer version, or shared by two workers.
import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { openLedger } from "../../../jobs/ledger/index.ts";
import { withClient } from "../../ledger/postgres-server.ts";
import { ledgerRuns } from "../invariants.ts";
import { mount, remount } from "../mount.ts";
import type { Place } from "../place.ts";
import { type Helper, phase, send } from "../processes.ts";
import type { Fault, Scene } from "../types.ts";

const group = "ledger";

const firstResource = ({ type }: { readonly type: string }): boolean => type === "resource";
const ledgerFile = ({ ledgerFolder }: Place): string => join(ledgerFolder, "ledger.sqlite");

/** The server crashes, and is back after a while. */
async function crash(scene: Scene, ms: number): Promise<void> {
  await scene.postgres().kill();
  await sleep(ms);
  await scene.postgres().start();
}

/** @returns What the run is worked on by. */
type Begin = (scene: Scene) => Promise<Helper>;
const byRun: Begin = async (scene) => await scene.start();
const byWorker: Begin = async (scene) => {
  await scene.submit();
  return scene.worker("first");
};

const crashed =
  (begin: Begin, when: (helper: Helper) => Promise<unknown>) =>
  async (scene: Scene): Promise<void> => {
    const helper = await begin(scene);
    await when(helper);
    await crash(scene, 5000);
    await helper.exit;
  };

/** No write gets through for a while, as on a server that has become a replica. */
async function readOnlyServer(scene: Scene, ms: number): Promise<void> {
  const set = async (value: "on" | "off"): Promise<void> => {
    await withClient(scene.postgres().port, async (client) => {
      await client.query("set default_transaction_read_only = off");
      await client.query(`alter system set default_transaction_read_only = ${value}`);
      await client.query("select pg_reload_conf()");
    });
  };
  await set("on");
  await sleep(ms);
  await set("off");
}

/** Nothing more fits into the ledger's file system. */
async function fill({ place }: Scene): Promise<() => Promise<void>> {
  const path = join(place.ledgerFolder, "filler");
  // Until there is no room: what was written stays.
  for (const size of [1 << 20, 1 << 12]) {
    for (;;) {
      const before = await stat(path).then(
        (found) => found.size,
        () => 0,
      );
      const full = await writeFile(path, Buffer.alloc(size), { flag: "a" }).then(
        () => false,
        () => true,
      );
      if (full || before > 64 << 20) break;
    }
  }
  return async () => {
    await rm(path, { force: true });
  };
}

/** Takes SQLite's one write lock, and holds it. */
async function hold({ place }: Scene, ms: number): Promise<void> {
  const database = new DatabaseSync(ledgerFile(place), { timeout: 5000 });
  try {
    database.exec("begin immediate");
    await sleep(ms);
    database.exec("rollback");
  } finally {
    database.close();
  }
}

/** Nothing may be made where the ledger can't say so. */
const refused = async (scene: Scene, code: number): Promise<void> => {
  const helper = await scene.start();
  const ended = await helper.exit;
  scene.require(ended.code === code, `exit code ${ended.code ?? "none"} in place of ${code}`);
  scene.require(scene.place.proxy.writes.length === 0, "something was written to the cluster");
};

export const ledgerFaults: readonly Fault[] = [
  {
    name: "Postgres stopped for 5 s while objects are made",
    group,
    quick: true,
    ledger: "own postgres",
    inject: crashed(byRun, async (helper) => await helper.until(firstResource)),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "Postgres stopped for 5 s while a worker makes objects",
    group,
    ledger: "own postgres",
    inject: crashed(byWorker, async (worker) => await worker.until(firstResource)),
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "Postgres stopped for 5 s while a worker destroys",
    group,
    ledger: "own postgres",
    inject: crashed(byWorker, async (worker) => await worker.until(phase("destroying"))),
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "Postgres read-only for 5 s while a worker makes objects",
    group,
    ledger: "own postgres",
    inject: async (scene) => {
      const worker = await byWorker(scene);
      await worker.until(firstResource);
      await readOnlyServer(scene, 5000);
      await worker.exit;
    },
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "SQLite's file system full at submit",
    group,
    inject: async (scene) => {
      await mount(scene.place.ledgerFolder, "16k");
      scene.afterwards(() => remount(scene.place.ledgerFolder, "size=64m"));
      await refused(scene, 69);
    },
    expect: ["not begun"],
    within: 60,
  },
  {
    name: "SQLite's file system full for 5 s while objects are made",
    group,
    inject: async (scene) => {
      await mount(scene.place.ledgerFolder, "16m");
      const helper = await scene.start();
      await helper.until(firstResource);
      const empty = await fill(scene);
      await sleep(5000);
      await empty();
      await helper.exit;
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "SQLite's file system full from the first object of a worker's run on, emptied after its end",
    group,
    inject: async (scene) => {
      await mount(scene.place.ledgerFolder, "16m");
      const worker = await byWorker(scene);
      await worker.until(firstResource);
      scene.afterwards(await fill(scene));
      // It can't come to an end that nobody would know of: it tries on until it is stopped.
      await sleep(20_000);
      send(worker.pid, "SIGTERM");
      await sleep(500);
      send(worker.pid, "SIGTERM");
      await worker.exit;
    },
    expect: ["succeeded"],
    within: 180,
  },
  {
    name: "SQLite held by another for 10 s while objects are made",
    group,
    quick: true,
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(firstResource);
      await hold(scene, 10_000);
      await helper.exit;
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "SQLite held by another for 10 s while a worker makes objects",
    group,
    inject: async (scene) => {
      const worker = await byWorker(scene);
      await worker.until(firstResource);
      await hold(scene, 10_000);
      await worker.exit;
    },
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "SQLite's file can't be written at submit",
    group,
    inject: async (scene) => {
      await mount(scene.place.ledgerFolder, "16m");
      await ledgerRuns(scene.place);
      await remount(scene.place.ledgerFolder, "ro");
      scene.afterwards(() => remount(scene.place.ledgerFolder, "rw"));
      await refused(scene, 69);
    },
    expect: ["not begun"],
    within: 60,
  },
  {
    name: "the ledger is of a newer version",
    group,
    inject: async (scene) => {
      await (await openLedger(scene.place.ledger)).close();
      const setVersion = (change: string): void => {
        const database = new DatabaseSync(ledgerFile(scene.place));
        database.exec(`update ledger_schema set version = version ${change}`);
        database.close();
      };
      setVersion("+ 100");
      scene.afterwards(async () => {
        setVersion("- 100");
        await Promise.resolve();
      });
      await refused(scene, 69);
    },
    expect: ["not begun"],
    within: 60,
  },
  {
    name: "two workers on one SQLite file, four runs",
    group,
    inject: async (scene) => {
      const runs: string[] = [];
      for (let run = 0; run < 4; run++) runs.push(await scene.submit());
      const args = ["--drain", "--slots", "1"];
      await Promise.all([scene.worker("first", { args }).exit, scene.worker("second", { args }).exit]);
      const ledger = await openLedger(scene.place.ledger);
      const leases = await Promise.all(runs.map(async (run) => await ledger.leases(run)));
      await ledger.close();
      scene.require(
        leases.every((of) => of.length === 1),
        `leases per run: ${leases.map((of) => of.length).join(", ")}`,
      );
    },
    expect: ["succeeded"],
    within: 180,
  },
];
