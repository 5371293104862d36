import { afterEach, describe, expect, test } from "vitest";
import { UserError } from "../../../base/errors.ts";
import type { LedgerRun, RunStateName, RunSummaryRow, TenantLoad } from "../../../jobs/ledger/index.ts";
import type { Memory } from "../../../jobs/queue/index.ts";
import { queuedState, writeState } from "../../../jobs/work/state.ts";
import type { DriverEnd } from "../../../jobs/work/types.ts";
import { Worker, type WorkerNote, type WorkMode } from "../../../jobs/work/worker.ts";
import type { Driving, WorkerTools } from "../../../jobs/work/worker-types.ts";
import { DEFAULT_TENANT_LIMITS, type TenantLimits } from "../../../schema/service.ts";
import { wordcount } from "../plan/sample.ts";

const HOLDER = "helper-1/42/7";
const TICK = 5;
const PLENTY: Memory = { available: 1e6, reserve: 0, perRun: 1, starting: 0 };

const queued = (run: string, changes: Partial<LedgerRun> = {}): LedgerRun => ({
  run,
  key: undefined,
  spec: wordcount(),
  specDigest: "d",
  tenant: "acme",
  job: "wordcount",
  environment: "lab",
  connection: "/srv/lab/connection.json",
  interval: undefined,
  priority: 0,
  state: "queued",
  attempt: 0,
  phase: undefined,
  failureClass: undefined,
  outcome: undefined,
  namespace: undefined,
  stack: undefined,
  holder: undefined,
  fence: 0,
  cancelRequestedAt: undefined,
  notBefore: undefined,
  submittedAt: "2026-11-24T06:00:00.000Z",
  startedAt: undefined,
  endedAt: undefined,
  updatedAt: "2026-11-24T06:00:00.000Z",
  left: [],
  version: 1,
  plan: undefined,
  report: undefined,
  machine: writeState(queuedState(run, wordcount())),
  ...changes,
});

const AT_WORK: readonly string[] = ["planning", "creating", "running", "finishing", "destroying", "kept"];

/** A ledger in memory, with what a worker asks of it. */
class Book {
  readonly rows = new Map<string, LedgerRun>();
  /** Throws while it is set: the database is away. */
  away: UserError | undefined;
  /** Asked before each claim: another worker may be faster. */
  beforeClaim: (run: string) => void = () => undefined;
  asked = 0;

  constructor(rows: readonly LedgerRun[]) {
    for (const row of rows) this.rows.set(row.run, row);
  }

  set(run: string, changes: Partial<LedgerRun>): void {
    const row = this.row(run);
    this.rows.set(run, { ...row, ...changes, version: row.version + 1 });
  }

  row(run: string): LedgerRun {
    const row = this.rows.get(run);
    if (row === undefined) throw new UserError("unknown-run", `no run ${run}`);
    return row;
  }

  async #all(): Promise<LedgerRun[]> {
    await Promise.resolve();
    this.asked++;
    if (this.away !== undefined) throw this.away;
    return [...this.rows.values()];
  }

  readonly ledger: WorkerTools["ledger"] = {
    load: async (_environment, except = []) => {
      const loads = new Map<string, TenantLoad>();
      for (const { run, tenant, state } of await this.#all()) {
        if (except.includes(run) || (state !== "queued" && !AT_WORK.includes(state))) continue;
        const load = loads.get(tenant) ?? { tenant, queued: 0, working: 0, kept: 0 };
        const member = state === "queued" || state === "kept" ? state : "working";
        loads.set(tenant, { ...load, [member]: load[member] + 1 });
      }
      return [...loads.values()];
    },
    heads: async ({ without = [], except = [] }) =>
      (await this.#all()).filter(
        ({ run, tenant, state }) => state === "queued" && !without.includes(tenant) && !except.includes(run),
      ),
    claim: async ({ holder, run = "", running = 0, accept }) => {
      this.beforeClaim(run);
      const all = await this.#all();
      const row = this.row(run);
      const has = all.filter(({ tenant, state }) => tenant === row.tenant && AT_WORK.includes(state)).length;
      if (row.state !== "queued" || has >= running || row.spec === undefined) return undefined;
      const claimed = { ...row, spec: row.spec, state: "planning" as const, holder };
      accept?.(claimed);
      this.set(run, claimed);
      return claimed;
    },
    wished: async (holder) =>
      (await this.#all()).flatMap((row) =>
        row.holder === holder && row.cancelRequestedAt !== undefined
          ? [{ run: row.run, cancel: true, wish: undefined }]
          : [],
      ),
    list: async ({ states = [] } = {}) => (await this.#all()).filter(({ state }) => states.includes(state)),
    get: async (run) => {
      await this.#all();
      return this.row(run);
    },
  };
}

