// What the tests of interrupted runs do, in `npm test` at the phases that matter most, in project `detached` at all others.
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { destroyRun, listRuns, runStatus } from "../../jobs/run/index.ts";
import type { RunEvent } from "../../schema/events.ts";
import { jobFile, objectsOf, phase, type RunProcess, startRun } from "./run-process.ts";

export const runOf = ({ events }: RunProcess): string => events[0]?.run ?? "";

/** Nothing of it in the cluster, no process, no state. */
export async function expectNothingLeft(run: RunProcess): Promise<void> {
  expect(await objectsOf(runOf(run))).toEqual([]);
  expect(await run.processes()).toEqual([]);
}

/** Ctrl-C in a phase cancels, destroys and leaves nothing. */
export async function cancelIn(name: string): Promise<void> {
  const run = await startRun([await jobFile({}, name === "running" ? 600 : 0)]);
  await run.until(phase(name));
  run.signal("SIGINT");
  const { code } = await run.exit;
  // From the verdict on it is too late to cancel: the run is what it was.
  const late = name === "collecting" || name === "destroying";
  expect(code).toBe(late ? 0 : 130);
  await expectNothingLeft(run);
}

/** kill -9 of the helper at an event, then `mayfly destroy` by another process. */
export async function killHelperAt(reached: (event: RunEvent) => boolean): Promise<void> {
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
}

/** kill -9 of a process that the helper started, while objects are made. @param command A part of its command line. */
export async function killPart(command: string): Promise<void> {
  const run = await startRun([await jobFile({ retries: { infrastructure: 0 } })]);
  await run.until(({ type }) => type === "resource");
  const victim = (await run.processes()).find((started) => started.command.includes(command));
  expect(victim).toBeDefined();
  process.kill(victim?.pid ?? 0, "SIGKILL");
  const { code } = await run.exit;
  expect(code).toBe(17);
  await expectNothingLeft(run);
}
