// The other phases and parts of run-interrupted.test.ts, which `npm test` has no time for.
import { describe, expect, test } from "vitest";
import { cancelIn, expectNothingLeft, killHelperAt, killPart } from "./interrupted.ts";
import { jobFile, phase, startRun } from "./run-process.ts";

describe("Ctrl-C cancels, destroys and leaves nothing", () => {
  test.each(["preparing", "starting", "collecting", "destroying"])("while %s", cancelIn);

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
});

test.each(["creating", "running"])(
  "kill -9 of the helper when it begins %s: destroy from another process removes all",
  async (name) => {
    await killHelperAt(phase(name));
  },
);

test.each([
  ["the engine's process", "engine/worker.ts"],
  ["the provider plugin", "kubernetes-plugin"],
])("%s dies while creating: an infrastructure failure, and nothing is left", async (_what, command) => {
  await killPart(command);
});
