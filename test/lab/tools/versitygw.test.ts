import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { childEnv, execute } from "../../../base/process.ts";
import { provideTools } from "../../../lab/tools/index.ts";

const ROOT = { accessKeyId: "mayfly-root", secretAccessKey: "root-secret-of-this-test" };
const TENANT = { accessKeyId: "tenant-acme", secretAccessKey: "acme-secret-of-this-test" };

let folder: string;
let binary: string;
let server: ChildProcess;
let endpoint: string;
let root: S3Client;
let tenant: S3Client;

const client = (credentials: typeof ROOT): S3Client =>
  new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials, maxAttempts: 1 });

/** The HTTP status of a request that must fail. */
async function statusOf(request: Promise<unknown>): Promise<number | undefined> {
  const error: unknown = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  const metadata: unknown = error.$metadata;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const keys = async (bucket: string): Promise<string[]> =>
  ((await root.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).map(
    ({ Key }) => Key ?? "",
  );

const writeAccounts = (accounts: readonly (typeof ROOT)[]): void => {
  const accessAccounts: Record<string, unknown> = {};
  for (const { accessKeyId: access, secretAccessKey: secret } of accounts) {
    accessAccounts[access] = { access, secret, role: "user" };
  }
  writeFileSync(join(folder, "accounts", "users.json"), JSON.stringify({ accessAccounts }), { mode: 0o600 });
};

beforeAll(async () => {
  ({ versitygw: binary } = await provideTools(["store"]));
  // Not below /tmp, which may be a tmpfs without extended attributes.
  mkdirSync(join(homedir(), ".cache", "mayfly"), { recursive: true });
  folder = mkdtempSync(join(homedir(), ".cache", "mayfly", "versitygw-test-"));
  mkdirSync(join(folder, "accounts"));
  writeAccounts([TENANT]);
  const ports = [await freePort(), await freePort()] as const;
  endpoint = `http://127.0.0.1:${ports[1]}`;
  const credentials = join(folder, "credentials");
  writeFileSync(
    credentials,
    `ROOT_ACCESS_KEY_ID=${ROOT.accessKeyId}\nROOT_SECRET_ACCESS_KEY=${ROOT.secretAccessKey}\n`,
    { mode: 0o600 },
  );
  const args = ports.flatMap((port) => ["--port", `127.0.0.1:${port}`]);
  server = spawn(
    binary,
    [
      ...args,
      ...["--quiet", "--credentials-file", credentials, "--iam-dir", join(folder, "accounts")],
      ...["--access-log", join(folder, "access.log")],
      ...["posix", "--versioning-dir", join(folder, "versions"), join(folder, "data")],
    ],
    { env: childEnv(), stdio: "inherit" },
  );
  for (const port of ports) await untilHealthy(`http://127.0.0.1:${port}/health`);
  root = client(ROOT);
  tenant = client(TENANT);
  await root.send(new CreateBucketCommand({ Bucket: "acme-output" }));
  await root.send(new CreateBucketCommand({ Bucket: "globex-output" }));
});

afterAll(async () => {
  if (server.exitCode === null) {
    server.kill("SIGTERM");
    await once(server, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
});

async function untilHealthy(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not answer`);
}

describe("deleting a directory that was never put, as S3A of Hadoop 3.3 does after each write", () => {
  const put = (Key: string): Promise<unknown> =>
    root.send(new PutObjectCommand({ Bucket: "acme-output", Key, Body: "42" }));

  it("succeeds and leaves the objects below it", async () => {
    await put("counts/year=2026/part-0000.parquet");
    for (const Key of ["counts/year=2026/", "counts/", "nothing/here/"]) {
      const { $metadata } = await root.send(new DeleteObjectCommand({ Bucket: "acme-output", Key }));
      expect($metadata.httpStatusCode).toBe(204);
    }
    expect(await keys("acme-output")).toEqual(["counts/year=2026/part-0000.parquet"]);
  });

  it("succeeds in a bulk delete, which deletes the objects named beside it", async () => {
    await put("bulk/a/part-0000");
    await put("bulk/part-0001");
    const { Deleted, Errors } = await root.send(
      new DeleteObjectsCommand({
        Bucket: "acme-output",
        Delete: { Objects: [{ Key: "bulk/part-0001" }, { Key: "bulk/a/" }, { Key: "bulk/" }] },
      }),
    );
    expect(Errors ?? []).toEqual([]);
    expect((Deleted ?? []).map(({ Key }) => Key).sort()).toEqual(["bulk/", "bulk/a/", "bulk/part-0001"]);
    expect(await keys("acme-output")).toContain("bulk/a/part-0000");
  });

  it("still removes a directory marker that was put", async () => {
    await root.send(new PutObjectCommand({ Bucket: "acme-output", Key: "marker/", Body: Buffer.alloc(0) }));
    await put("marker/part-0000");
    expect(await keys("acme-output")).toContain("marker/");
    await root.send(new DeleteObjectCommand({ Bucket: "acme-output", Key: "marker/" }));
    expect(await keys("acme-output")).not.toContain("marker/");
    expect(await keys("acme-output")).toContain("marker/part-0000");
  });
});

describe("a tenant's account", () => {
  const write = (Bucket: string): Promise<unknown> =>
    tenant.send(new PutObjectCommand({ Bucket, Key: "result.txt", Body: "done" }));

  it("reaches a bucket only by the bucket's policy", async () => {
    expect(await statusOf(write("acme-output"))).toBe(403);
    const resources = ["arn:aws:s3:::acme-output", "arn:aws:s3:::acme-output/*"];
    const policy = {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: [TENANT.accessKeyId] }, Action: "s3:*", Resource: resources },
      ],
    };
    await root.send(new PutBucketPolicyCommand({ Bucket: "acme-output", Policy: JSON.stringify(policy) }));
    await write("acme-output");
    const { Body } = await tenant.send(new GetObjectCommand({ Bucket: "acme-output", Key: "result.txt" }));
    expect(await Body?.transformToString()).toBe("done");
  });

  it("can't read, write or list another tenant's bucket, nor make one", async () => {
    expect(await statusOf(write("globex-output"))).toBe(403);
    expect(await statusOf(tenant.send(new ListObjectsV2Command({ Bucket: "globex-output" })))).toBe(403);
    expect(await statusOf(tenant.send(new CreateBucketCommand({ Bucket: "acme-private" })))).toBe(403);
  });

  it("is refused with a wrong secret", async () => {
    const impostor = client({ ...TENANT, secretAccessKey: "guessed" });
    expect(await statusOf(impostor.send(new ListObjectsV2Command({ Bucket: "acme-output" })))).toBe(403);
  });

  it("loses access with the next request after it is taken out of users.json", async () => {
    writeAccounts([]);
    expect(await statusOf(write("acme-output"))).toBe(403);
    writeAccounts([TENANT]);
    await write("acme-output");
  });
});

describe("the server", () => {
  it("keeps old versions where a bucket asks for it", async () => {
    await root.send(
      new PutBucketVersioningCommand({
        Bucket: "globex-output",
        VersioningConfiguration: { Status: "Enabled" },
      }),
    );
    const put = (Body: string) =>
      root.send(new PutObjectCommand({ Bucket: "globex-output", Key: "report.json", Body }));
    const first = await put("first");
    await put("second");
    const { Body } = await root.send(
      new GetObjectCommand({ Bucket: "globex-output", Key: "report.json", VersionId: first.VersionId }),
    );
    expect(await Body?.transformToString()).toBe("first");
  });

  it("does not show its credentials to other users of the machine", async () => {
    const { stdout } = await execute("ps", ["-o", "args=", "-p", String(server.pid)]);
    expect(stdout).toContain("--credentials-file");
    expect(stdout).not.toContain(ROOT.secretAccessKey);
  });

  it.each([
    ["no credentials", ["--port", "127.0.0.1:0", "posix", "/nowhere"], "no root credentials"],
    ["no data folder", ["--port", "127.0.0.1:0"], "posix DATA-FOLDER"],
    ["a relative path", ["--port", "127.0.0.1:0", "posix", "data"], "absolute"],
  ])("refuses %s with a message", async (_case, args, message) => {
    const { code, stderr } = await execute(binary, args);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  it("ends at once and with 0 on SIGTERM", async () => {
    server.kill("SIGTERM");
    const ended: readonly unknown[] = await once(server, "exit");
    expect(ended[0]).toBe(0);
  });
});