interface Given {
  readonly slots?: number;
  readonly limits?: Readonly<Record<string, Partial<TenantLimits>>>;
  readonly memory?: (starting: number) => Memory;
  /** Runs whose helper is found gone. */
  readonly orphans?: (runs: readonly RunSummaryRow[]) => readonly RunSummaryRow[];
  readonly undecided?: () => number;
  /** Ends each run at once, so; where left out the test ends them. */
  readonly ends?: DriverEnd;
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function workerOn(rows: readonly LedgerRun[], given: Given = {}) {
  const book = new Book(rows);
  const notes: WorkerNote[] = [];
  const calls: string[] = [];
  const turns: boolean[] = [];
  const driven = new Map<string, (end: DriverEnd, state?: RunStateName) => void>();
  let engines = 0;
  const drive = ({ run }: LedgerRun): Driving => {
    const { promise, resolve } = Promise.withResolvers<DriverEnd>();
    calls.push(`drive ${run}`);
    const end = (how: DriverEnd, state: RunStateName = "succeeded"): void => {
      book.set(run, { state: how === "ended" ? state : "running", holder: undefined });
      resolve(how);
    };
    driven.set(run, end);
    if (given.ends !== undefined) end(given.ends);
    return {
      done: promise,
      heed: () => undefined,
      resting: false,
      cancel: () => {
        calls.push(`cancel ${run}`);
        end("ended", "cancelled");
      },
      handOver: async () => {
        calls.push(`hand over ${run}`);
        end("handed-over");
        return await promise;
      },
    };
  };
  const tools: WorkerTools<string> = {
    ledger: book.ledger,
    environment: "lab",
    engines: {
      warm: (count) => calls.push(`warm ${count}`),
      take: () => {
        engines++;
        return "engine";
      },
      giveBack: () => {
        engines--;
      },
    },
    drive,
    orphans: {
      find: async (runs) => {
        await Promise.resolve();
        return { orphans: given.orphans?.(runs) ?? [], undecided: given.undecided?.() ?? 0 };
      },
    },
    limits: {
      helper: given.slots ?? 4,
      tenants: Object.fromEntries(
        Object.entries(given.limits ?? {}).map(([tenant, limits]) => [
          tenant,
          { ...DEFAULT_TENANT_LIMITS, ...limits },
        ]),
      ),
    },
    memory: given.memory ?? (() => PLENTY),
    prune: async () => {
      calls.push("prune");
      await Promise.resolve();
    },
    holder: HOLDER,
    onNote: (note) => notes.push(note),
    onTurn: (worked) => turns.push(worked),
    tickMs: TICK,
  };
  const stop = new AbortController();
  const hurry = new AbortController();
  stops.push(() => {
    stop.abort();
    hurry.abort();
  });
  return {
    book,
    notes,
    calls,
    turns,
    driven,
    engines: () => engines,
    stop: () => {
      stop.abort();
    },
    hurry: () => {
      hurry.abort();
    },
    work: async (mode: WorkMode, graceMs = 0) =>
      await new Worker(tools, mode).work(stop.signal, graceMs, hurry.signal),
    end: (run: string, how: DriverEnd = "ended") => {
      driven.get(run)?.(how);
    },
  };
}

type Scene = ReturnType<typeof workerOn>;

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 1));
}
const turned = async ({ turns }: Scene, more = 2): Promise<void> => {
  const from = turns.length;
  await until(() => turns.length >= from + more);
};
const starts = ({ calls }: Scene): string[] =>
  calls.flatMap((call) => (call.startsWith("drive ") ? [call.slice(6)] : []));
const troubles = ({ notes }: Scene): string[] =>
  notes.flatMap((note) => (note.type === "trouble" ? [note.message] : []));

