import { hostname } from "node:os";
import { beforeAll, describe, expect, test } from "vitest";
import { EXIT, UserError } from "../../../base/errors.ts";
import type { EngineError } from "../../../jobs/engine/index.ts";
import { runForeground } from "../../../jobs/run/foreground.ts";
import { runExitCode } from "../../../jobs/run/index.ts";
import type { RunOptions } from "../../../jobs/run/types.ts";
import type { Outcome } from "../../../schema/outcome.ts";
import type { RunReport } from "../../../schema/report.ts";
import { wordcount } from "../plan/sample.ts";
import { type FakeTools, fakeTools, type Scenario } from "./fakes.ts";

const spec = wordcount({ retries: { user: 0, outOfMemory: 0, infrastructure: 1 } });
// Its pauses between attempts are of a few milliseconds: they follow from the name.
const RUN = `${spec.name}-11240600-aa19g`;
const succeeded: Outcome = { kind: "succeeded" };
const lost: Outcome = { kind: "lost", message: "The node is gone." };

interface Ran {
  readonly tools: FakeTools;
  readonly report: RunReport;
}

async function ran(scenario: Scenario, options: RunOptions = {}): Promise<Ran> {
  const tools = fakeTools(scenario);
  return { tools, report: await started(tools, options) };
}

const started = (tools: FakeTools, options: RunOptions = {}): Promise<RunReport> =>
  runForeground(spec, tools, {
    runId: RUN,
    submittedAt: new Date(),
    onEvent: tools.onEvent,
    ...options,
  });

const phases = ({ events }: FakeTools): string[] =>
  events.flatMap((event) => (event.type === "phase" ? [event.phase] : []));
const index = ({ calls }: FakeTools, start: string): number =>
  calls.findIndex((call) => call.startsWith(start));

describe("a run that succeeds", () => {
  let it: Ran;
  beforeAll(async () => {
    it = await ran({ verdicts: [succeeded] });
  });

  test("goes through all phases in order and ends with its report", () => {
    expect(phases(it.tools)).toEqual([
      "preparing",
      "creating",
      "starting",
      "running",
      "collecting",
      "destroying",
      "verifying",
    ]);
    expect(it.tools.events.at(0)?.type).toBe("planned");
    expect(it.tools.events.at(-1)).toMatchObject({ type: "report", report: { outcome: succeeded } });
    expect(runExitCode(it.report)).toBe(0);
  });

  test("is on record before the engine makes anything", () => {
    expect(index(it.tools, "record")).toBe(0);
    expect(index(it.tools, "up")).toBeGreaterThan(index(it.tools, "create"));
  });

  test("saves the driver's log before it destroys, and the report after", () => {
    const destroyed = index(it.tools, "destroy");
    const saved = it.tools.calls.findIndex((call) => call.endsWith("coordinator-x1/driver.log"));
    const reported = it.tools.calls.findIndex((call) => call.endsWith("report.json"));
    expect(saved).toBeGreaterThan(0);
    expect(saved).toBeLessThan(destroyed);
    expect(reported).toBeGreaterThan(destroyed);
    expect(it.report.logs).toHaveLength(1);
  });

  test("leaves a record that has ended, with the report", () => {
    expect(it.tools.stored.get(RUN)).toMatchObject({ state: "succeeded", left: [], outcome: succeeded });
    expect(it.tools.stored.get(RUN)?.report).toEqual(it.report);
  });

  test("measures its milestones from the submission", () => {
    expect(Object.keys(it.report.milestones).sort()).toEqual([
      "driverStarted",
      "gone",
      "objectsExist",
      "result",
    ]);
  });
});

describe("what is wrong before anything is made", () => {
  const missing = ["s3://acme-code/app.py"];
  test.each<[string, Scenario, string, number]>([
    ["a missing input file", { missing }, "input-not-found", EXIT.missingInput],
    ["a foreign namespace", { namespace: "foreign" }, "namespace-taken", EXIT.invalidInput],
    [
      "an unreachable cluster",
      { check: new UserError("cluster-unreachable", "no answer", { exitCode: EXIT.unreachable }) },
      "cluster-unreachable",
      EXIT.unreachable,
    ],
    [
      "a missing Secret",
      { secrets: new UserError("secret-missing", "no such Secret") },
      "secret-missing",
      EXIT.invalidInput,
    ],
    [
      "a missing Pulumi",
      { create: { kind: "missing-tool", message: "pulumi" } },
      "tool-missing",
      EXIT.unavailable,
    ],
  ])(
    "%s is a UserError; nothing is made and nothing is remembered",
    async (_what, scenario, code, exitCode) => {
      const tools = fakeTools(scenario);
      await expect(started(tools)).rejects.toMatchObject({ code, exitCode });
      expect(index(tools, "up")).toBe(-1);
      expect(tools.stored.size).toBe(0);
    },
  );

  test("the empty stack that was made meanwhile is gone again", async () => {
    const tools = fakeTools({ missing });
    await expect(started(tools)).rejects.toThrow(UserError);
    expect(index(tools, "drop")).toBeGreaterThan(index(tools, "create"));
  });
});

