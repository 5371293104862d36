import { describe, expect, test } from "vitest";
import { UserError } from "../../../base/errors.ts";
import type { RunFacts, RunState } from "../../../jobs/run/machine.ts";
import { planAttempt } from "../../../jobs/run/prepare.ts";
import { leftOf } from "../../../jobs/work/deadlines.ts";
import { queuedState, readState } from "../../../jobs/work/state.ts";
import type { RunEvent } from "../../../schema/events.ts";
import type { Outcome } from "../../../schema/outcome.ts";
import type { Plan } from "../../../schema/plan.ts";
import type { Phase } from "../../../schema/report.ts";
import { environment, wordcount } from "../plan/sample.ts";
import { type Given, RUN, type Scene, scene } from "./fakes.ts";

const spec = wordcount({ retries: { user: 0, outOfMemory: 0, infrastructure: 1 } });
const succeeded: Outcome = { kind: "succeeded" };
const lost: Outcome = { kind: "lost", message: "The node is gone." };

const begun = (given: Partial<Given> = {}): Scene => scene({ spec, ...given });

/** What was done, without S3 and secrets. */
const calls = ({ tools }: Scene): string[] => tools.calls.filter((call) => !/^(put|secrets) /.test(call));
const stack = "acme-wordcount-11240600-aaaaa";

const facts: RunFacts = {
  run: RUN,
  budget: { user: 0, outOfMemory: 0, infrastructure: 1 },
  mode: { kind: "detached" },
  memory: { factor: 1, driver: 0, workers: 0 },
  attempt: 1,
  failed: [],
  fence: 1,
  cancelRequested: false,
  overdue: false,
};
const planned = async (): Promise<Plan> =>
  (await planAttempt(spec, environment(), { run: RUN, attempt: 1 })).plan;