describe("taking runs", () => {
  test("fills its places, takes the next as one is free, and counts what ended here", async () => {
    const it = workerOn(
      ["acme-1", "acme-2", "acme-3"].map((run) => queued(run)),
      { slots: 2 },
    );
    const worked = it.work("drain");
    await until(() => starts(it).length === 2);
    await turned(it);
    expect(starts(it)).toEqual(["acme-1", "acme-2"]);
    it.end("acme-1");
    await until(() => starts(it).length === 3);
    it.end("acme-2");
    it.end("acme-3");
    expect(await worked).toBe(3);
    expect(it.calls.slice(0, 1)).toEqual(["warm 2"]);
    expect(it.engines()).toBe(0);
    expect(it.notes.filter(({ type }) => type === "claimed")).toHaveLength(3);
    expect(it.notes).toContainEqual({ type: "left", run: "acme-3", end: "ended" });
  });

  test("never more of a tenant than may be at work, others' workers and kept clusters counted", async () => {
    const it = workerOn(
      [
        queued("acme-elsewhere", { state: "running", holder: "helper-2/1/1" }),
        queued("acme-kept", { state: "kept" }),
        queued("acme-1"),
        queued("acme-2"),
        queued("globex-1", { tenant: "globex" }),
      ],
      { limits: { acme: { running: 3 } } },
    );
    void it.work("serve");
    await until(() => starts(it).length === 2);
    await turned(it, 3);
    expect(starts(it)).toEqual(["globex-1", "acme-1"]);
    it.book.set("acme-kept", { state: "succeeded" });
    await until(() => starts(it).length === 3);
  });

  test("passes on when another worker is faster, with the run or with the tenant's last place", async () => {
    const it = workerOn([queued("acme-1"), queued("acme-2")], { ends: "ended" });
    it.book.beforeClaim = (run) => {
      if (run === "acme-1") it.book.set(run, { state: "succeeded" });
    };
    expect(await it.work("drain")).toBe(1);
    expect(starts(it)).toEqual(["acme-2"]);
    expect(troubles(it)).toEqual([]);
  });

  test("waits for memory, and says so once where it has nothing at work", async () => {
    let memory: Memory = { ...PLENTY, available: 100, perRun: 350 };
    const it = workerOn([queued("acme-1"), queued("acme-2")], { memory: () => memory, ends: "ended" });
    const worked = it.work("drain");
    await turned(it, 3);
    expect(starts(it)).toEqual([]);
    expect(it.notes).toEqual([{ type: "held-back", because: "memory", queued: 2 }]);
    memory = PLENTY;
    expect(await worked).toBe(2);
  });

  test("counts those it has just begun, which memory does not show yet", async () => {
    const it = workerOn(
      [1, 2, 3, 4].map((number) => queued(`acme-${number}`)),
      { memory: (starting) => ({ available: 3, reserve: 0, perRun: 1, starting }) },
    );
    void it.work("serve");
    await until(() => starts(it).length === 3);
    await turned(it, 3);
    expect(starts(it)).toHaveLength(3);
  });
});

describe("a run whose helper is gone", () => {
  const orphan = queued("acme-1", { state: "running", holder: "helper-2/1/1" });
  const gone = (runs: readonly RunSummaryRow[]): readonly RunSummaryRow[] => runs;

  test("is gone on with, though its tenant may have no more", async () => {
    const it = workerOn([orphan], { orphans: gone, limits: { acme: { running: 1 } }, ends: "ended" });
    expect(await it.work("drain")).toBe(1);
    expect(it.notes).toContainEqual({ type: "recovering", run: "acme-1" });
  });

  test("is left where it was written since, and taken but once", async () => {
    const it = workerOn([orphan], { orphans: gone });
    const { get } = it.book.ledger;
    const ledger = { ...it.book.ledger };
    let looks = 0;
    Object.assign(it.book.ledger, {
      get: async (run: string) => {
        looks++;
        if (looks === 1) return { ...(await get(run)), state: "queued" };
        return await ledger.get(run);
      },
    });
    void it.work("serve");
    await until(() => starts(it).length === 1);
    await turned(it, 8);
    expect(starts(it)).toEqual(["acme-1"]);
    expect(looks).toBe(2);
  });

  test("is this worker's own where it carries its name and is not at work here", async () => {
    const it = workerOn([queued("acme-1", { state: "creating", holder: HOLDER })], { ends: "ended" });
    expect(await it.work("drain")).toBe(1);
  });

  test("waits for a free place; one is gone on with even where memory is short", async () => {
    const runs = ["acme-1", "acme-2", "acme-3"].map((run) =>
      queued(run, { state: "running", holder: "helper-2/1/1" }),
    );
    const short = workerOn(runs, { orphans: gone, memory: () => ({ ...PLENTY, available: 0 }) });
    void short.work("resume");
    await until(() => starts(short).length === 1);
    await turned(short, 8);
    expect(starts(short)).toHaveLength(1);
    const full = workerOn(runs, { orphans: gone, slots: 2 });
    void full.work("serve");
    await until(() => starts(full).length === 2);
    await turned(full, 8);
    expect(starts(full)).toHaveLength(2);
  });

  test("of another version is told once and passed over, and the others are gone on with", async () => {
    const it = workerOn(
      [
        { ...orphan, machine: '{"phase":"dreaming"}' },
        { ...orphan, run: "acme-2" },
      ],
      {
        orphans: gone,
        ends: "ended",
      },
    );
    expect(await it.work("drain")).toBe(1);
    expect(starts(it)).toEqual(["acme-2"]);
    expect(troubles(it)).toEqual([expect.stringContaining("run acme-1")]);
  });
});

test("a queued run of another version stays in the queue, told once, and does not keep others or the end away", async () => {
  const it = workerOn([queued("acme-1", { machine: "half a st" }), queued("acme-2")], { ends: "ended" });
  expect(await it.work("drain")).toBe(1);
  expect(it.book.row("acme-1")).toMatchObject({ state: "queued", version: 1 });
  expect(troubles(it)).toHaveLength(1);
});