describe("a cluster that can't be made", () => {
  const refusedBy = (reason: "quota" | "policy"): EngineError => ({
    kind: "provider",
    message: "ResourceQuota",
    failures: [{ kind: "kubernetes:core/v1:Pod", name: "spark", reason, message: "exceeded quota" }],
  });
  test.each<[string, EngineError, Partial<Outcome>]>([
    ["a quota", refusedBy("quota"), { kind: "refused", by: "quota" }],
    ["a policy", refusedBy("policy"), { kind: "refused", by: "policy" }],
    ["a lock", { kind: "conflict", message: "locked", owners: [] }, { kind: "infrastructure" }],
    ["a dead API server", { kind: "unreachable", message: "refused" }, { kind: "infrastructure" }],
  ])("%s is an outcome, and what was made is destroyed", async (_what, up, outcome) => {
    const { tools, report } = await ran({ up });
    expect(report.outcome).toMatchObject(outcome);
    expect(index(tools, "destroy")).toBeGreaterThan(index(tools, "up"));
  });
});

describe("cancelling", () => {
  test("while the engine works: it is stopped, everything is destroyed, the outcome is cancelled", async () => {
    const controller = new AbortController();
    const { tools, report } = await ran(
      {
        up: "hangs",
        onMade: () => {
          controller.abort();
        },
      },
      { signal: controller.signal },
    );
    expect(report.outcome.kind).toBe("cancelled");
    expect(index(tools, "destroy")).toBeGreaterThan(0);
    expect(runExitCode(report)).toBe(130);
  });

  test("before anything was made: nothing is made", async () => {
    const { tools, report } = await ran({ verdicts: [succeeded] }, { signal: AbortSignal.abort() });
    expect(report.outcome.kind).toBe("cancelled");
    expect(tools.events.some((event) => event.type === "phase" && event.phase === "collecting")).toBe(false);
  });

  test("while the job runs: it is not tried again, whatever the budget", async () => {
    const controller = new AbortController();
    const tools = fakeTools({});
    const report = await started(tools, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === "phase" && event.phase === "running") controller.abort();
      },
    });
    expect(report.outcome.kind).toBe("cancelled");
    expect(tools.calls.filter((call) => call.startsWith("up"))).toHaveLength(1);
  });
});

describe("a verdict while the engine still waits for something", () => {
  test("stops the engine and is the outcome", async () => {
    const { report } = await ran({
      up: "hangs",
      verdicts: [{ kind: "image", image: "spark:9", message: "no such image" }],
    });
    expect(report.outcome.kind).toBe("image");
  });
});

describe("another attempt", () => {
  test("follows a lost one in a namespace of its own, once the first is gone", async () => {
    const { tools, report } = await ran({ verdicts: [lost, succeeded] });
    expect(report).toMatchObject({ attempt: 2, outcome: succeeded });
    const [first, second] = tools.calls.filter((call) => call.startsWith("up"));
    expect(first).not.toBe(second);
    expect(index(tools, "destroy")).toBeLessThan(tools.calls.indexOf(second ?? ""));
    expect(tools.events.filter(({ type }) => type === "report")).toHaveLength(1);
  });

  test("ends when the budget is used up", async () => {
    const { report } = await ran({ verdicts: [lost, lost, succeeded] });
    expect(report).toMatchObject({ attempt: 2, outcome: { kind: "lost" } });
  });
});

describe("keeping", () => {
  test("leaves the cluster up, says so in report and record, and destroys nothing", async () => {
    const { tools, report } = await ran({ verdicts: [succeeded] }, { keep: true });
    expect(report.kept).toBe(true);
    expect(index(tools, "destroy")).toBe(-1);
    expect(tools.stored.get(RUN)?.state).toBe("kept");
  });

  test("keeps the last attempt only", async () => {
    const { tools } = await ran({ verdicts: [lost, succeeded] }, { keep: true });
    expect(tools.calls.filter((call) => call.startsWith("destroy"))).toHaveLength(1);
  });
});

