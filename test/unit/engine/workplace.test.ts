import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  createStack,
  forgetStack,
  inFolder,
  removeStack,
  sweepFolders,
} from "../../../jobs/engine/workplace.ts";

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

const LOCK = "3f6b7a54-0000-4000-8000-000000000000.json";

/** A Pulumi that notes its calls, and fails those that begin with `fails`, saying `error`. The backend holds a lock and half of one. */
async function fakePulumi(fails: string, error: string) {
  const locks = join(folder, "state", ".pulumi", "locks", "organization", "mayfly-job", "acme-etl-1");
  await mkdir(locks, { recursive: true });
  await writeFile(join(locks, LOCK), "{}");
  await writeFile(join(locks, `${LOCK}.18eaf41bf16ddbc8.tmp`), "{");
  const calls = join(folder, "calls");
  const script = `#!/bin/sh\necho "$1 $2" >> ${calls}\nif [ "$1 $2" = "${fails}" ]; then echo "error: ${error}" >&2; exit 255; fi\n`;
  await writeFile(join(folder, "pulumi"), script, { mode: 0o755 });
  const env = { PATH: `${folder}:/usr/bin:/bin`, PULUMI_BACKEND_URL: `file://${folder}/state?metadata=skip` };
  return {
    place: { folder: join(folder, "work"), env },
    calls: async () => (await readFile(calls, "utf8")).trim().split("\n"),
    locks: async () => await readdir(locks),
    stacks: join(folder, "state", ".pulumi", "stacks", "mayfly-job"),
  };
}

test("a state that is gone but for its copies is put back empty, so that they are removed with it", async () => {
  const { place, calls } = await fakePulumi("stack import", "no stack named 'acme-etl-1' found");
  await forgetStack(place, "acme-etl-1");
  expect(await calls()).toEqual(["stack import", "stack init", "stack rm"]);
});

test("a stack that is locked is not forgotten", async () => {
  const { place, calls } = await fakePulumi("stack import", "the stack is currently locked by 1 lock(s)");
  await expect(forgetStack(place, "acme-etl-1")).rejects.toMatchObject({ error: { kind: "conflict" } });
  expect(await calls()).toEqual(["stack import"]);
});

test("half a lock, which Pulumi would respect for ever, goes with a stack that is forgotten; a lock stays", async () => {
  const { place, locks } = await fakePulumi("none", "");
  await forgetStack(place, "acme-etl-1");
  expect(await locks()).toEqual([LOCK]);
});

test("half a lock that a full disk left of a stack that could not be made goes too", async () => {
  const { place, locks } = await fakePulumi("stack init", "no space left on device");
  await expect(createStack(place, "acme-etl-1")).rejects.toMatchObject({ error: { kind: "cli" } });
  expect(await locks()).toEqual([LOCK]);
});

test("states that a full disk left half written go with their stack, those of others stay", async () => {
  const { place, stacks } = await fakePulumi("none", "");
  await mkdir(stacks, { recursive: true });
  for (const name of [
    "acme-etl-1.json.18eaf58cabd978b3.tmp",
    "acme-etl-12.json.18eaf58cabd9fbca.tmp",
    "acme-etl-12.json",
  ])
    await writeFile(join(stacks, name), "{");
  await removeStack(place, "acme-etl-1");
  expect((await readdir(stacks)).sort()).toEqual([
    "acme-etl-12.json",
    "acme-etl-12.json.18eaf58cabd9fbca.tmp",
  ]);
});

test("tries of who was killed while it watched the backend go with their stack, those of others stay", async () => {
  const { place, stacks } = await fakePulumi("none", "");
  await mkdir(stacks, { recursive: true });
  const others = [".acme-etl-1-2-786af04a.probe", ".acme-etl-12-786af04a.probe"];
  for (const name of [".acme-etl-1-786af04a.probe", ...others]) await writeFile(join(stacks, name), "");
  await removeStack(place, "acme-etl-1");
  expect((await readdir(stacks)).sort()).toEqual(others);
});
