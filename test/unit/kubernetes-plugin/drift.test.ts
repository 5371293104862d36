import { describe, expect, it } from "vitest";
import { inputsOfLive, inputsWithDrift } from "../../../lab/kubernetes-plugin/drift.ts";

describe("inputsWithDrift", () => {
  it("keeps the program's spelling of a value that the server writes in another way", () => {
    const inputs = { spec: { hard: { cpu: "2000m" } } };
    const live = { spec: { hard: { cpu: "2" } }, status: {} };
    expect(inputsWithDrift(inputs, live, { ...live, status: { hard: {} } })).toEqual(inputs);
  });

  it("takes a value that has changed since the last update", () => {
    const inputs = { spec: { replicas: 1, paused: false } };
    const before = { spec: { replicas: 1, paused: false, defaulted: 1 } };
    const now = { spec: { replicas: 3, paused: false, defaulted: 2 } };
    expect(inputsWithDrift(inputs, before, now)).toEqual({ spec: { replicas: 3, paused: false } });
  });

  it("drops what was removed, and ignores what others added", () => {
    const inputs = { metadata: { labels: { a: "1", b: "1" } } };
    const now = { metadata: { labels: { a: "1", c: "1" } } };
    expect(inputsWithDrift(inputs, inputs, now)).toEqual({ metadata: { labels: { a: "1" } } });
  });

  it("keeps what is written but never comes back", () => {
    const inputs = { spec: { once: "x" } };
    expect(inputsWithDrift(inputs, { spec: {} }, { spec: { other: 1 } })).toEqual(inputs);
  });

  it("compares the items of a list one by one while none is added", () => {
    const inputs = { ports: [{ port: 80 }, { port: 81 }] };
    const before = {
      ports: [
        { port: 80, protocol: "TCP" },
        { port: 81, protocol: "TCP" },
      ],
    };
    const now = {
      ports: [
        { port: 80, protocol: "TCP" },
        { port: 82, protocol: "TCP" },
      ],
    };
    expect(inputsWithDrift(inputs, before, now)).toEqual({ ports: [{ port: 80 }, { port: 82 }] });
  });

  it("takes a list that grew or shrank as it is, in the shape of the inputs", () => {
    const inputs = { ports: [{ port: 80 }] };
    const before = { ports: [{ port: 80, protocol: "TCP" }] };
    const now = {
      ports: [
        { port: 80, protocol: "TCP" },
        { port: 81, protocol: "TCP" },
      ],
    };
    expect(inputsWithDrift(inputs, before, now)).toEqual({
      ports: [{ port: 80 }, { port: 81, protocol: "TCP" }],
    });
  });

  it("finds drift of a Secret's stringData in its data", () => {
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    const inputs = { stringData: { user: "demo", password: "old" } };
    const before = { data: { user: base64("demo"), password: base64("old") } };
    const now = { data: { user: base64("demo"), password: base64("new") } };
    expect(inputsWithDrift(inputs, before, now)).toEqual({ stringData: { user: "demo", password: "new" } });
  });
});

describe("inputsOfLive", () => {
  it("describes an object without what only the server writes", () => {
    const live = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: "settings",
        uid: "1",
        resourceVersion: "7",
        managedFields: [],
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" },
      },
      data: { mode: "fast" },
      status: {},
    };
    expect(inputsOfLive(live)).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings" },
      data: { mode: "fast" },
    });
  });
});