describe("what could not be removed", () => {
  test("is in the report, and the exit code says so", async () => {
    const { tools, report } = await ran({ verdicts: [succeeded], leftovers: ["spark-files"] });
    expect(report.left).toEqual(["ConfigMap demo/spark-files"]);
    expect(runExitCode(report)).toBe(21);
    expect(tools.stored.get(RUN)?.left).toEqual(report.left);
  });

  test("a stack that can't be destroyed is left, and the namespace is looked at all the same", async () => {
    const failure: EngineError = { kind: "cli", message: "the disk is full" };
    const { report } = await ran({ verdicts: [succeeded], destroy: [failure] });
    expect(report.left).toHaveLength(1);
    expect(report.left[0]).toContain("the disk is full");
  });

  test("half a state, of a Pulumi that was killed while it wrote, is forgotten: the namespace tells what is left", async () => {
    const destroy: EngineError[] = [{ kind: "broken-state", message: "failed to load checkpoint: EOF" }];
    const { tools, report } = await ran({ verdicts: [succeeded], destroy });
    expect(report.left).toEqual([]);
    expect(index(tools, "drop")).toBeGreaterThan(index(tools, "destroy"));
  });

  test.each([
    ["dead", hostname(), [], 2],
    ["perhaps alive", "another-machine", ["locked"], 1],
  ])("half a state with a lock whose owner is %s", async (_which, host, left, forgets) => {
    const owners = [{ host, pid: 2 ** 22 + 1, at: "2026-11-24T06:00:00Z" }];
    const { tools, report } = await ran({
      verdicts: [succeeded],
      destroy: [{ kind: "broken-state", message: "failed to load checkpoint: EOF" }],
      forget: [{ kind: "conflict", message: "locked", owners }],
    });
    expect(report.left.map((what) => /^Stack .*\((.*)\)$/.exec(what)?.[1])).toEqual(left);
    expect(tools.calls.filter((call) => call.startsWith("drop"))).toHaveLength(forgets);
    expect(index(tools, "unlock") > 0).toBe(forgets === 2);
  });

  test("a state that is gone is no reason to complain: the namespace tells, and copies of the state go", async () => {
    const { tools, report } = await ran({
      verdicts: [succeeded],
      destroy: [{ kind: "not-found", message: "no stack" }],
    });
    expect(report.left).toEqual([]);
    expect(index(tools, "drop")).toBeGreaterThan(index(tools, "destroy"));
  });

  test("the namespace is told to go before Pulumi starts: Kubernetes waits five seconds before it begins", async () => {
    const { tools } = await ran({ verdicts: [succeeded] });
    expect(index(tools, "remove")).toBeGreaterThan(0);
    expect(index(tools, "remove")).toBeLessThan(index(tools, "destroy"));
  });

  test("a namespace that somebody else made since is not touched, nor the stack that would delete it by name", async () => {
    const { tools, report } = await ran({ verdicts: [succeeded], namespace: "replaced" });
    expect(index(tools, "destroy")).toBe(-1);
    expect(report.left[0]).toContain("is not the run's any more");
  });

  test("a lock of a dead process on this machine is broken", async () => {
    const owners = [{ host: hostname(), pid: 2 ** 22 + 1, at: "2026-11-24T06:00:00Z" }];
    const { tools, report } = await ran({
      verdicts: [succeeded],
      destroy: [{ kind: "conflict", message: "locked", owners }],
    });
    expect(report.left).toEqual([]);
    expect(index(tools, "unlock")).toBeGreaterThan(0);
  });

  test("a lock of a process that may live is waited for, never broken", async () => {
    const owners = [{ host: "another-machine", pid: 1, at: "2026-11-24T06:00:00Z" }];
    const { tools } = await ran({
      verdicts: [succeeded],
      destroy: [{ kind: "conflict", message: "locked", owners }],
    });
    expect(index(tools, "unlock")).toBe(-1);
    expect(tools.calls.filter((call) => call.startsWith("destroy"))).toHaveLength(2);
  });
});

test("a listener that throws does not disturb the run", async () => {
  const { report } = await ran(
    { verdicts: [succeeded] },
    {
      onEvent: () => {
        throw new Error("broken pipe");
      },
    },
  );
  expect(report.outcome).toEqual(succeeded);
});

