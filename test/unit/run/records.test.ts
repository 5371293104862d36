import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Ledger, openLedger, type RunPatch } from "../../../jobs/ledger/index.ts";
import { summarize } from "../../../jobs/run/inspect.ts";
import { helperLives, helperOf, holderOf, thisHelper } from "../../../jobs/run/liveness.ts";
import { planned } from "../../../jobs/run/records.ts";
import { stateNameOf, takeOverFiles } from "../../../jobs/run/takeover.ts";
import { samplePlans } from "../../harness/samples.ts";
import { pi as spec } from "../../ledger/stores.ts";

const { pi } = samplePlans();
const connection = "/srv/lab/connection.json";
let folder: string;
let ledger: Ledger;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-records-"));
  ledger = await openLedger(`sqlite://${folder}/ledger.sqlite`);
});
afterEach(async () => {
  await ledger.close();
  await rm(folder, { recursive: true });
});

/** A run that a helper, this one where nothing else is said, works on. */
async function submit(patch: RunPatch = {}): Promise<void> {
  const holder = holderOf(await thisHelper());
  await ledger.submit({ run: pi.run, spec, environment: "lab", connection, holder });
  await ledger.update(pi.run, 1, { plan: pi, state: "running", ...patch });
}

describe("a run's row", () => {
  test("without a plan is not one of which anything exists", async () => {
    await ledger.submit({ run: "pi-queued", spec, environment: "lab", connection });
    const row = await ledger.get("pi-queued");
    expect(() => planned(row)).toThrow(expect.objectContaining({ code: "run-not-planned" }));
    await submit();
    expect(planned(await ledger.get(pi.run)).plan.stack).toBe(pi.stack);
  });
});

describe("records of the time before the ledger", () => {
  const old = async (run: string): Promise<string> =>
    JSON.stringify({
      apiVersion: "mayfly.dev/record/v1",
      plan: { ...pi, run },
      phase: "running",
      state: "active",
      connection,
      helper: await thisHelper(),
      startedAt: "2026-11-24T06:00:00.000Z",
      left: [],
    });

  test.each([
    [{ state: "active", phase: "preparing" }, "planning"],
    [{ state: "active", phase: "collecting" }, "finishing"],
    [{ state: "active", phase: "verifying" }, "destroying"],
    [{ state: "kept", phase: "collecting" }, "kept"],
    [{ state: "ended", phase: "verifying", outcome: { kind: "succeeded" } }, "succeeded"],
    [{ state: "ended", phase: "verifying", outcome: { kind: "cancelled", message: "by hand" } }, "cancelled"],
    [
      { state: "ended", phase: "verifying", outcome: { kind: "infrastructure", message: "no API" } },
      "failed",
    ],
    [{ state: "ended", phase: "verifying" }, "lost"],
  ] as const)("%j is %s in the ledger", (of, state) => {
    expect(stateNameOf(of)).toBe(state);
  });

  test("are taken over once, and the files are kept beside; an unreadable one is told and hides no other", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue(undefined);
    await mkdir(join(folder, "runs"));
    await writeFile(join(folder, "runs", "pi-old.json"), await old("pi-old"));
    await writeFile(join(folder, "runs", "torn.json"), '{"apiVersion":');
    await takeOverFiles(ledger, folder);
    await takeOverFiles(ledger, folder);
    expect(warn.mock.calls).toEqual([[expect.stringContaining("torn.json")]]);
    warn.mockRestore();
    expect(await ledger.get("pi-old")).toMatchObject({
      state: "running",
      spec: undefined,
      machine: undefined,
      holder: holderOf(await thisHelper()),
      plan: { run: "pi-old" },
    });
    const kept = (await readdir(folder)).filter((name) => name.startsWith("runs"));
    expect(kept).toEqual([expect.stringMatching(/^runs-before-ledger-\d+$/)]);
    expect((await readdir(join(folder, kept[0] ?? ""))).sort()).toEqual(["pi-old.json", "torn.json"]);
  });
});

describe("what the ledger says today", () => {
  const stateOf = async (patch: RunPatch): Promise<string> => {
    await submit(patch);
    return (await summarize(await ledger.get(pi.run))).state;
  };

  test("this process is alive, and another with its id that started at another time is not it", async () => {
    const helper = await thisHelper();
    expect(await helperLives(helper)).toBe(true);
    expect(await helperLives({ ...helper, startedAt: "1" })).toBe(false);
  });

  test("a helper's name tells it from all others, and is read back", async () => {
    const helper = await thisHelper();
    expect(helperOf(holderOf(helper))).toEqual(helper);
    expect(helperOf("worker-1")).toBeUndefined();
  });

  test("a run whose helper lives is what it is", async () => {
    expect(await stateOf({})).toBe("running");
  });

  test("a run whose helper died is stale", async () => {
    const holder = holderOf({ ...(await thisHelper()), pid: 2 ** 22 + 1 });
    expect(await stateOf({ holder })).toBe("stale");
  });

  test("a helper on another machine is never declared dead from here", async () => {
    const holder = holderOf({ ...(await thisHelper()), host: "another-machine" });
    expect(await stateOf({ holder })).toBe("running");
  });

  test("an ended run is what its outcome says", async () => {
    expect(await stateOf({ state: "succeeded", outcome: { kind: "succeeded" } })).toBe("succeeded");
  });

  test("an ended run that left something is stale: destroy has work to do", async () => {
    expect(await stateOf({ state: "lost", left: ["Namespace demo-pi"] })).toBe("stale");
  });
});
