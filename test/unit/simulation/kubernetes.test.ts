import { describe, expect, test } from "vitest";
import type { JsonRecord } from "../../../simulation/json.ts";
import { clusterOf } from "../../../simulation/plugins/kubernetes/kubeconfig.ts";
import { createKubernetesProvider } from "../../../simulation/plugins/kubernetes/provider.ts";
import { UNKNOWN_VALUE } from "../../../simulation/wire.ts";

const urn = (type: string, name: string): string => `urn:pulumi:prod::acme::kubernetes:${type}::${name}`;

const provider = createKubernetesProvider();

const replaced = (type: string, olds: JsonRecord, news: JsonRecord): readonly string[] =>
  provider
    .diff(urn(type, "x"), olds, news)
    .changes.filter(({ replaces }) => replaces)
    .map(({ path }) => path.join("."));

describe("objects in the simulated cluster", () => {
  test("get a name that follows from the program, and keep it", () => {
    const type = urn("core/v1:ConfigMap", "settings");
    const first = provider.check(type, {}, { data: {} });
    expect(first).toMatchObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: expect.stringMatching(/^settings-[0-9a-f]{8}$/) as unknown, namespace: "default" },
    });
    expect(provider.check(type, {}, { data: {} })).toEqual(first);
    expect(provider.check(type, first, { data: { a: "b" } })).toMatchObject({ metadata: first["metadata"] });
  });

  test("get no namespace where their kind has none, or where nobody knows", () => {
    for (const type of [
      "core/v1:Namespace",
      "storage.k8s.io/v1:StorageClass",
      "operator.tigera.io/v1:Installation",
    ])
      expect(provider.check(urn(type, "acme"), {}, { metadata: { name: "acme" } })["metadata"]).toEqual({
        name: "acme",
      });
  });

  test("are replaced for what the API server refuses to change", () => {
    expect(
      replaced("batch/v1:Job", { spec: { template: { a: 1 } } }, { spec: { template: { a: 2 } } }),
    ).toEqual(["spec.template.a"]);
    expect(
      replaced(
        "apps/v1:StatefulSet",
        { spec: { serviceName: "a", replicas: 1 } },
        { spec: { serviceName: "b", replicas: 2 } },
      ),
    ).toEqual(["spec.serviceName"]);
    expect(replaced("apps/v1:Deployment", { spec: { replicas: 1 } }, { spec: { replicas: 2 } })).toEqual([]);
  });

  test("ConfigMaps and Secrets are replaced unless the provider is told that they may change", () => {
    const data = (value: string): JsonRecord => ({ data: { key: value } });
    expect(replaced("core/v1:ConfigMap", data("a"), data("b"))).toEqual(["data.key"]);
    const mutable = createKubernetesProvider();
    mutable.configure({ enableConfigMapMutable: true });
    const { changes } = mutable.diff(urn("core/v1:ConfigMap", "x"), data("a"), data("b"));
    expect(changes.map(({ replaces }) => replaces)).toEqual([false]);
  });

  test("a node that is looked up has allocatable resources, and the same ones each time", () => {
    const read = (): JsonRecord =>
      provider.read(urn("core/v1:Node", "node"), "mayfly-lab", {}, {}).properties;
    expect(read()).toMatchObject({
      kind: "Node",
      metadata: { name: "mayfly-lab" },
      status: { allocatable: { cpu: "7910m", memory: "29Gi" } },
    });
    expect(read()).toEqual(read());
  });
});

describe("the cluster of a provider", () => {
  const kubeconfig = (server: string): string =>
    JSON.stringify({
      "current-context": "acme",
      contexts: [{ name: "acme", context: { cluster: "acme", user: "admin" } }],
      clusters: [{ name: "acme", cluster: { server } }],
    });

  test("is the server of the current context, in JSON and in YAML", () => {
    expect(clusterOf({ kubeconfig: kubeconfig("https://acme") })).toBe("https://acme");
    const yaml = `current-context: acme
contexts: [{name: acme, context: {cluster: acme}}]
clusters: [{name: acme, cluster: {server: "https://acme"}}]
`;
    expect(clusterOf({ kubeconfig: yaml })).toBe("https://acme");
  });

  test("is not known of a path, or of a kubeconfig that is still to come", () => {
    expect(clusterOf({ kubeconfig: "/etc/kubernetes/admin.conf" })).toBeUndefined();
    expect(clusterOf({ kubeconfig: UNKNOWN_VALUE })).toBeUndefined();
  });

  test("another one replaces the provider, other credentials do not", () => {
    const replaces = (before: string, after: string): boolean =>
      provider
        .diffConfig({ kubeconfig: before }, { kubeconfig: after })
        .changes.some((change) => change.replaces);
    expect(replaces(kubeconfig("https://acme"), kubeconfig("https://other"))).toBe(true);
    expect(replaces(kubeconfig("https://acme"), kubeconfig("https://acme").replace("admin", "ops"))).toBe(
      false,
    );
  });
});
