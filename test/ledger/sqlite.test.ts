// What only a file can meet: permissions, damage, a full disk, a writer that does not let go.
import { chmod, chown, mkdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { execute } from "../../base/process.ts";
import { type Ledger, openLedger } from "../../jobs/ledger/index.ts";
import type { RunEvent } from "../../schema/events.ts";
import { helperProcess, submission, submitMany, type TempFolder, tempFolder } from "./stores.ts";

/** A user who may not do everything, as root may. */
const NOBODY = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;

let folder: TempFolder;
let file: string;
let url: string;
beforeEach(() => {
  folder = tempFolder();
  file = `${folder.path}/ledger.sqlite`;
  url = `sqlite://${file}`;
});
afterEach(() => {
  folder.remove();
});

const warning = (message: string): RunEvent => ({
  type: "warning",
  at: "2026-11-24T06:00:00.000Z",
  run: "pi-1",
  message,
});

async function made(): Promise<void> {
  const ledger = await openLedger(url);
  await ledger.submit(submission("pi-1"));
  await ledger.close();
}

describe("a ledger in a file", () => {
  test("is for its owner only, in a folder that is made where it is missing", async () => {
    const ledger = await openLedger(`sqlite://${folder.path}/state/mayfly/ledger.sqlite`);
    await ledger.submit(submission("pi-1"));
    const modes = await Promise.all(
      ["", "-wal", "-shm"].map(
        async (end) => (await stat(`${folder.path}/state/mayfly/ledger.sqlite${end}`)).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o600, 0o600, 0o600]);
    await ledger.close();
  });

  test("is found again by the next process, without a word of Node about SQLite", async () => {
    await made();
    expect(await helperProcess(url, ["claim", "worker-1"])).toEqual({ code: 0, lines: ["pi-1"], stderr: "" });
  });

  test.skipIf(!isRoot)("that this user may not write: told, with what to do", async () => {
    await made();
    await chmod(folder.path, 0o755);
    await chmod(file, 0o444);
    const { code, lines } = await helperProcess(url, ["open"], NOBODY);
    expect(code).toBe(69);
    expect(lines.join()).toMatch(
      /^ledger-read-only: The ledger can't be written: .*\| Make the file and its folder writable/,
    );
  });

  test.skipIf(!isRoot)("in a folder that this user may not write", async () => {
    await made();
    await chmod(folder.path, 0o755);
    await chown(file, NOBODY.uid, NOBODY.gid);
    const { code, lines } = await helperProcess(url, ["open"], NOBODY);
    expect([code, lines.join().split(":")[0]]).toEqual([69, "ledger-read-only"]);
  });

  test("that is no database: told what to do, and left as it is", async () => {
    await writeFile(file, "A shopping list, and a long one at that.\n".repeat(200));
    const error: unknown = await openLedger(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ledger-corrupt", exitCode: 69, path: file });
    expect(error).toHaveProperty("hint", expect.stringContaining(`mv ${file} ${file}.damaged`));
    expect(await readFile(file, "utf8")).toMatch(/^A shopping list/);
  });

  test("that lost its second half: told, not taken for an empty one", async () => {
    const ledger = await openLedger(url);
    await submitMany(ledger, 200);
    await ledger.close();
    await truncate(file, (await stat(file)).size / 2);
    const read = async (): Promise<unknown> => {
      const damaged = await openLedger(url);
      try {
        return await damaged.list();
      } finally {
        await damaged.close();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: "ledger-corrupt" });
  });

  test("made by a newer Mayfly: refused, and not a byte of its content touched", async () => {
    await made();
    const before = new DatabaseSync(file);
    before.exec("update ledger_schema set version = 99; alter table runs rename column plan to later_plan");
    before.close();
    const bytes = await readFile(file);
    await expect(openLedger(url)).rejects.toMatchObject({ code: "ledger-newer", exitCode: 69, path: file });
    expect((await readFile(file)).equals(bytes)).toBe(true);
  });

  test("of another program: refused", async () => {
    const foreign = new DatabaseSync(file);
    foreign.exec("create table runs (cricket integer)");
    foreign.close();
    await expect(openLedger(url)).rejects.toMatchObject({ code: "ledger-foreign" });
  });

  test("that is a folder", async () => {
    await mkdir(file);
    await expect(openLedger(url)).rejects.toMatchObject({ code: "ledger-unusable" });
  });

  test("waits for another writer, and says so where that one does not let go", {
    timeout: 20_000,
  }, async () => {
    await made();
    const ledger = await openLedger(url);
    const hog = new DatabaseSync(file);
    hog.exec("begin immediate");
    // Another process: this one stands still while it waits.
    const begun = performance.now();
    const busy = await helperProcess(url, ["claim", "worker-1"]);
    expect(busy.lines.join()).toMatch(/^ledger-busy: Another process has kept the ledger for 5 s/);
    expect(performance.now() - begun).toBeGreaterThan(5000);
    // Readers are not kept waiting.
    expect(await ledger.list()).toHaveLength(1);
    hog.exec("rollback");
    hog.close();
    expect((await helperProcess(url, ["claim", "worker-1"])).lines).toEqual(["pi-1"]);
    await ledger.close();
  });

  test.skipIf(!isRoot)("on a full disk: told, and whole once there is room", async () => {
    const disk = `${folder.path}/disk`;
    await mkdir(disk);
    const mounted = await execute("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk]);
    expect(mounted.stderr).toBe("");
    let ledger: Ledger | undefined;
    try {
      ledger = await openLedger(`sqlite://${disk}/ledger.sqlite`);
      await ledger.submit(submission("pi-1"));
      const big = warning("x".repeat(600_000));
      await expect(ledger.append("pi-1", [big])).rejects.toMatchObject({ code: "ledger-full", exitCode: 69 });
      expect((await ledger.get("pi-1")).run).toBe("pi-1");
      await ledger.append("pi-1", [warning("small")]);
      expect((await ledger.events("pi-1")).events).toHaveLength(1);
    } finally {
      await ledger?.close();
      await execute("umount", [disk]);
    }
  });
});

describe("the ledger's address", () => {
  test.each([
    "",
    "ledger.sqlite",
    "/srv/ledger.sqlite",
    "sqlite://relative.sqlite",
    "mysql://root:hunter2@db/mayfly",
  ])("%j is none: told without what may be a password in it", async (address) => {
    const error: unknown = await openLedger(address).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ledger-url-invalid", exitCode: 64, path: "MAYFLY_LEDGER" });
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });

  test("may hold blanks and umlauts, as folders do", async () => {
    const path = `${folder.path}/Büro 1/ledger.sqlite`;
    const ledger = await openLedger(`sqlite://${encodeURI(path)}`);
    expect(ledger.location).toBe(path);
    await ledger.close();
  });
});