describe("a wish to cancel", () => {
  test("reaches the run that is at work here", async () => {
    const it = workerOn([queued("acme-1"), queued("acme-2")]);
    const worked = it.work("drain");
    await until(() => starts(it).length === 2);
    it.book.set("acme-1", { cancelRequestedAt: "2026-11-24T06:01:00.000Z" });
    await until(() => it.calls.includes("cancel acme-1"));
    expect(it.calls).not.toContain("cancel acme-2");
    it.end("acme-2");
    expect(await worked).toBe(2);
  });

  test("reaches it too while the worker waits for its runs to end", async () => {
    const it = workerOn([queued("acme-1")]);
    const worked = it.work("serve", 60_000);
    await until(() => starts(it).length === 1);
    it.stop();
    it.book.set("acme-1", { cancelRequestedAt: "2026-11-24T06:01:00.000Z" });
    expect(await worked).toBe(1);
    expect(it.calls).toContain("cancel acme-1");
  });
});

describe("a ledger that is away", () => {
  test("is told once, waited for, and told again when it goes away again", async () => {
    const it = workerOn([queued("acme-1")], { ends: "ended" });
    const away = new UserError("ledger-unreachable", "The ledger's database can't be reached.");
    it.book.away = away;
    void it.work("serve");
    await turned(it, 4);
    expect(it.turns).not.toContain(true);
    expect(troubles(it)).toEqual([away.message]);
    it.book.away = undefined;
    await until(() => starts(it).length === 1 && it.turns.at(-1) === true);
    it.book.away = away;
    await turned(it, 4);
    expect(troubles(it)).toHaveLength(2);
  });
});

describe("the end", () => {
  test("of `once` is when what was due then is over; what came later stays", async () => {
    const it = workerOn([queued("acme-1")]);
    const worked = it.work("once");
    await until(() => starts(it).length === 1);
    it.book.rows.set("acme-2", queued("acme-2"));
    await turned(it);
    it.end("acme-1");
    expect(await worked).toBe(1);
    expect(it.book.row("acme-2").state).toBe("queued");
  });

  test("of `resume` is when of each run it is known whether its helper lives; it takes nothing from the queue", async () => {
    let undecided = 1;
    const it = workerOn([queued("acme-1")], { undecided: () => undecided });
    const worked = it.work("resume");
    await turned(it, 8);
    undecided = 0;
    expect(await worked).toBe(0);
    expect(starts(it)).toEqual([]);
  });

  test("of `drain` is not while another worker has something at work", async () => {
    const it = workerOn([queued("acme-1", { state: "running", holder: "helper-2/1/1" })]);
    let over = false;
    const worked = it.work("drain").then((ended) => {
      over = true;
      return ended;
    });
    await turned(it, 3);
    expect(over).toBe(false);
    it.book.set("acme-1", { state: "succeeded" });
    expect(await worked).toBe(0);
  });

  test("of `serve` is when it is stopped: takes nothing more, gives its runs time, then hands them over", async () => {
    const it = workerOn([queued("acme-1"), queued("acme-2")], { slots: 2 });
    const worked = it.work("serve", 60_000);
    await until(() => starts(it).length === 2);
    it.stop();
    it.book.rows.set("acme-3", queued("acme-3"));
    it.end("acme-1");
    await until(() => it.notes.some((note) => note.type === "left"));
    expect(it.calls.some((call) => call.startsWith("hand over"))).toBe(false);
    it.hurry();
    expect(await worked).toBe(1);
    expect(it.calls).toContain("hand over acme-2");
    expect(starts(it)).toEqual(["acme-1", "acme-2"]);
  });

  test("comes once the grace time is over", async () => {
    const it = workerOn([queued("acme-1")]);
    const worked = it.work("serve", 20);
    await until(() => starts(it).length === 1);
    it.stop();
    expect(await worked).toBe(0);
    expect(it.calls).toContain("hand over acme-1");
  });
});

test("what ended long ago is forgotten at the start, not at each look", async () => {
  const it = workerOn([]);
  void it.work("serve");
  await turned(it, 4);
  expect(it.calls.filter((call) => call === "prune")).toHaveLength(1);
});

test("a worker with all places taken asks the ledger neither for the queue nor more than three things each time", async () => {
  const it = workerOn([queued("acme-1"), queued("acme-2")], { slots: 1 });
  void it.work("serve");
  await until(() => starts(it).length === 1);
  await turned(it, 1);
  const before = { asked: it.book.asked, turns: it.turns.length };
  await turned(it, 6);
  expect(it.book.asked - before.asked).toBeLessThanOrEqual(3 * (it.turns.length - before.turns));
});
