import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Artifact } from "../../../../lab/tools/choice.ts";
import { NotAvailable, openArtifact, unpackArtifact } from "../../../../lab/tools/download.ts";

let root: string;
let server: Server;
let base: string;
/** What the server answers by path; a path without entry is a 404, `silence` never answers. */
let files: Map<string, Buffer | "silence">;

const ARCHIVE = "pulumi-v3.270.0-linux-x64.tar.gz";
const target = (): string => join(root, "unpacked");
const artifact = (change: Partial<Artifact> = {}): Artifact => ({
  name: ARCHIVE,
  url: `${base}/${ARCHIVE}`,
  checksums: `${base}/checksums.txt`,
  checksumsRequired: true,
  strip: 1,
  ...change,
});

const fetching = async (change?: Partial<Artifact>): Promise<unknown> => {
  const opened = await openArtifact(artifact(change));
  await unpackArtifact(opened, target(), () => undefined);
  return opened.expected;
};

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "mayfly-download-"));
  mkdirSync(join(root, "pulumi"));
  writeFileSync(join(root, "pulumi", "pulumi"), "#!/bin/sh\n", { mode: 0o755 });
  execFileSync("tar", ["-czf", join(root, ARCHIVE), "-C", root, "pulumi"]);
  const archive = readFileSync(join(root, ARCHIVE));
  const sum = createHash("sha256").update(archive).digest("hex");
  files = new Map([
    [`/${ARCHIVE}`, archive],
    ["/checksums.txt", Buffer.from(`${sum}  ${ARCHIVE}\n`)],
  ]);
  server = createServer((request, response) => {
    const file = files.get(request.url ?? "");
    if (file === "silence") return;
    response.writeHead(file === undefined ? 404 : 200).end(file);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

describe("openArtifact and unpackArtifact", () => {
  it("unpacks what has the published checksum, and keeps no archive", async () => {
    expect(await fetching()).toMatchObject({ algorithm: "sha256" });
    expect(readFileSync(join(target(), "pulumi"), "utf8")).toBe("#!/bin/sh\n");
    expect(existsSync(join(target(), "archive.tar.gz"))).toBe(false);
  });

  it("refuses what is not what was published", async () => {
    files.set("/checksums.txt", Buffer.from(`${"0".repeat(64)}  ${ARCHIVE}\n`));
    await expect(fetching()).rejects.toThrow(/not what was published/);
    expect(existsSync(join(target(), "pulumi"))).toBe(false);
  });

  it("refuses an archive that the published list does not name", async () => {
    files.set("/checksums.txt", Buffer.from(`${"0".repeat(64)}  another.tar.gz\n`));
    await expect(fetching({ checksumsRequired: false })).rejects.toThrow(/names no pulumi/);
  });

  it("does without a list only where none is promised", async () => {
    files.delete("/checksums.txt");
    await expect(fetching()).rejects.toThrow(NotAvailable);
    expect(await fetching({ checksumsRequired: false })).toBeUndefined();
    expect(existsSync(join(target(), "pulumi"))).toBe(true);
  });

  it.each([
    ["a file that is not there", () => files.delete(`/${ARCHIVE}`), /127\.0\.0\.1:\d+ answers 404/],
    ["a server that is gone", () => server.close(), /refuses connections/],
    [
      "something else than an archive",
      () => files.set(`/${ARCHIVE}`, Buffer.from("<html>")),
      /can't be unpacked/,
    ],
  ])("gives the reason for %s", async (_case, spoil, reason) => {
    spoil();
    const list = { checksumsRequired: false, checksums: `${base}/none` };
    await expect(fetching(list)).rejects.toThrow(reason);
  });

  it("waits three seconds for a server that does not answer, no longer", async () => {
    files.set(`/${ARCHIVE}`, "silence");
    const started = performance.now();
    await expect(fetching()).rejects.toThrow(/does not answer/);
    expect(performance.now() - started).toBeLessThan(4500);
  });
});
