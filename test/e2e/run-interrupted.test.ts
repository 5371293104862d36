import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { childEnv, execute } from "../../base/process.ts";
import { openLedger } from "../../jobs/ledger/index.ts";
import { RunReport } from "../../schema/report.ts";
import { cancelIn, expectNothingLeft, killHelperAt, killPart, runOf } from "./interrupted.ts";
import { jobFile, phase, startRun } from "./run-process.ts";

describe("Ctrl-C cancels, destroys and leaves nothing", () => {
  test.each(["creating", "running"])("while %s", cancelIn);

  test("SIGTERM does the same", async () => {
    const run = await startRun([await jobFile()]);
    await run.until(phase("creating"));
    run.signal("SIGTERM");
    expect((await run.exit).code).toBe(130);
    await expectNothingLeft(run);
  });
});

test("kill -9 of the helper while objects are made: destroy from another process removes all", async () => {
  await killHelperAt(({ type }) => type === "resource");
});

describe("a foreground run whose helper was killed", () => {
  test("is not carried on: resume saves its logs, destroys it at once and reports it as lost", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mayfly-resume-"));
    try {
      // A ledger of its own, or others' runs would be brought to their ends too.
      const env = { MAYFLY_LEDGER: `sqlite://${folder}/ledger.sqlite` };
      const run = await startRun([await jobFile({}, 600)], env);
      await run.until(phase("running"));
      // Told before it is recorded, on a machine that is busy by a while.
      const ledger = await openLedger(env.MAYFLY_LEDGER);
      await vi.waitFor(
        async () => {
          expect((await ledger.get(runOf(run))).phase).toBe("running");
        },
        { timeout: 20_000, interval: 200 },
      );
      await ledger.close();
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

test("Pulumi dies while creating: an infrastructure failure, and nothing is left", async () => {
  await killPart("pulumi up");
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
