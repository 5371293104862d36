import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { checkBackend, checkEnded, checkProcesses, checkUpdaters } from "../../faults/invariants.ts";
import { millicores } from "../../faults/room.ts";

const write = (holder: string, status: number | "lost" = 201) => ({
  holder,
  status: status === "lost" ? undefined : status,
  method: "POST",
  path: `/api/v1/namespaces/acme-etl-1/configmaps?by=${holder}`,
  name: "config",
  agent: "a-plugin",
});

const lease = (holder: string) => ({
  ...write(holder),
  method: "PUT",
  path: "/apis/coordination.k8s.io/v1/namespaces/tenant-acme/leases/etl-1",
  name: undefined,
});

const broken = (writes: readonly ReturnType<typeof write | typeof lease>[]) =>
  checkUpdaters(writes, [{ run: "etl-1" }]).broken;

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "mayfly-invariants-"));
  onTestFinished(async () => {
    await rm(made, { recursive: true });
  });
  return made;
}

test("one holder after the other is one updater at a time, with a lease or without one", () => {
  expect(broken([write("first"), write("first"), write("successor")])).toEqual([]);
  expect(
    broken([
      lease("first"),
      write("first"),
      lease("first"),
      lease("second"),
      write("second"),
      write("successor"),
    ]),
  ).toEqual([]);
});

test("a write of who was succeeded is told, with what it wrote", () => {
  expect(broken([write("first"), write("successor"), write("first")])).toEqual([
    "first wrote after successor had begun: POST /api/v1/namespaces/acme-etl-1/configmaps?by=first (a-plugin)",
  ]);
});

test("a write of who has lost the lease is told; who has it again may write again", () => {
  expect(
    broken([lease("first"), write("first"), lease("second"), write("first"), lease("first"), write("first")]),
  ).toEqual([
    "first wrote while second had the lease: POST /api/v1/namespaces/acme-etl-1/configmaps?by=first (a-plugin)",
  ]);
});

test("refused and lost writes are no updates, and other runs' are not asked about", () => {
  const writes = [
    write("first"),
    write("successor", 409),
    write("successor", "lost"),
    { ...write("successor"), path: "/api/v1/namespaces", name: "acme-etl-2" },
    write("first"),
    { ...write("successor"), path: "/api/v1/namespaces", name: "acme-etl-1" },
  ];
  expect(broken(writes)).toEqual([]);
});

test("a lock, a stack and old copies of one are told; the backend's own file is not", async () => {
  const backend = await folder();
  for (const path of [
    ".pulumi/locks/organization/mayfly-job/etl",
    ".pulumi/stacks/mayfly-job",
    ".pulumi/backups",
  ])
    await mkdir(join(backend, path), { recursive: true });
  await writeFile(join(backend, ".pulumi", "meta.yaml"), "version: 1");
  expect((await checkBackend({ backend })).broken).toEqual([]);
  await writeFile(join(backend, ".pulumi/locks/organization/mayfly-job/etl/1.json"), "{}");
  await writeFile(join(backend, ".pulumi/stacks/mayfly-job/etl.json"), "{}");
  await writeFile(join(backend, ".pulumi/backups/etl.json.bak"), "{}");
  expect((await checkBackend({ backend })).broken).toHaveLength(3);
});

test("a process that lives on is told by its mark", async () => {
  const mark = { name: "TMPDIR", value: await folder() };
  const child = spawn("sleep", ["60"], { env: { PATH: process.env["PATH"] ?? "", TMPDIR: mark.value } });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  expect((await checkProcesses({ mark }, 0)).broken).toEqual([expect.stringContaining("sleep 60")]);
  expect((await checkProcesses({ mark: { ...mark, value: "/other" } }, 0)).broken).toEqual([]);
});

test("a run that is still at work in the ledger, or left something, has not ended as it should", () => {
  const rows = [
    { run: "etl-1", state: "succeeded", left: [] },
    { run: "etl-2", state: "destroying", left: [] },
    { run: "etl-3", state: "failed", left: ["Namespace acme-etl-3"] },
  ] as const;
  expect(checkEnded(rows).broken).toEqual([
    "etl-2 is destroying in the ledger",
    "etl-3 left Namespace acme-etl-3",
  ]);
});

test.each([
  ["2", 2000],
  ["250m", 250],
  ["0.5", 500],
  [undefined, 0],
])("%s of CPU is %d millicores", (quantity, expected) => {
  expect(millicores(quantity)).toBe(expected);
});
