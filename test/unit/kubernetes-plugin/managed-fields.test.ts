import { describe, expect, it } from "vitest";
import { ownerOf, takeOver } from "../../../lab/kubernetes-plugin/managed-fields.ts";

const entry = (manager: string, operation: string, fieldsV1: object, more: object = {}): object => ({
  manager,
  operation,
  apiVersion: "v1",
  fieldsType: "FieldsV1",
  fieldsV1,
  ...more,
});
const object = (...managedFields: object[]): Parameters<typeof takeOver>[0] =>
  JSON.parse(JSON.stringify({ metadata: { managedFields } })) as Parameters<typeof takeOver>[0];

describe("takeOver", () => {
  it("turns what a create wrote under our name into an apply entry, so that dropped fields go", () => {
    const created = object(entry("pulumi-kubernetes-1", "Update", { "f:data": { "f:a": {} } }));
    expect(takeOver(created, "pulumi-kubernetes-1")).toEqual([
      entry("pulumi-kubernetes-1", "Apply", { "f:data": { "f:a": {} } }),
    ]);
  });

  it("joins it with what we apply already, and leaves others' entries as they are", () => {
    const theirs = entry("kube-controller-manager", "Update", { "f:status": {} }, { subresource: "status" });
    const mixed = object(
      theirs,
      entry("pulumi-kubernetes", "Update", { "f:data": { "f:a": {} } }),
      entry("ours", "Apply", { "f:data": { "f:b": {} } }),
    );
    expect(takeOver(mixed, "ours")).toEqual([
      theirs,
      entry("ours", "Apply", { "f:data": { "f:a": {}, "f:b": {} } }),
    ]);
  });

  it("has nothing to do once all is applied", () => {
    expect(takeOver(object(entry("ours", "Apply", {})), "ours")).toBeUndefined();
    expect(takeOver(object(entry("kubectl", "Apply", {})), "ours")).toBeUndefined();
    expect(takeOver({}, "ours")).toBeUndefined();
  });
});

describe("ownerOf", () => {
  const shared = object(
    entry("ours", "Apply", { "f:spec": { "f:paused": {} } }),
    entry("autoscaler", "Update", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" }),
  );

  it("tells whose a field is", () => {
    expect(ownerOf(shared, ["spec", "paused"], "ours")).toBe("ours");
    expect(ownerOf(shared, ["spec", "replicas"], "ours")).toBe("theirs");
    expect(ownerOf(shared, ["spec", "strategy"], "ours")).toBe("nobody");
  });
});
