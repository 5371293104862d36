import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inFolder, sweepFolders } from "../../../jobs/engine/workplace.ts";

const DAY = 24 * 3600 * 1000;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-work-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("an operation has a folder of its own with project and stack settings, gone when it ends", async () => {
  const seen = await inFolder({ folder, env: {} }, "demo-pi", {}, async (own) => await readdir(own));
  expect(seen.sort()).toEqual(["Pulumi.demo-pi.yaml", "Pulumi.yaml"]);
  expect(await readdir(folder)).toEqual([]);
});

test("it is gone after a failure too, which is an engine failure with what the engine said", async () => {
  const failing = inFolder({ folder, env: {} }, "demo-pi", {}, async (_own, onEvent) => {
    onEvent({ type: "diagnostic", severity: "error", message: "no stack named 'demo-pi' found" });
    await Promise.reject(new Error("pulumi failed"));
  });
  await expect(failing).rejects.toMatchObject({ name: "EngineFailure", error: { kind: "not-found" } });
  expect(await readdir(folder)).toEqual([]);
});

test("folders that killed processes have left go after a day", async () => {
  await mkdir(join(folder, "demo-pi-x1"));
  await sweepFolders({ folder });
  expect(await readdir(folder)).toEqual(["demo-pi-x1"]);
  await sweepFolders({ folder }, Date.now() + 2 * DAY);
  expect(await readdir(folder)).toEqual([]);
  await sweepFolders({ folder: join(folder, "none") });
});
