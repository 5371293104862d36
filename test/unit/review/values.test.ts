import { describe, expect, test } from "vitest";
import { joinNames } from "../../../review/names.ts";
import { pathSteps, propertiesOf, valueAt } from "../../../review/values.ts";
import { type Difference, type Json, SECRET, UNKNOWN } from "../../../simulation/types.ts";
import { stepOf } from "./sample.ts";

const changed = (from: Json, to: Json, kind: Difference["kind"] = "update") =>
  propertiesOf(
    stepOf({
      type: "aws:eks/nodeGroup:NodeGroup",
      name: "general-a",
      op: "update",
      differences: [{ path: "value", kind, replaces: false }],
      oldInputs: { value: from },
      newInputs: { value: to },
    }),
  )[0];

test("paths are split at dots and brackets, and not inside quotes", () => {
  expect(pathSteps('tags["mayfly.dev/pool"]')).toEqual(["tags", "mayfly.dev/pool"]);
  expect(pathSteps("taints[0].value")).toEqual(["taints", 0, "value"]);
  expect(pathSteps('["a \\"b\\""].c')).toEqual(['a "b"', "c"]);
});

test("values are found by their path, also in what is secret or not known yet", () => {
  const inputs = { spec: { replicas: 2, data: SECRET }, ids: UNKNOWN };
  expect(valueAt(inputs, "spec.replicas")).toBe(2);
  expect(valueAt(inputs, "spec.data.password")).toBe(SECRET);
  expect(valueAt(inputs, "ids[0]")).toBe(UNKNOWN);
  expect(valueAt(inputs, "spec.missing.more")).toBeUndefined();
});

describe("a property", () => {
  test("is shown with both values", () => {
    expect(changed(10, 20)).toEqual({ path: "value", from: "10", to: "20", replaces: false });
    expect(changed("1.33", "1.34")).toMatchObject({ from: "1.33", to: "1.34" });
    expect(changed("", "on")).toMatchObject({ from: '""', to: "on" });
    expect(changed(["a"], ["a", "b"])).toMatchObject({ from: '["a"]', to: '["a","b"]' });
  });

  test("that is new or taken away has one value", () => {
    expect(changed(null, 20, "add")).toMatchObject({ from: undefined, to: "20" });
    expect(changed(10, null, "delete")).toMatchObject({ from: "10", to: undefined });
  });

  test("that is a secret is never shown", () => {
    expect(changed(SECRET, SECRET)).toMatchObject({ from: "a secret", to: "a secret" });
  });

  test("that is known later says so", () => {
    expect(changed("vpc-1", UNKNOWN)).toMatchObject({ from: "vpc-1", to: "known once applied" });
  });

  test("that is long is cut to where it differs", () => {
    const document = (action: string): string =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: action, Resource: "arn:aws:s3:::acme/*" }],
      });
    const { from, to } = changed(document("s3:GetObject"), document("s3:PutObject")) ?? {};
    expect(from).toBe('…Action":"s3:GetObject","Re…');
    expect(to).toBe('…Action":"s3:PutObject","Re…');
  });

  test("that is base64 is shown as the text that it holds", () => {
    const data = (pods: number): string =>
      Buffer.from(`[kubelet]\nimage-gc = on\nnode-name = general\nmaxPods: ${pods}\n`).toString("base64");
    const { from, to } = changed(data(58), data(110)) ?? {};
    expect(from).toContain("maxPods: 58");
    expect(to).toContain("maxPods: 110");
  });
});

describe("names on one line", () => {
  test("are put together where they differ in a zone's letter", () => {
    expect(joinNames(["pool-general-us-east-1b", "pool-general-us-east-1a"])).toBe(
      "pool-general-us-east-1{a,b}",
    );
  });
  test("may differ in the middle", () => {
    expect(joinNames(["network-1a-nat", "network-1b-nat"])).toBe("network-1{a,b}-nat");
  });
  test("are listed where they differ otherwise, and counted where they are many", () => {
    expect(joinNames(["tenant-globex", "tenant-acme"])).toBe("tenant-acme, tenant-globex");
    expect(joinNames(["acme-a", "bolt-b", "corp-c", "dune-d", "echo-e"])).toBe(
      "acme-a, bolt-b, corp-c, dune-d and 1 more",
    );
    expect(joinNames(["logs"])).toBe("logs");
  });
});
