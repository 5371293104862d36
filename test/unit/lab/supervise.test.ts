import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { withLock } from "../../../lab/host/lock.ts";
import { statOf } from "../../../lab/host/processes.ts";
import { ensureUnits, runningRecord, type Supervision, stopUnit } from "../../../lab/host/supervise.ts";
import type { Unit } from "../../../lab/host/unit.ts";

let folder = "";
let supervision: Supervision = { recordsDir: "", logsDir: "", cgroup: "" };
// Other tests and a running lab have units too: names must not meet.
const name = (part: string): string => `test-${part}-${process.pid}`;

const unit = (part: string, line: string, more: Partial<Unit> = {}): Unit => ({
  name: name(part),
  command: "/bin/sh",
  args: ["-c", line],
  after: [],
  health: async () => {
    await Promise.resolve(undefined);
  },
  ...more,
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mayfly-supervise-"));
  supervision = {
    recordsDir: join(folder, "units"),
    logsDir: join(folder, "log"),
    cgroup: "mayfly-test-none",
  };
});
afterEach(async () => {
  for (const part of ["store", "api"]) await stopUnit(supervision, name(part), 100);
  rmSync(folder, { recursive: true, force: true });
});

const ensure = async (...units: Unit[]): Promise<string[]> => [
  ...(await ensureUnits(supervision, units, () => undefined)).values(),
];

describe("daemons", () => {
  test("one that runs is kept, one that was killed is started anew", async () => {
    const store = unit("store", "exec sleep 100");
    expect(await ensure(store)).toEqual(["started"]);
    const first = runningRecord(supervision, store.name);
    expect(await ensure(store)).toEqual(["kept"]);
    expect(runningRecord(supervision, store.name)).toEqual(first);
    if (first === undefined) expect.unreachable();
    process.kill(first.pid, "SIGKILL");
    // The kernel takes a moment; a real daemon's health check fails meanwhile.
    await vi.waitUntil(() => statOf(first.pid) === undefined);
    expect(await ensure(store)).toEqual(["started"]);
    expect(runningRecord(supervision, store.name)?.pid).not.toBe(first.pid);
  });

  test("one that was started in another way, or whose files changed, is restarted", async () => {
    const file = join(folder, "certificate");
    writeFileSync(file, "old");
    const store = unit("store", "exec sleep 100", { watches: [file] });
    await ensure(store);
    expect(await ensure({ ...store, args: ["-c", "exec sleep 101"] })).toEqual(["restarted"]);
    writeFileSync(file, "new");
    expect(await ensure({ ...store, args: ["-c", "exec sleep 101"] })).toEqual(["restarted"]);
  });

  test("one that waits for another starts after it is healthy", async () => {
    const ready = join(folder, "ready");
    const health = async (): Promise<string | undefined> =>
      await Promise.resolve(statOfFile(ready) ? undefined : "not ready");
    const store = unit("store", `sleep 0.3; echo > ${ready}; exec sleep 100`, { health });
    const seen: boolean[] = [];
    const api = unit("api", "exec sleep 100", {
      after: [store.name],
      health: async () => {
        seen.push(statOfFile(ready));
        await Promise.resolve(undefined);
      },
    });
    await ensure(api, store);
    expect(seen).toEqual([true]);
  });

  test("one that ends at once is reported with the end of its log and where the log is", async () => {
    const broken = unit("store", "echo cannot open the data folder; exit 3");
    await expect(
      ensure({ ...broken, health: async () => await Promise.resolve("no answer") }),
    ).rejects.toMatchObject({
      code: "lab-unit-failed",
      path: join(supervision.logsDir, `${broken.name}.log`),
      hint: expect.stringContaining("cannot open the data folder") as string,
    });
  });

  test("the log of before is kept beside the new one", async () => {
    const store = unit("store", "echo started; exec sleep 100");
    const log = join(supervision.logsDir, `${store.name}.log`);
    await ensure(store);
    await vi.waitFor(() => {
      expect(readFileSync(log, "utf8")).toBe("started\n");
    });
    await stopUnit(supervision, store.name, 1000);
    await ensure({ ...store, args: ["-c", "echo again; exec sleep 100"] });
    expect(readFileSync(`${log}.1`, "utf8")).toBe("started\n");
  });

  test("a process that got a dead daemon's number is never taken for it, nor killed", async () => {
    const store = unit("store", "exec sleep 100");
    await ensure(store);
    const record = runningRecord(supervision, store.name);
    await stopUnit(supervision, store.name, 1000);
    // As if the number had been given to this very process.
    const file = join(supervision.recordsDir, `${store.name}.json`);
    writeFileSync(file, JSON.stringify({ ...record, pid: process.pid }));
    expect(runningRecord(supervision, store.name)).toBeUndefined();
    await stopUnit(supervision, store.name, 10);
    expect(statOf(process.pid)).toBeDefined();
  });
});

const statOfFile = (path: string): boolean => {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
};

describe("lock", () => {
  test("two who want it work one after the other, and the second is told that it waits", async () => {
    const events: string[] = [];
    const work = async (who: string): Promise<void> => {
      await withLock(
        name("lock"),
        () => {
          events.push(`${who} waits`);
        },
        async () => {
          events.push(`${who} begins`);
          await new Promise((resolve) => setTimeout(resolve, 50));
          events.push(`${who} ends`);
        },
      );
    };
    await Promise.all([work("one"), work("other")]);
    expect(events).toEqual(["one begins", "other waits", "one ends", "other begins", "other ends"]);
  });

  test("it is free again after a failure", async () => {
    const failing = withLock(
      name("lock"),
      () => undefined,
      async () => await Promise.reject(new Error("broken")),
    );
    await expect(failing).rejects.toThrow("broken");
    await withLock(
      name("lock"),
      () => expect.unreachable(),
      async () => {
        await Promise.resolve();
      },
    );
  });
});
