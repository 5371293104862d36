import { describe, expect, it } from "vitest";
import { bodyOf, mergePatch, previewOf, withIgnored } from "../../../lab/kubernetes-plugin/body.ts";

describe("bodyOf", () => {
  it("sends a Secret's text as data, which wins over data of the same key", () => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      data: { a: "eA==", b: "eQ==" },
      stringData: { a: "z" },
    };
    expect(bodyOf(secret)).toEqual({ apiVersion: "v1", kind: "Secret", data: { a: "eg==", b: "eQ==" } });
  });

  it("leaves every other object as it is", () => {
    const object = { apiVersion: "example.com/v1", kind: "Secret", stringData: { a: "z" } };
    expect(bodyOf(object)).toBe(object);
  });
});

describe("withIgnored", () => {
  const live = {
    metadata: {
      managedFields: [
        { manager: "autoscaler", operation: "Update", fieldsV1: { "f:spec": { "f:replicas": {} } } },
        { manager: "ours", operation: "Apply", fieldsV1: { "f:spec": { "f:paused": {} } } },
      ],
    },
    spec: { replicas: 5, paused: true },
  };
  const body = { spec: { replicas: 1, paused: false } };

  it("leaves out an ignored field that somebody else owns", () => {
    expect(withIgnored(body, live, ["spec.replicas"], "ours")).toEqual({ spec: { paused: false } });
  });

  it("keeps the live value of an ignored field of our own", () => {
    expect(withIgnored(body, live, ["spec.paused"], "ours")).toEqual({ spec: { replicas: 1, paused: true } });
  });

  it("does not touch what is not there", () => {
    expect(withIgnored(body, live, ["spec.template", "spec.list[0]"], "ours")).toEqual(body);
  });
});

describe("mergePatch", () => {
  it("says only what differs, and null for what is gone", () => {
    expect(mergePatch({ a: 1, b: { c: 1, d: 1 }, e: [1] }, { a: 1, b: { c: 2 }, e: [1, 2] })).toEqual({
      b: { c: 2, d: null },
      e: [1, 2],
    });
  });
});

describe("previewOf", () => {
  it("leaves out what the real run will give anew, unless the program sets it", () => {
    const object = { metadata: { uid: "1", name: "web" }, spec: { clusterIP: "10.96.0.7" }, status: {} };
    expect(previewOf(object, {})).toEqual({ metadata: { name: "web" }, spec: {} });
    expect(previewOf(object, { spec: { clusterIP: "10.96.0.7" } })).toMatchObject({
      spec: { clusterIP: "10.96.0.7" },
    });
  });
});
