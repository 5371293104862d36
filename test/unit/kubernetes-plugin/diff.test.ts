import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changes, formatPath, isWithin, parsePath } from "../../../lab/kubernetes-plugin/diff.ts";
import { isImmutable } from "../../../lab/kubernetes-plugin/immutable.ts";

const summary = (
  before: Parameters<typeof changes>[0],
  after: Parameters<typeof changes>[1],
): readonly string[] => changes(before, after).map(({ kind, path }) => `${kind} ${formatPath(path)}`);

describe("changes", () => {
  it("names each field that was added, dropped or changed", () => {
    const before = { metadata: { labels: { a: "1", b: "1" } }, spec: { replicas: 1 } };
    const after = { metadata: { labels: { a: "2", c: "1" } }, spec: { replicas: 1 } };
    expect(summary(before, after)).toEqual([
      "update metadata.labels.a",
      "delete metadata.labels.b",
      "add metadata.labels.c",
    ]);
  });

  it("looks into lists item by item", () => {
    expect(
      summary(
        { containers: [{ image: "spark:1" }, { image: "log:1" }] },
        { containers: [{ image: "spark:2" }] },
      ),
    ).toEqual(["update containers[0].image", "delete containers[1]"]);
  });

  it("counts a value that is not known yet as a change", () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    expect(summary({ data: { uid: "1" } }, { data: { uid: unknown } })).toEqual(["update data.uid"]);
  });

  it("finds none between an object and itself", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const copy = JSON.parse(JSON.stringify(value)) as Parameters<typeof changes>[0];
        expect(changes(copy, copy)).toEqual([]);
      }),
    );
  });
});

describe("paths", () => {
  it("are written as Pulumi writes them", () => {
    expect(formatPath(["metadata", "labels", "app.kubernetes.io/name"])).toBe(
      'metadata.labels["app.kubernetes.io/name"]',
    );
    expect(formatPath(["spec", "containers", 0, "image"])).toBe("spec.containers[0].image");
  });

  it("come apart as they were put together", () => {
    const key = fc.stringMatching(/^[a-zA-Z0-9./_-]{1,12}$/);
    fc.assert(
      fc.property(fc.array(fc.oneof(key, fc.nat(20)), { minLength: 1 }), (steps) => {
        fc.pre(steps.every((step) => step !== "*"));
        expect(parsePath(formatPath(["root", ...steps]))).toEqual(["root", ...steps]);
      }),
    );
  });

  it("lie within each of their beginnings, where * stands for any step", () => {
    expect(isWithin(["spec", "containers", 0, "image"], parsePath("spec.containers[*].image"))).toBe(true);
    expect(isWithin(["spec"], ["spec", "replicas"])).toBe(false);
  });
});

describe("isImmutable", () => {
  const none = { configMaps: false, secrets: false };
  const all = { configMaps: true, secrets: true };
  const of = (apiVersion: string, kind: string, path: string, mutability = none, more = {}): boolean =>
    isImmutable({ apiVersion, kind, ...more }, parsePath(path), mutability);

  it.each([
    ["v1", "ServiceAccount", "metadata.name"],
    ["v1", "ServiceAccount", "metadata.namespace"],
    ["v1", "ConfigMap", "data.mode"],
    ["v1", "Secret", "stringData.password"],
    ["v1", "Secret", "type"],
    ["v1", "Pod", "spec.containers[0].image"],
    ["v1", "PersistentVolumeClaim", "spec.accessModes[0]"],
    ["v1", "PersistentVolume", "spec.hostPath.path"],
    ["v1", "Service", "spec.clusterIP"],
    ["apps/v1", "Deployment", "spec.selector.matchLabels.app"],
    ["apps/v1", "StatefulSet", "spec.volumeClaimTemplates[0].spec.resources.requests.storage"],
    ["apps/v1", "StatefulSet", "spec.serviceName"],
    ["batch/v1", "Job", "spec.template.spec.containers[0].image"],
    ["rbac.authorization.k8s.io/v1", "RoleBinding", "roleRef.name"],
    ["storage.k8s.io/v1", "StorageClass", "provisioner"],
  ])("%s %s is replaced for a new %s", (apiVersion, kind, path) => {
    expect(of(apiVersion, kind, path)).toBe(true);
  });

  it.each([
    ["v1", "ConfigMap", "metadata.labels.tier"],
    ["v1", "Pod", "metadata.labels.tier"],
    ["v1", "Pod", "spec.tolerations[0]"],
    ["v1", "PersistentVolumeClaim", "spec.resources.requests.storage"],
    ["apps/v1", "Deployment", "spec.template.spec.containers[0].image"],
    ["apps/v1", "StatefulSet", "spec.replicas"],
    ["batch/v1", "Job", "spec.suspend"],
    ["rbac.authorization.k8s.io/v1", "RoleBinding", "subjects[0].name"],
    ["example.com/v1", "Mayfly", "spec.selector"],
  ])("%s %s takes a new %s in place", (apiVersion, kind, path) => {
    expect(of(apiVersion, kind, path)).toBe(false);
  });

  it("lets data change where the provider allows it, unless the object itself is immutable", () => {
    expect(of("v1", "ConfigMap", "data.mode", all)).toBe(false);
    expect(of("v1", "Secret", "data.password", all)).toBe(false);
    expect(of("v1", "Secret", "type", all)).toBe(true);
    expect(of("v1", "ConfigMap", "data.mode", all, { immutable: true })).toBe(true);
  });
});
