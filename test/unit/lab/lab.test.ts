import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { chooseKind } from "../../../lab/choose.ts";
import { connectionOf, environmentLines } from "../../../lab/connection.ts";
import { isOfLab, summarize } from "../../../lab/leftovers.ts";
import { labPaths } from "../../../lab/paths.ts";
import { kubernetesSdkVersion, pluginScript } from "../../../lab/pulumi.ts";
import { shellQuote } from "../../../lab/shell.ts";
import { Connection } from "../../../schema/connection.ts";

const paths = labPaths("/home/o'neil/state dir/lab");
const connection = connectionOf(paths, {
  pulumi: { bin: "/cache/my tools/pulumi", source: "built", version: "3.259.0" },
  kubernetesPlugin: { source: "stand-in", reason: "no network" },
  kubectl: "/cache/kubernetes/kubectl",
  s3Endpoint: "http://10.244.0.1:7070",
});

describe("choice of the kind of lab", () => {
  const host = { engine: undefined, platform: "linux", isRoot: true } as const;

  test("a container engine wins over processes", () => {
    expect(chooseKind({ ...host, engine: "podman" })).toEqual({ kind: "kind", engine: "podman" });
  });

  test("without one, root on Linux runs processes", () => {
    expect(chooseKind(host)).toEqual({ kind: "processes" });
  });

  test("the user's wish wins over both", () => {
    expect(chooseKind({ ...host, engine: "docker", wish: "processes" })).toEqual({ kind: "processes" });
  });

  test.each([
    [{ ...host, isRoot: false }, /Docker or Podman, or root/],
    [{ ...host, platform: "darwin" } as const, /Docker or Podman here/],
    [{ ...host, wish: "kind" }, /Docker or Podman here/],
    [{ ...host, wish: "minikube" }, /MAYFLY_LAB_KIND is 'minikube'/],
  ])("what is missing is said in one message: %o", (state, message) => {
    expect(() => chooseKind(state)).toThrow(message);
  });
});

describe("connection and environment", () => {
  test("the connection is a valid one", () => {
    expect(Connection.parse(connection)).toMatchObject({
      name: "lab",
      pulumi: { kubernetesPlugin: "stand-in" },
    });
  });

  test("a shell takes every value whole, blanks and quotes too", () => {
    const script = `${environmentLines(connection, paths.connection).join("\n")}
printf '%s\\n' "$PATH" "$KUBECONFIG" "$PULUMI_BACKEND_URL" "$MAYFLY_CONNECTION" "$AWS_PROFILE" "\${PULUMI_CONFIG_PASSPHRASE-unset}"`;
    const printed = execFileSync("/bin/sh", ["-c", script], {
      encoding: "utf8",
      env: { PATH: "/bin:/usr/bin", PULUMI_CONFIG_PASSPHRASE: "old" },
    });
    expect(printed.trimEnd().split("\n")).toEqual([
      "/cache/my tools/pulumi:/cache/kubernetes:/bin:/usr/bin",
      "/home/o'neil/state dir/lab/kubeconfig",
      "file:///home/o'neil/state dir/pulumi?metadata=skip",
      "/home/o'neil/state dir/lab/connection.json",
      "mayfly",
      "unset",
    ]);
  });

  test("words are quoted only where they must be", () => {
    expect([shellQuote("/plain/path-1.0"), shellQuote("a b"), shellQuote("o'neil"), shellQuote("")]).toEqual([
      "/plain/path-1.0",
      "'a b'",
      String.raw`'o'\''neil'`,
      "''",
    ]);
  });
});

describe("Kubernetes plugin", () => {
  test("it is offered in the version that the SDK asks for", () => {
    expect(kubernetesSdkVersion()).toMatch(/^4\.\d+\.\d+$/);
  });

  test("the official one is used from its own folder, the stand-in by the pinned Node", () => {
    expect(pluginScript({ source: "official", version: "4.34.2", folder: "/opt/plugin" })).toContain(
      'exec /opt/plugin/pulumi-resource-kubernetes "$@"',
    );
    expect(pluginScript({ source: "stand-in", reason: "" })).toMatch(
      /bin\/node \S+kubernetes-plugin\/main\.ts "\$@"/,
    );
  });
});

test("chains and pod interfaces alone are another Kubernetes', not the lab's to remove", () => {
  const none = {
    processes: [],
    mounts: [],
    interfaces: [],
    firewall: [],
    cgroups: [],
    sysctls: [],
    files: [],
  };
  const foreign = { ...none, firewall: ["iptables nat KUBE-SERVICES"], interfaces: ["cali0123456789a"] };
  expect(isOfLab(foreign)).toBe(false);
  expect(isOfLab({ ...foreign, interfaces: ["mayfly0"] })).toBe(true);
  expect(isOfLab({ ...foreign, files: ["/run/mayfly-lab"] })).toBe(true);
});

test("leftovers are counted by kind, and none is none", () => {
  const none = {
    processes: [],
    mounts: [],
    interfaces: [],
    firewall: [],
    cgroups: [],
    sysctls: [],
    files: [],
  };
  expect(summarize(none)).toBeUndefined();
  expect(summarize({ ...none, mounts: ["/a", "/b"], cgroups: ["/c"] })).toBe("2 mounts, 1 cgroups");
});
