import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { UserError } from "../../base/errors.ts";
import { projectDir } from "../../base/paths.ts";
import { execute } from "../../base/process.ts";
import { findConnection, readConnection } from "../../jobs/run/environment.ts";
import { listRuns, run } from "../../jobs/run/index.ts";
import type { Connection } from "../../schema/connection.ts";
import { containing } from "../harness/expect.ts";
import { kubectl } from "../lab/pods.ts";
import { clicks } from "../unit/stream/clicks.ts";
import { jobFile } from "./run-process.ts";

let folder: string;
let lab: Connection;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-refused-"));
  lab = await readConnection(await findConnection(undefined));
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** The lab's connection with something wrong in it. */
async function broken(changes: Partial<Connection>): Promise<string> {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.json`);
  await writeFile(path, JSON.stringify({ ...lab, ...changes }));
  return path;
}

async function kubeconfig(change: (text: string) => string): Promise<string> {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.kubeconfig`);
  await writeFile(path, change(await readFile(lab.kubeconfig, "utf8")), { mode: 0o600 });
  return path;
}

async function refusal(job: string, connection?: string, runId?: string): Promise<UserError> {
  const error: unknown = await run(job, { connection, runId }).then(
    () => new Error("it ran"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw error;
  return error;
}

describe("refused before anything is made", () => {
  test("a script that is not in S3 names its URL", async () => {
    const file = "s3://demo-code/nowhere/app.py";
    const error = await refusal(await jobFile({ application: { kind: "python", file } }));
    expect(error).toMatchObject({ code: "input-not-found", path: file, exitCode: 66 });
  });

  test("wrong S3 credentials name the profile", async () => {
    const credentialsFile = join(folder, "credentials");
    await writeFile(credentialsFile, "[mayfly]\naws_access_key_id = nobody\naws_secret_access_key = wrong\n");
    const connection = await broken({ s3: { ...lab.s3, credentialsFile } });
    const file = "s3://demo-code/app.py";
    const error = await refusal(await jobFile({ application: { kind: "python", file } }), connection);
    expect(error).toMatchObject({ code: "s3-denied", exitCode: 77 });
    expect(error.message).toContain("mayfly");
  });

  test("an S3 store that is away", async () => {
    const connection = await broken({ s3: { ...lab.s3, endpoint: "http://127.0.0.1:9" } });
    const file = "s3://demo-code/app.py";
    const error = await refusal(await jobFile({ application: { kind: "python", file } }), connection);
    expect(error).toMatchObject({ code: "s3-unreachable", exitCode: 74 });
  });

  test("an unreachable API server", async () => {
    const path = await kubeconfig((text) => text.replace(/server: .*/g, "server: https://127.0.0.1:9"));
    const error = await refusal(await jobFile(), await broken({ kubeconfig: path }));
    expect(error).toMatchObject({ code: "cluster-unreachable", exitCode: 74 });
  });

  test("a namespace that is there and not ours is neither adopted nor deleted", async () => {
    const runId = `count-taken-${Date.now().toString(36)}`;
    const namespace = `demo-${runId}`;
    await kubectl(["create", "namespace", namespace]);
    try {
      const error = await refusal(await jobFile(), undefined, runId);
      expect(error).toMatchObject({ code: "namespace-taken", path: namespace });
      expect(await kubectl(["get", "namespace", namespace, "-o", "jsonpath={.status.phase}"])).toBe("Active");
    } finally {
      await kubectl(["delete", "namespace", namespace, "--wait=false"]);
    }
    expect((await listRuns()).some((row) => row.run === runId)).toBe(false);
  });

  test("an environment contract of another version", async () => {
    const contract = join(folder, "contract.json");
    await writeFile(contract, JSON.stringify({ apiVersion: "mayfly.dev/environment/v9" }));
    const error = await refusal(await jobFile(), await broken({ contract }));
    expect(error).toMatchObject({ code: "contract-version", path: contract });
  });

  test("a passphrase file that is not there", async () => {
    const passphraseFile = join(folder, "no-such-passphrase");
    const connection = await broken({ pulumi: { ...lab.pulumi, passphraseFile } });
    expect(await refusal(await jobFile(), connection)).toMatchObject({ code: "state-denied", exitCode: 77 });
  });

  test("a Pulumi that is not there", async () => {
    // A developer's shell may have one: `mayfly lab env` puts it there.
    vi.stubEnv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    const error = await refusal(await jobFile(), await broken({ path: [] }));
    expect(error).toMatchObject({ code: "tool-missing", exitCode: 69 });
  });

  test("`run --keep` of a stream, whose spec may come by a pipe, for it is read once", async () => {
    const spec = join(folder, "clicks.json");
    await writeFile(spec, JSON.stringify(clicks));
    const command = 'cat "$0" | "$1" run --keep /dev/stdin';
    const { code, stderr } = await execute("sh", ["-c", command, spec, join(projectDir, "bin", "mayfly")]);
    expect([code, stderr]).toEqual([64, containing("a stream goes on by itself")]);
  });
});
