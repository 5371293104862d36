import { describe, expect, test } from "vitest";
import { UserError } from "../../../base/errors.ts";
import type { RunState } from "../../../jobs/run/machine.ts";
import { planAttempt } from "../../../jobs/run/prepare.ts";
import { readState } from "../../../jobs/work/state.ts";
import type { RunEvent } from "../../../schema/events.ts";
import type { Outcome } from "../../../schema/outcome.ts";
import type { Plan } from "../../../schema/plan.ts";
import { environment, wordcount } from "../plan/sample.ts";
import { type Given, RUN, type Scene, scene } from "./fakes.ts";

const spec = wordcount({ retries: { user: 0, outOfMemory: 0, infrastructure: 1 } });
const succeeded: Outcome = { kind: "succeeded" };
const lost: Outcome = { kind: "lost", message: "The node is gone." };

const begun = (given: Partial<Given> = {}): Promise<Scene> => scene({ spec, ...given });

/** What was done, without S3 and secrets. */
const calls = ({ tools }: Scene): string[] => tools.calls.filter((call) => !/^(put|secrets) /.test(call));
const stack = "acme-wordcount-11240600-aaaaa";

const facts = {
  run: RUN,
  budget: spec.retries,
  keep: false,
  moreMemory: false,
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
    const it = await begun({ scenario: { verdicts: [succeeded] } });
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
    const it = await begun({ scenario: { verdicts: [lost] } });
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
    const it = await begun({ refused: true });
    await expect(it.driver.done).resolves.toBe("retry");
    expect(it.row()).toMatchObject({ state: "queued", holder: undefined });
    expect(Date.parse(it.row().notBefore ?? "")).toBeGreaterThan(Date.now() + 3000);
    expect(calls(it)).toEqual([]);
  });

  test("that does not fit ends before anything was made", async () => {
    const big = wordcount({ driver: { cpu: "900", memory: "900Gi" } });
    const it = await scene({ spec: big });
    await expect(it.driver.done).resolves.toBe("ended");
    expect(it.row()).toMatchObject({ state: "failed", outcome: { kind: "unschedulable" } });
    expect(calls(it)).toEqual(["lease 1", "seen 1", "lease removed"]);
  });
});

describe("cancelling", () => {
  test("while the cluster is made stops that, destroys it, and is said once", async () => {
    const it = await begun({ scenario: { up: "hangs" } });
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
    const it = await begun({ scenario: { up: "hangs" } });
    await until(it, ({ type }) => type === "resource");
    it.lease().lose();
    await expect(it.driver.done).resolves.toBe("not-ours");
    expect(calls(it).at(-1)).toBe(`up ${stack}`);
    expect(it.row()).toMatchObject({ state: "creating", holder: undefined });
    expect(readState(RUN, it.row().machine ?? "")).toMatchObject({ phase: "adrift", was: "creating" });
  });

  test.each([1, 2, 3, 4, 5, 6])("is left when another helper wrote it before write %i", async (stolenAt) => {
    const it = await begun({ scenario: { verdicts: [succeeded] }, stolenAt });
    await expect(it.driver.done).resolves.toBe("not-ours");
    expect(calls(it).some((call) => call.startsWith("destroy"))).toBe(false);
    // Whoever has it now need not wait for our lease.
    if (calls(it).includes("lease 1")) expect(calls(it)).toContain("lease given back");
  });

  test("is left when the API server says that another helper has it: no failure of the run, and nothing is destroyed", async () => {
    const message = "Namespace spark-run-namespace: another helper works on this run";
    const it = await begun({
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

  test("is handed over with its cluster up and its lease given back", async () => {
    const it = await begun({ scenario: { verdicts: [] } });
    await until(it, (event) => event.type === "phase" && event.phase === "running");
    await expect(it.driver.handOver()).resolves.toBe("handed-over");
    expect(calls(it).at(-1)).toBe("lease given back");
    expect(calls(it)).not.toContain(`destroy ${stack}`);
    expect(it.row().holder).toBeUndefined();
  });
});

test("without the environment's fence nothing is made", async () => {
  const missing = new UserError("fence-missing", "Admission policy mayfly-lab-fence-objects is not bound.");
  const it = await begun({ scenario: { fence: missing } });
  await it.driver.done;
  expect(calls(it)).not.toContain(`up ${stack}`);
  expect(JSON.stringify(it.tools.events)).toContain(missing.message);
});

describe("a run whose helper died", () => {
  const after = async (
    state: RunState,
    scenario: Given["scenario"] = { verdicts: [succeeded] },
  ): Promise<Scene> => {
    const it = await begun({ scenario, left: { state, plan: await planned() } });
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