describe("the lease of a run", () => {
  test("is taken beside the making of the empty stack, before any object, and is gone with the run", async () => {
    const { tools } = await ran({ verdicts: [succeeded] });
    expect(index(tools, "lease 1")).toBeGreaterThan(0);
    expect(index(tools, "lease 1")).toBeLessThan(index(tools, "up"));
    expect(tools.calls.at(-1)).toBe("lease removed");
  });

  test("keeps a second helper off: nothing is made, nothing is remembered, the empty stack is gone again", async () => {
    const tools = fakeTools({ lease: "held" });
    await expect(started(tools)).rejects.toMatchObject({ code: "lease-held" });
    expect(index(tools, "up")).toBe(-1);
    expect(index(tools, "drop")).toBeGreaterThan(index(tools, "create"));
    expect(tools.stored.size).toBe(0);
  });

  test("that nobody answers for is not waited for where the cluster says why the run can't begin", async () => {
    const check = new UserError("cluster-unreachable", "no answer", { exitCode: EXIT.unreachable });
    await expect(started(fakeTools({ lease: "hangs", check }))).rejects.toBe(check);
  });

  test("does not hold Ctrl-C up", async () => {
    const controller = new AbortController();
    const tools = fakeTools({ lease: "hangs" });
    const running = started(tools, { signal: controller.signal });
    await until(tools, "create");
    controller.abort();
    expect((await running).outcome.kind).toBe("cancelled");
    expect(index(tools, "up")).toBe(-1);
    expect(index(tools, "drop")).toBeGreaterThan(0);
  });

  test("that was lost while the job ran is taken again, and the job is watched on", async () => {
    const tools = fakeTools({ verdicts: [], verdictsOfLeases: { 2: succeeded } });
    const report = await started(tools, {
      onEvent: (event) => {
        tools.onEvent(event);
        if (event.type === "phase" && event.phase === "running" && tools.leases.length === 1)
          setTimeout(() => tools.leases[0]?.lose(), 20);
      },
    });
    expect(report.outcome).toEqual(succeeded);
    expect(tools.calls.filter((call) => call.startsWith("up"))).toHaveLength(1);
    expect(index(tools, "fence 2")).toBeGreaterThan(0);
  });
});

async function until({ calls }: FakeTools, start: string): Promise<void> {
  while (!calls.some((call) => call.startsWith(start)))
    await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("waiting for the next attempt", () => {
  test("is said, with its length and what the one before was", async () => {
    const { tools } = await ran({ verdicts: [lost, succeeded] });
    expect(tools.events).toContainEqual(
      expect.objectContaining({ message: "Attempt 1 ended as lost; the job is tried again in 1 s." }),
    );
  });

  test("ends with Ctrl-C, as cancelled", async () => {
    const controller = new AbortController();
    const tools = fakeTools({ verdicts: [lost, succeeded] });
    const report = await started(tools, {
      // Waits for seconds.
      runId: `${spec.name}-11240600-aaaaa`,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === "warning" && event.message.includes("tried again")) controller.abort();
      },
    });
    expect(report.outcome.kind).toBe("cancelled");
    expect(tools.calls.filter((call) => call.startsWith("up"))).toHaveLength(1);
  });

  test("the last report tells how the attempts before ended", async () => {
    const { report } = await ran({ verdicts: [lost, succeeded] });
    expect(report.earlier).toEqual([
      { attempt: 1, startedAt: expect.stringMatching(/^2/) as string, outcome: lost },
    ]);
  });
});

test("a further attempt after a lack of memory gets more, which events and report say", async () => {
  const outOfMemory: Outcome = {
    kind: "out-of-memory",
    pod: "worker-0",
    container: "worker",
    limitMib: 4505,
    message: "out of memory",
    advice: "more",
  };
  const tools = fakeTools({ verdicts: [outOfMemory, succeeded] });
  const hungry = wordcount({ retries: { user: 0, outOfMemory: 1, infrastructure: 0, memoryFactor: 1.5 } });
  const report = await runForeground(hungry, tools, {
    runId: RUN,
    submittedAt: new Date(),
    onEvent: tools.onEvent,
  });
  const { from = 0, to = 0 } = report.larger?.workers ?? {};
  expect(to).toBeGreaterThanOrEqual(Math.floor(from * 1.4));
  expect(report.larger?.driver).toBeUndefined();
  expect(tools.events).toContainEqual(
    expect.objectContaining({
      message: `Attempt 2 gets more memory, since one before ran out of it: workers ${from} → ${to} MiB.`,
    }),
  );
});

test("a ledger that can't be written any more does not disturb the run, and is told once", async () => {
  const { tools, report } = await ran({ verdicts: [succeeded], ledgerFailsAt: 4 });
  expect(report.outcome).toEqual(succeeded);
  expect(index(tools, "destroy")).toBeGreaterThan(0);
  const told = tools.events.filter((event) => event.type === "warning" && event.message.includes("recorded"));
  expect(told).toHaveLength(1);
});

test("a wish in the ledger that the run end is heeded", async () => {
  const tools = fakeTools({});
  const report = await started(tools, {
    onEvent: (event) => {
      const row = tools.stored.get(RUN);
      if (event.type !== "phase" || event.phase !== "running" || row === undefined) return;
      tools.stored.set(RUN, { ...row, cancelRequestedAt: new Date().toISOString() });
    },
  });
  expect(report.outcome.kind).toBe("cancelled");
});
