import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idOf, parseId, parseUrn } from "../../../lab/kubernetes-plugin/urn.ts";

const urn = (type: string): string => `urn:pulumi:dev::shop::mayfly:core:Run$${type}::web::front`;

describe("parseUrn", () => {
  it("reads the group, version, kind and name of a resource", () => {
    expect(parseUrn(urn("kubernetes:apps/v1:Deployment"))).toEqual({
      apiVersion: "apps/v1",
      kind: "Deployment",
      patch: false,
      name: "web::front",
    });
  });

  it("knows the core group by its API version", () => {
    expect(parseUrn(urn("kubernetes:core/v1:ConfigMap"))).toMatchObject({ apiVersion: "v1" });
  });

  it("tells a Patch resource from the kind that it patches", () => {
    expect(parseUrn(urn("kubernetes:core/v1:ConfigMapPatch"))).toMatchObject({
      kind: "ConfigMap",
      patch: true,
    });
    expect(parseUrn(urn("kubernetes:example.com/v1:Patch"))).toMatchObject({ kind: "Patch", patch: false });
  });

  it.each([
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:helm.sh/v4:Chart",
    "kubernetes:yaml/v2:ConfigGroup",
    "kubernetes:kustomize/v2:Directory",
    "pulumi:providers:kubernetes",
    "aws:s3/bucket:Bucket",
  ])("does not take %s for an object", (type) => {
    expect(parseUrn(urn(type))).toBeUndefined();
  });
});

describe("ids", () => {
  it("come apart as they were put together", () => {
    const name = fc.stringMatching(/^[a-z0-9.-]{1,20}$/);
    fc.assert(
      fc.property(fc.option(name, { nil: undefined }), name, (namespace, own) => {
        expect(parseId(idOf(namespace, own))).toEqual({ namespace, name: own });
      }),
    );
  });
});
