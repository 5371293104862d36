import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectDir } from "../../../../base/paths.ts";
import { buildFlags, fingerprint, versionOf } from "../../../../lab/tools/fingerprint.ts";
import { GO_TOOLS, type GoTool, requiredVersion } from "../../../../lab/tools/modules.ts";

const KUBERNETES_GO_MOD = `module mayfly/lab/kubernetes

go 1.26

require k8s.io/kubectl v0.34.3

require (
	k8s.io/kubernetes v1.34.3
	k8s.io/metrics v0.34.2 // indirect
)

replace (
	k8s.io/api => k8s.io/api v0.34.3
)
`;

const goMod = (module: string): string =>
  readFileSync(join(projectDir, "lab", "go", module, "go.mod"), "utf8");

describe("requiredVersion", () => {
  it.each([
    ["a one-line require", "k8s.io/kubectl", "v0.34.3"],
    ["a require in a block", "k8s.io/kubernetes", "v1.34.3"],
    ["an indirect one", "k8s.io/metrics", "v0.34.2"],
    ["nothing from a replacement", "k8s.io/api", undefined],
    ["nothing from the start of a longer path", "k8s.io/kube", undefined],
  ])("reads %s", (_case, module, version) => {
    expect(requiredVersion(KUBERNETES_GO_MOD, module)).toBe(version);
  });
});

describe("the table of Go tools", () => {
  const programs = Object.values<GoTool>(GO_TOOLS).flatMap((tool) =>
    tool.programs.map((program) => ({ tool: tool.name, ...program })),
  );

  it.each(programs)(
    "$output: its module folder is committed and requires the version's module",
    (program) => {
      expect(versionOf(program, { "go.mod": goMod(program.module) })).toMatch(/^v\d+\.\d+\.\d+/);
    },
  );

  it.each(programs.filter((program) => program.package !== "."))(
    "$output: its package is a tool line of go.mod, so that `go mod tidy` keeps what it needs",
    (program) => {
      expect(goMod(program.module)).toContain(program.package);
    },
  );

  it.each(programs.filter((program) => program.package === "."))(
    "$output: its main is committed",
    (program) => {
      expect(existsSync(join(projectDir, "lab", "go", program.module, "main.go"))).toBe(true);
    },
  );

  it("names tools as their keys do, so that no two share a cache folder", () => {
    for (const [key, tool] of Object.entries(GO_TOOLS)) expect(tool.name).toBe(key);
  });
});

describe("buildFlags", () => {
  it("gives Kubernetes the version of go.mod in both copies of its version package", () => {
    const [program] = GO_TOOLS.kubernetes.programs;
    const flags = buildFlags(program, { "go.mod": KUBERNETES_GO_MOD }).join(" ");
    expect(flags).toContain("-X k8s.io/component-base/version.gitVersion=v1.34.3");
    expect(flags).toContain("-X k8s.io/client-go/pkg/version.gitMinor=34");
    expect(flags).toContain("-mod=readonly");
  });

  it("refuses a go.mod that does not require the program's module", () => {
    const [program] = GO_TOOLS.etcd.programs;
    expect(() => buildFlags(program, { "go.mod": KUBERNETES_GO_MOD })).toThrow("go.etcd.io/etcd/server/v3");
  });
});

describe("fingerprint", () => {
  const linux = { os: "linux", arch: "x64" };
  const etcd: GoTool = {
    name: "etcd",
    programs: [
      { module: "etcd", package: ".", versionOf: undefined, output: "bin/etcd", tags: ["osusergo"] },
    ],
    takes: "35 s",
  };
  const files = { "go.mod": "module mayfly/lab/etcd", "go.sum": "sums", "main.go": "package main" };
  const original = fingerprint(etcd, { etcd: files }, linux);

  it("is 16 hex digits", () => {
    expect(original).toMatch(/^[0-9a-f]{16}$/);
  });

  it("does not depend on the order in which files are read", () => {
    const reversed = Object.fromEntries(Object.entries(files).reverse());
    expect(fingerprint(etcd, { etcd: reversed }, linux)).toBe(original);
  });

  it.each(["go.mod", "go.sum", "main.go"] as const)("changes with %s", (name) => {
    expect(fingerprint(etcd, { etcd: { ...files, [name]: "another text" } }, linux)).not.toBe(original);
  });

  it("changes with tags, links and platform", () => {
    const [program] = etcd.programs;
    const others = [
      fingerprint({ ...etcd, programs: program ? [{ ...program, tags: [] }] : [] }, { etcd: files }, linux),
      fingerprint({ ...etcd, links: { "bin/etcdctl": "etcd" } }, { etcd: files }, linux),
      fingerprint(etcd, { etcd: files }, { os: "linux", arch: "arm64" }),
    ];
    expect(new Set([original, ...others]).size).toBe(4);
  });

  it("does not change with what is only said to people", () => {
    expect(fingerprint({ ...etcd, takes: "an hour" }, { etcd: files }, linux)).toBe(original);
  });
});
