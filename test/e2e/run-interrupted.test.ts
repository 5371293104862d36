import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { childEnv, execute } from "../../base/process.ts";
import { destroyRun, listRuns, runStatus } from "../../jobs/run/index.ts";
import type { RunEvent } from "../../schema/events.ts";
import { RunReport } from "../../schema/report.ts";
import { jobFile, objectsOf, phase, type RunProcess, startRun } from "./run-process.ts";

const runOf = ({ events }: RunProcess): string => events[0]?.run ?? "";

/** Nothing of it in the cluster, no process, no state. */
async function expectNothingLeft(run: RunProcess): Promise<void> {
  expect(await objectsOf(runOf(run))).toEqual([]);
  expect(await run.processes()).toEqual([]);
}

describe("Ctrl-C at any phase cancels, destroys and leaves nothing", () => {
  test.each(["preparing", "creating", "starting", "running", "collecting", "destroying"])(
    "while %s",
    async (name) => {
      const run = await startRun([await jobFile({}, name === "running" ? 600 : 0)]);
      await run.until(phase(name));
      run.signal("SIGINT");
      const { code } = await run.exit;
      // From the verdict on it is too late to cancel: the run is what it was.
      const late = name === "collecting" || name === "destroying";
      expect(code).toBe(late ? 0 : 130);
      await expectNothingLeft(run);
    },
  );

  test("twice: it says what goes on and still destroys", async () => {
    const run = await startRun([await jobFile({}, 600)]);
    await run.until(phase("running"));
    run.signal("SIGINT");
    await run.until(phase("destroying"));
    run.signal("SIGINT");
    const { code, stderr } = await run.exit;
    expect(code).toBe(130);
    expect(stderr).toContain("Still destroying the cluster");
    await expectNothingLeft(run);
  });

  test("SIGTERM does the same", async () => {
    const run = await startRun([await jobFile()]);
    await run.until(phase("creating"));
    run.signal("SIGTERM");
    expect((await run.exit).code).toBe(130);
    await expectNothingLeft(run);
  });
});

describe("kill -9 of the helper", () => {
  test.each<[string, (event: RunEvent) => boolean]>([
    ["when it begins to create", phase("creating")],
    ["while objects are made", ({ type }) => type === "resource"],
    ["while the job runs", phase("running")],
  ])("%s: destroy from another process removes all", async (_when, reached) => {
    const run = await startRun([await jobFile({}, 600)]);
    await run.until(reached);
    run.signal("SIGKILL");
    await run.exit;
    const id = runOf(run);
    expect((await listRuns()).find((row) => row.run === id)?.state).toBe("stale");
    // At once, beside the engine's process, which notices that its helper is gone, stops what is in flight and ends.
    const result = await destroyRun(id);
    expect(result.left).toEqual([]);
    for (let i = 0; i < 60 && (await run.processes()).length > 0; i++) await sleep(500);
    await expectNothingLeft(run);
    expect((await runStatus(id)).summary.state).toBe("lost");
  });
});

describe("a foreground run whose helper was killed", () => {
  test("is not carried on: resume saves its logs, destroys it at once and reports it as lost", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mayfly-resume-"));
    try {
      // A ledger of its own, or others' runs would be brought to their ends too.
      const env = { MAYFLY_LEDGER: `sqlite://${folder}/ledger.sqlite` };
      const run = await startRun([await jobFile({}, 600)], env);
      await run.until(phase("running"));
      run.signal("SIGKILL");
      await run.exit;
      const resumed = await execute("bin/mayfly", ["resume"], { env: childEnv(env) });
      expect(resumed.code).toBe(0);
      const shown = await execute("bin/mayfly", ["show", runOf(run), "--json"], { env: childEnv(env) });
      const { summary, report } = z
        .object({ summary: z.looseObject({ state: z.string() }), report: RunReport })
        .parse(JSON.parse(shown.stdout));
      expect(summary.state).toBe("lost");
      expect(report.outcome.kind).toBe("lost");
      expect(report.logs.some((log) => log.endsWith("/driver.log"))).toBe(true);
      // Of the helper that died too.
      expect(report.phases.map(({ phase: name }) => name).slice(0, 4)).toEqual([
        "preparing",
        "creating",
        "starting",
        "running",
      ]);
      expect(report.milestones.driverStarted).toBeGreaterThan(0);
      await expectNothingLeft(run);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("a part of the machinery dies", () => {
  test.each([
    ["the engine's process", "engine/worker.ts"],
    ["Pulumi", "pulumi up"],
    ["the provider plugin", "kubernetes-plugin"],
  ])("%s, while creating: an infrastructure failure, and nothing is left", async (_what, command) => {
    const run = await startRun([await jobFile({ retries: { infrastructure: 0 } })]);
    await run.until(({ type }) => type === "resource");
    const victim = (await run.processes()).find((started) => started.command.includes(command));
    expect(victim).toBeDefined();
    process.kill(victim?.pid ?? 0, "SIGKILL");
    const { code } = await run.exit;
    expect(code).toBe(17);
    await expectNothingLeft(run);
  });
});

test("of two runs of one job at once each ends well, and neither sees the other", async () => {
  const file = await jobFile();
  const runs = await Promise.all([startRun([file]), startRun([file])]);
  const ends = await Promise.all(runs.map(async ({ exit }) => await exit));
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  expect(new Set(runs.map(runOf)).size).toBe(2);
  for (const run of runs) await expectNothingLeft(run);
});

test("a third Ctrl-C leaves at once, naming the command that cleans up, and that command does", async () => {
  const run = await startRun([await jobFile({}, 600)]);
  await run.until(phase("running"));
  for (let i = 0; i < 3; i++) {
    run.signal("SIGINT");
    await sleep(100);
  }
  const { code, stderr } = await run.exit;
  expect(code).toBe(130);
  expect(stderr).toContain(`npx mayfly destroy ${runOf(run)}`);
  const destroyed = await execute("bin/mayfly", ["destroy", runOf(run)]);
  expect(destroyed.code).toBe(0);
  await expectNothingLeft(run);
});
