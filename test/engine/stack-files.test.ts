import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { secret } from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runPulumi } from "../../jobs/engine/command.ts";
import { EngineFailure } from "../../jobs/engine/errors.ts";
import { destroy, unlock, up } from "../../jobs/engine/operations.ts";
import { createStackFile, removeStackFiles } from "../../jobs/engine/state-files.ts";
import { createIn, createStack, inFolder, removeStack, type Workplace } from "../../jobs/engine/workplace.ts";
import { provideTools } from "../../lab/tools/index.ts";

// What Mayfly writes and removes itself, as the real Pulumi sees it. No cluster, no plugin.
let folder: string;
let place: Workplace;
let state: string;
let backend: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-stack-files-"));
  state = join(folder, "state");
  backend = `file://${state}?metadata=skip`;
  await Promise.all([mkdir(state), writeFile(join(folder, "passphrase"), "a passphrase")]);
  const { pulumi } = await provideTools(["pulumi"]);
  place = {
    folder: join(folder, "work"),
    env: {
      PATH: `${pulumi.bin}:${process.env["PATH"] ?? ""}`,
      HOME: folder,
      PULUMI_HOME: join(folder, "home"),
      PULUMI_BACKEND_URL: backend,
      PULUMI_CONFIG_PASSPHRASE_FILE: join(folder, "passphrase"),
      PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  };
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const pulumi = async (...args: readonly string[]): Promise<string> =>
  await inFolder(place, "by-hand", {}, async (own) => (await runPulumi(args, own, place.env)).stdout);

/** A backend that has been used before. */
const used = async (): Promise<void> => {
  await createStack(place, "acme-first");
};

const files = async (): Promise<string[]> =>
  (await readdir(state, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();

const names = async (): Promise<string[]> => {
  const listed: unknown = JSON.parse(await pulumi("stack", "ls", "--json"));
  return Array.isArray(listed) ? listed.map(({ name }: { name: string }) => name).sort() : [];
};

test("a backend that nobody has used yet is left to Pulumi, which lays it out", async () => {
  expect(await createStackFile(backend, "acme-etl")).toBe("other");
  await createStack(place, "acme-etl");
  expect(await names()).toEqual(["acme-etl"]);
  expect(await createStackFile(backend, "acme-etl")).toBe("exists");
});

test("a stack made as a file is one of Pulumi's: listed, exported, made and destroyed with secrets encrypted, removed", async () => {
  await used();
  expect(await createStackFile(backend, "acme-etl")).toBe("done");
  expect(await names()).toEqual(["acme-etl", "acme-first"]);
  expect(JSON.parse(await pulumi("stack", "export", "--stack", "acme-etl"))).toMatchObject({ version: 3 });
  const token = "between-the-pods-of-a-run";
  await up(place, "acme-etl", async () => await Promise.resolve({ token: secret(token) }));
  const exported = await pulumi("stack", "export", "--stack", "acme-etl");
  expect(exported).toContain('"type": "passphrase"');
  expect(exported).not.toContain(token);
  expect(await pulumi("stack", "output", "--show-secrets", "token", "--stack", "acme-etl")).toBe(
    `${token}\n`,
  );
  await destroy(place, "acme-etl");
  expect(await removeStackFiles(backend, "acme-etl")).toBe("done");
  expect(await names()).toEqual(["acme-first"]);
  expect((await files()).filter((name) => name.includes("acme-etl"))).toEqual([]);
});

test("of many who make one stack at once, with and without Pulumi, at most one succeeds; the others are told that it exists or is locked", async () => {
  await used();
  const ours = Array.from({ length: 6 }, async () => {
    await createStack(place, "acme-etl");
  });
  const theirs = inFolder(place, "acme-etl", {}, async (own) => {
    await createIn(own, "acme-etl", place.env);
  });
  const ended = await Promise.allSettled([...ours, theirs]);
  // By Pulumi's rules all may fail, each because of another's lock.
  const made = ended.filter(({ status }) => status === "fulfilled").length;
  expect(made).toBeLessThanOrEqual(1);
  const refusals = ended.flatMap((one) =>
    one.status === "rejected" && one.reason instanceof EngineFailure ? [one.reason.error.kind] : [],
  );
  expect(refusals).toHaveLength(ended.length - made);
  for (const kind of refusals) expect(["exists", "conflict"]).toContain(kind);
  expect(await createStackFile(backend, "acme-etl")).toBe(made === 1 ? "exists" : "done");
  expect((await files()).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test("a stack that somebody has locked is neither made nor removed, and the owner is named", async () => {
  await used();
  const locks = join(state, ".pulumi", "locks", "organization", "mayfly-job", "acme-first");
  await mkdir(locks, { recursive: true });
  const lock = { pid: 4711, username: "sam", hostname: hostname(), timestamp: "2026-11-24T12:00:00Z" };
  await writeFile(join(locks, "0b6f6a0e-0000-4000-8000-000000000000.json"), JSON.stringify(lock));
  expect(await removeStackFiles(backend, "acme-first")).toBe("other");
  await expect(removeStack(place, "acme-first")).rejects.toMatchObject({
    error: { kind: "conflict", owners: [{ pid: 4711, host: hostname() }] },
  });
  await unlock(place, "acme-first");
  await removeStack(place, "acme-first");
  expect(await names()).toEqual([]);
});

test("a stack that is not empty, not readable or not there is left to Pulumi", async () => {
  await used();
  const path = (stack: string): string => join(state, ".pulumi", "stacks", "mayfly-job", `${stack}.json`);
  const resources = [{ type: "pulumi:pulumi:Stack" }, { type: "kubernetes:core/v1:Namespace" }];
  const checkpoint = { stack: "organization/mayfly-job/acme-full", latest: { resources } };
  await writeFile(path("acme-full"), JSON.stringify({ version: 3, checkpoint }));
  await writeFile(path("acme-half"), '{"version":3,"checkp');
  await writeFile(path("acme-next"), '{"version":4,"checkpoint":{}}');
  for (const stack of ["acme-full", "acme-half", "acme-next", "acme-none"])
    expect(await removeStackFiles(backend, stack)).toBe("other");
  await expect(removeStack(place, "acme-none")).rejects.toMatchObject({ error: { kind: "not-found" } });
  expect(await files()).toEqual(
    expect.arrayContaining(["acme-full.json", "acme-half.json", "acme-next.json"]),
  );
});

test("a backend that is no folder is left to Pulumi", async () => {
  expect(await createStackFile("s3://mayfly-state?region=eu-west-1", "acme-etl")).toBe("other");
  expect(await removeStackFiles("s3://mayfly-state?region=eu-west-1", "acme-etl")).toBe("other");
});