/** Settles when an event of that kind was told. */
async function until({ tools }: Scene, fits: (event: RunEvent) => boolean): Promise<void> {
  while (!tools.events.some(fits)) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("a run from the queue", () => {
  test("goes through lease, plan, stack, cluster, logs and destroy to its end, and its lease goes last", async () => {
    const it = begun({ scenario: { verdicts: [succeeded] } });
    await expect(it.driver.done).resolves.toBe("ended");
    expect(calls(it)).toEqual([
      "lease 1",
      "seen 1",
      `create ${stack}`,
      `up ${stack}`,
      `remove ${stack}`,
      `destroy ${stack}`,
      `drop ${stack}`,
      `remove ${stack}`,
      "lease removed",
    ]);
    expect(it.states).toEqual([
      "planning",
      "creating",
      expect.stringMatching(/running|finishing/),
      ...(it.states.includes("running") ? ["finishing"] : []),
      "destroying",
      "succeeded",
    ]);
    expect(it.row()).toMatchObject({
      state: "succeeded",
      outcome: succeeded,
      fence: 1,
      attempt: 1,
      left: [],
    });
    expect(it.row().report).toMatchObject({ outcome: succeeded, attempt: 1 });
    expect(it.row().endedAt).toBeDefined();
  });

  test("whose class of failure has a budget goes back into the queue with nothing left and its lease free", async () => {
    const it = begun({ scenario: { verdicts: [lost] } });
    await expect(it.driver.done).resolves.toBe("retry");
    expect(calls(it).at(-1)).toBe("lease given back");
    expect(it.row()).toMatchObject({ state: "queued", holder: undefined, report: { outcome: lost } });
    expect(it.row().notBefore).toBeDefined();
    expect(readState(RUN, it.row().machine ?? "")).toMatchObject({
      phase: "queued",
      facts: { attempt: 2, failed: ["lost"] },
    });
  });

  test("that is not to be had now goes back into the queue, not to be tried at once", async () => {
    const it = begun({ scenario: { lease: "held" } });
    await expect(it.driver.done).resolves.toBe("retry");
    expect(it.row()).toMatchObject({ state: "queued", holder: undefined });
    expect(Date.parse(it.row().notBefore ?? "")).toBeGreaterThan(Date.now() + 3000);
    expect(calls(it)).toEqual([]);
  });

  test("that does not fit ends before anything was made", async () => {
    const big = wordcount({ driver: { cpu: "900", memory: "900Gi" } });
    const it = scene({ spec: big });
    await expect(it.driver.done).resolves.toBe("ended");
    expect(it.row()).toMatchObject({ state: "failed", outcome: { kind: "unschedulable" } });
    expect(calls(it)).toEqual(["lease 1", "seen 1", "lease removed"]);
  });
});

describe("cancelling", () => {
  test("while the cluster is made stops that, destroys it, and is said once", async () => {
    const it = begun({ scenario: { up: "hangs" } });
    await until(it, ({ type }) => type === "resource");
    it.driver.cancel();
    it.driver.cancel();
    await expect(it.driver.done).resolves.toBe("ended");
    expect(it.row()).toMatchObject({ state: "cancelled", left: [] });
    expect(calls(it)).toContain(`destroy ${stack}`);
    expect(it.tools.events.filter(({ type }) => type === "outcome")).toHaveLength(1);
  });
});

describe("a run that is not ours any more", () => {
  test("is left at once when the lease is lost: nothing is destroyed, and the next helper finds where it was", async () => {
    const it = begun({ scenario: { up: "hangs" } });
    await until(it, ({ type }) => type === "resource");
    it.lease().lose();
    await expect(it.driver.done).resolves.toBe("not-ours");
    expect(calls(it).at(-1)).toBe(`up ${stack}`);
    expect(it.row()).toMatchObject({ state: "creating", holder: undefined });
    expect(readState(RUN, it.row().machine ?? "")).toMatchObject({ phase: "adrift", was: "creating" });
  });

  test.each([1, 2, 3, 4, 5, 6])("is left when another helper wrote it before write %i", async (stolenAt) => {
    const it = begun({ scenario: { verdicts: [succeeded] }, stolenAt });
    await expect(it.driver.done).resolves.toBe("not-ours");
    expect(calls(it).some((call) => call.startsWith("destroy"))).toBe(false);
    // Whoever has it now need not wait for our lease.
    if (calls(it).includes("lease 1")) expect(calls(it)).toContain("lease given back");
  });

  test("is left, and its lease goes, where another helper had ended it and removed the lease before this one took it", async () => {
    const it = begun({ scenario: { remade: true }, stolenAt: 2 });
    await expect(it.driver.done).resolves.toBe("not-ours");
    expect(calls(it)).toContain("lease removed");
  });

  test.each([2, 3, 4, 5, 6, 7])(
    "whose ledger is damaged from write %i on keeps no lease that nobody works under",
    async (brokenAt) => {
      const it = begun({ scenario: { verdicts: [succeeded] }, brokenAt });
      await expect(it.driver.done).rejects.toMatchObject({ code: "ledger-corrupt" });
      if (calls(it).includes("lease 1"))
        expect(calls(it).some((call) => ["lease given back", "lease removed"].includes(call))).toBe(true);
    },
  );

  test("is left when the API server says that another helper has it: no failure of the run, and nothing is destroyed", async () => {
    const message = "Namespace spark-run-namespace: another helper works on this run";
    const it = begun({
      scenario: {
        up: {
          kind: "provider",
          message,
          failures: [
            {
              kind: "kubernetes:core/v1:Namespace",
              name: "spark-run-namespace",
              reason: "fenced",
              message: "another helper works on this run",
            },
          ],
        },
      },
    });
    await expect(it.driver.done).resolves.toBe("not-ours");
    expect(calls(it)).toContain(`up ${stack}`);
    expect(calls(it).some((call) => call.startsWith("destroy"))).toBe(false);
    expect(it.row()).toMatchObject({ state: "creating", holder: undefined, outcome: undefined });
    expect(it.tools.events).toContainEqual(
      expect.objectContaining({
        type: "warning",
        message: `The lease of run ${RUN} is lost: another helper took it over (${message}).`,
      }),
    );
  });

  const secretive = wordcount({ secrets: [{ env: "GEO_API_KEY", secret: "geo-api", key: "token" }] });
  const halfMade: RunState = { phase: "creating", facts, lease: 1, step: "objects" };
  test.each<[string, RunState | undefined, readonly string[]]>([
    ["from the queue", undefined, []],
    ["half made by another helper", halfMade, ["fence"]],
  ])(
    "%s: nothing is changed any more, whenever the guard finds that the lease is lost",
    async (_what, state, more) => {
      const { plan } = await planAttempt(secretive, environment(), { run: RUN, attempt: 1 });
      const driven = async (guardFailsAt = 0): Promise<Scene> => {
        const it = begun({
          spec: secretive,
          scenario: { verdicts: [succeeded], guardFailsAt },
          ...(state === undefined ? {} : { left: { state, plan } }),
        });
        await it.driver.done;
        return it;
      };
      /** What changes anything outside. */
      const changes = (done: readonly string[]): string[] =>
        done.filter((call) => /^(create|up|secrets|destroy|drop|remove|unlock|fence|put) /.test(call));
      const kinds = new Set(changes((await driven()).tools.calls).map((call) => call.split(" ")[0]));
      expect([...kinds].sort()).toEqual(
        [...more, "create", "destroy", "drop", "put", "remove", "secrets", "up"].sort(),
      );

      let at = 1;
      for (; ; at++) {
        const { driver, tools } = await driven(at);
        const lost = tools.calls.indexOf("lease lost");
        if (lost === -1) break;
        await expect(driver.done).resolves.toBe("not-ours");
        expect([at, changes(tools.calls.slice(lost))]).toEqual([at, []]);
      }
      expect(at).toBeGreaterThan(7);
    },
  );

  test("is handed over with its cluster up and its lease given back", async () => {
    const it = begun({ scenario: { verdicts: [] } });
    await until(it, (event) => event.type === "phase" && event.phase === "running");
    await expect(it.driver.handOver()).resolves.toBe("handed-over");
    expect(calls(it).at(-1)).toBe("lease given back");
    expect(calls(it)).not.toContain(`destroy ${stack}`);
    expect(it.row().holder).toBeUndefined();
  });
});

test("without the environment's fence nothing is made", async () => {
  const missing = new UserError("fence-missing", "Admission policy mayfly-lab-fence-objects is not bound.");
  const it = begun({ scenario: { fence: missing } });
  await it.driver.done;
  expect(calls(it)).not.toContain(`up ${stack}`);
  expect(JSON.stringify(it.tools.events)).toContain("Attempt 1 ended as infrastructure");
});

describe("a run whose helper died", () => {
  const after = async (
    state: RunState,
    scenario: Given["scenario"] = { verdicts: [succeeded] },
  ): Promise<Scene> => {
    const it = begun({ scenario, left: { state, plan: await planned() } });
    await it.driver.done;
    return it;
  };

  test("while it was made: the fence is raised, all of it removed, then it is made again", async () => {
    const it = await after({ phase: "creating", facts, lease: 1, step: "objects" });
    expect(calls(it).slice(0, 9)).toEqual([
      "lease 2",
      "seen 2",
      "fence 2",
      `remove ${stack}`,
      `destroy ${stack}`,
      `drop ${stack}`,
      `remove ${stack}`,
      `create ${stack}`,
      `up ${stack}`,
    ]);
    expect(it.row()).toMatchObject({ state: "succeeded", fence: 2 });
  });

  test("while it ran: it is watched on, nothing is made", async () => {
    const it = await after({ phase: "running", facts, lease: 1 });
    expect(calls(it)).not.toContain(`up ${stack}`);
    expect(calls(it)).toContain("fence 2");
    expect(it.row()).toMatchObject({ state: "succeeded", fence: 2 });
  });

  test("after its outcome: it keeps that", async () => {
    const it = await after({
      phase: "destroying",
      facts,
      lease: 1,
      outcome: succeeded,
      step: "objects",
      tries: 0,
    });
    expect(calls(it)).toContain(`destroy ${stack}`);
    expect(it.row()).toMatchObject({ state: "succeeded" });
  });

  test("while it was adrift and asked to be cancelled: it is destroyed", async () => {
    const cancelled: Outcome = { kind: "cancelled", message: "The run was cancelled." };
    const it = await after({
      phase: "adrift",
      facts: { ...facts, cancelRequested: true },
      was: "running",
      outcome: cancelled,
      asked: true,
    });
    expect(calls(it)).toContain(`destroy ${stack}`);
    expect(it.row()).toMatchObject({ state: "cancelled" });
  });
});

test("a state of another version is refused by name", () => {
  expect(() => readState(RUN, '{"phase":"dreaming"}')).toThrow(
    expect.objectContaining({ code: "run-unreadable" }),
  );
  expect(() => readState(RUN, "half a f")).toThrow(expect.objectContaining({ code: "run-unreadable" }));
});

describe("a foreground run whose helper died", () => {
  const foreground: RunFacts = { ...facts, mode: { kind: "foreground", keep: true } };
  const dead = async (state: RunState, purpose?: Given["purpose"]): Promise<Scene> => {
    const it = begun({
      left: { state, plan: await planned() },
      scenario: { verdicts: [succeeded] },
      ...(purpose === undefined ? {} : { purpose }),
    });
    await it.driver.done;
    return it;
  };

  test.each<[string, RunState]>([
    ["had its lease", { phase: "queued", facts: { ...foreground, fence: 0 }, asked: true }],
    ["had planned", { phase: "planning", facts: foreground, lease: 1 }],
    ["made it", { phase: "creating", facts: foreground, lease: 1, step: "objects" }],
    ["ran it", { phase: "running", facts: foreground, lease: 1 }],
  ])(
    "before it %s, or then: a worker destroys it, saves its logs and reports it as lost",
    async (_when, state) => {
      const it = await dead(state);
      expect(it.row()).toMatchObject({ state: "lost", outcome: { kind: "lost" }, left: [] });
      expect(it.row().report).toMatchObject({ outcome: { kind: "lost" }, logs: [expect.any(String)] });
      expect(calls(it)).not.toContain(`up ${stack}`);
      expect(calls(it).filter((call) => call.startsWith("destroy"))).toHaveLength(1);
      expect(calls(it).at(-1)).toBe("lease removed");
    },
  );

  test("after its verdict keeps that", async () => {
    const it = await dead({ phase: "finishing", facts: foreground, lease: 1, outcome: succeeded });
    expect(it.row()).toMatchObject({ state: "succeeded", outcome: succeeded });
  });
});

describe("a run that is to go", () => {
  const removed = async (left: Given["left"]): Promise<Scene> => {
    const it = begun({ purpose: { kind: "removal" }, ...(left === undefined ? {} : { left }) });
    await expect(it.driver.done).resolves.toBe("ended");
    return it;
  };
  const kept: RunState = {
    phase: "kept",
    facts: { ...facts, mode: { kind: "foreground", keep: true } },
    outcome: succeeded,
  };

  test("of a dead worker is destroyed, not carried on", async () => {
    const it = await removed({ state: { phase: "running", facts, lease: 1 }, plan: await planned() });
    expect(it.row()).toMatchObject({ state: "lost", left: [] });
    expect(it.driver.removal?.by).toBe("stack");
  });

  test("since it was kept is destroyed under its outcome, and its report of then stays but for that", async () => {
    const first = begun({ scenario: { verdicts: [succeeded] } });
    await first.driver.done;
    const report = first.row().report;
    if (report === undefined) throw new Error("there is no report");
    const it = await removed({ state: kept, plan: await planned(), report: { ...report, kept: true } });
    expect(it.row()).toMatchObject({ state: "succeeded", report: { ...report, kept: false } });
  });

  test("since it could not be removed whole ends with nothing left", async () => {
    const state: RunState = { phase: "succeeded", facts, outcome: succeeded, left: ["Namespace acme-x"] };
    const it = await removed({ state, plan: await planned(), row: { left: ["Namespace acme-x"] } });
    expect(it.row()).toMatchObject({ state: "succeeded", left: [] });
  });

  test("and is of a version without states of the machine is destroyed too", async () => {
    const state: RunState = { phase: "running", facts, lease: 1 };
    const it = await removed({ state, plan: await planned(), row: { machine: undefined, state: "running" } });
    expect(it.row()).toMatchObject({ state: "lost", left: [] });
    expect(calls(it)).toContain(`destroy ${stack}`);
  });
});

describe("the report of a run that another helper took over", () => {
  const at = (second: number): string => new Date(Date.now() - 60_000 + second * 1000).toISOString();
  const phase = (name: Phase, second: number): RunEvent => ({
    type: "phase",
    run: RUN,
    attempt: 1,
    phase: name,
    at: at(second),
    elapsedSeconds: second,
  });

  test("covers the whole run: phases, and what was reached, from the ledger's events", async () => {
    const made: RunEvent = {
      type: "resource",
      run: RUN,
      at: at(4),
      operation: "create",
      kind: "kubernetes:apps/v1:StatefulSet",
      name: "spark-workers",
    };
    const it = begun({
      left: {
        state: { phase: "running", facts, lease: 1 },
        plan: await planned(),
        row: { submittedAt: at(0), startedAt: at(0) },
      },
      scenario: { verdicts: [succeeded] },
      recorded: [
        phase("preparing", 1),
        phase("creating", 2),
        made,
        phase("starting", 5),
        phase("running", 9),
      ],
    });
    await it.driver.done;
    const { report } = it.row();
    expect(report?.phases.map(({ phase: name }) => name)).toEqual([
      "preparing",
      "creating",
      "starting",
      "running",
      "collecting",
      "destroying",
      "verifying",
    ]);
    expect(report?.milestones.objectsExist).toBeCloseTo(4, 1);
    expect(report?.milestones.driverStarted).toBeCloseTo(9, 1);
    expect(report?.phases.find(({ phase: name }) => name === "running")?.seconds).toBeGreaterThan(50);
  });
});

describe("what an attempt misses before it begins", () => {
  test.each<[string, Given["scenario"], string, string]>([
    ["an input file", { missing: ["s3://acme-code/app.py"] }, "refused", "failed"],
    ["a Secret", { secrets: new UserError("secret-missing", "no such Secret") }, "refused", "failed"],
    ["a namespace that is free", { namespace: "foreign" }, "infrastructure", "queued"],
    [
      "an answer of the cluster",
      { check: new UserError("cluster-unreachable", "away") },
      "infrastructure",
      "queued",
    ],
  ])("%s: %s", async (_what, scenario, kind, state) => {
    const it = begun(scenario === undefined ? {} : { scenario });
    await it.driver.done;
    expect(it.row()).toMatchObject({ state, report: { outcome: { kind } } });
    // Nothing was made but the empty stack.
    expect(calls(it).filter((call) => /^(up|destroy|remove)/.test(call))).toEqual([]);
    expect(calls(it)).toContain(`drop ${stack}`);
  });
});

test("a run's own deadline counts from when a helper first took it up, and never for longer than it is", () => {
  const now = Date.parse("2026-11-24T06:00:00Z");
  const ago = (seconds: number): Date => new Date(now - seconds * 1000);
  expect(leftOf(90_000, ago(30), now)).toBe(60_000);
  expect(leftOf(90_000, ago(100), now)).toBe(0);
  // By a clock that is an hour ahead.
  expect(leftOf(90_000, ago(-3600), now)).toBe(90_000);
});

test("time in the queue does not count against the deadline", async () => {
  const at = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();
  const queued = queuedState(RUN, spec);
  const it = begun({
    scenario: { verdicts: [succeeded] },
    left: {
      state: queued,
      plan: await planned(),
      row: { submittedAt: at(9999), startedAt: at(1), plan: undefined },
    },
  });
  await it.driver.done;
  expect(it.row()).toMatchObject({ state: "succeeded" });
});
