import { describe, expect, test } from "vitest";
import type { RunSummaryRow } from "../../../jobs/ledger/index.ts";
import { Orphans } from "../../../jobs/work/orphans.ts";
import type { LeaseLook } from "../../../jobs/work/place.ts";

const row = (changes: Partial<RunSummaryRow> = {}): RunSummaryRow => ({
  run: "pi-11240600-aaaaa",
  key: undefined,
  tenant: "demo",
  job: "pi",
  environment: "lab",
  connection: "/srv/lab/connection.json",
  interval: undefined,
  priority: 0,
  state: "running",
  attempt: 1,
  phase: "running",
  failureClass: undefined,
  outcome: undefined,
  namespace: "demo-pi",
  stack: "demo-pi",
  holder: "other-host/42/7",
  fence: 1,
  cancelRequestedAt: undefined,
  notBefore: undefined,
  submittedAt: "2026-11-24T06:00:00.000Z",
  startedAt: undefined,
  endedAt: undefined,
  updatedAt: "2026-11-24T06:00:00.000Z",
  left: [],
  version: 7,
  ...changes,
});

/** A clock that the test sets, and a lease that looks as the test says. */
function watcher(lives?: boolean) {
  let now = 0;
  let look: LeaseLook = { kind: "held", looks: "h 1" };
  const orphans = new Orphans({
    leaseLooks: async () => await Promise.resolve(look),
    lives: async () => await Promise.resolve(lives),
    monotonic: () => now,
    duration: 30_000,
  });
  return {
    at: async (seconds: number, of: RunSummaryRow = row(), looks: LeaseLook = look) => {
      now = seconds * 1000;
      look = looks;
      const found = await orphans.find([of]);
      return found.orphans.length > 0 ? "orphan" : found.undecided > 0 ? "undecided" : "alive";
    },
  };
}

describe("a run's worker is taken for gone", () => {
  test("once its lease did not change for a whole lease, not before", async () => {
    const it = watcher();
    expect(await it.at(0)).toBe("undecided");
    expect(await it.at(29)).toBe("undecided");
    expect(await it.at(30)).toBe("orphan");
  });

  test("not while the lease is renewed, or the ledger is written", async () => {
    const it = watcher();
    expect(await it.at(0)).toBe("undecided");
    expect(await it.at(29, row(), { kind: "held", looks: "h 2" })).toBe("alive");
    expect(await it.at(58, row({ version: 8 }))).toBe("alive");
    expect(await it.at(87, row({ version: 8 }))).toBe("undecided");
    expect(await it.at(88, row({ version: 8 }))).toBe("orphan");
  });

  test("at once where its process on this machine is dead, or it gave the run back; never where it lives", async () => {
    expect(await watcher(false).at(0)).toBe("orphan");
    expect(await watcher().at(0, row({ holder: undefined }))).toBe("orphan");
    const alive = watcher(true);
    expect(await alive.at(0)).toBe("alive");
    expect(await alive.at(300)).toBe("alive");
  });

  test("not while nobody can tell, as when the API server is away", async () => {
    const it = watcher();
    expect(await it.at(0, row(), { kind: "unknown" })).toBe("undecided");
    expect(await it.at(300, row(), { kind: "unknown" })).toBe("undecided");
  });

  test("only after a lease's time where there is no lease: it may be about to take one", async () => {
    const it = watcher();
    expect(await it.at(0, row(), { kind: "absent" })).toBe("undecided");
    expect(await it.at(31, row(), { kind: "absent" })).toBe("orphan");
  });
});
