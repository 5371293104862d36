import { describe, expect, it } from "vitest";
import { parseJsonPath, query } from "../../../lab/kubernetes-plugin/await/json-path.ts";
import { parseWaitFor } from "../../../lab/kubernetes-plugin/await/wait-for.ts";

const pod = {
  metadata: { annotations: { "example.com/state": "on" } },
  status: {
    phase: "Running",
    ready: true,
    count: 3,
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Old", status: "False" },
    ],
  },
};

const state = (expression: string): string => {
  const parsed = parseWaitFor(expression);
  return "failure" in parsed ? parsed.failure : parsed.judge(pod, {}).state;
};

describe("JSONPath", () => {
  it.each([
    ["{.status.phase}", ["Running"]],
    [".status.phase", ["Running"]],
    ["status.phase", ["Running"]],
    ["{.status.conditions[0].type}", ["Ready"]],
    ["{.status.conditions[-1].type}", ["Old"]],
    ["{.status.conditions[*].type}", ["Ready", "Old"]],
    ['{.status.conditions[?(@.type=="Ready")].status}', ["True"]],
    ["{.metadata.annotations.example\\.com/state}", ["on"]],
    ["{.metadata.annotations['example.com/state']}", ["on"]],
    ["{.status.missing}", []],
  ])("%s matches %j", (path, expected) => {
    expect(query(pod, parseJsonPath(path) ?? [])).toEqual(expected);
  });

  it.each(["", "{.a[}", "{.a[?(@.b>1)]}", "{}"])("does not take %j for a path", (path) => {
    expect(parseJsonPath(path)).toBeUndefined();
  });
});

describe("waitFor", () => {
  it.each([
    "jsonpath={.status.phase}=Running",
    "jsonpath={.status.phase}",
    "jsonpath={.status.ready}=true",
    "jsonpath={.status.count}=3",
    'jsonpath={.status.conditions[?(@.type=="Ready")].status}=True',
    "condition=Ready",
    "condition=Old=False",
    "condition=Ready=true",
    '["condition=Ready", "jsonpath={.status.phase}=Running"]',
  ])("holds for %s", (expression) => {
    expect(state(expression)).toBe("ready");
  });

  it.each([
    "jsonpath={.status.phase}=Failed",
    "jsonpath={.status.missing}",
    "condition=Old",
    "condition=Missing",
    '["condition=Ready", "condition=Missing"]',
  ])("waits for %s", (expression) => {
    expect(state(expression)).toBe("pending");
  });

  it("fails for a path that matches several values", () => {
    expect(state("jsonpath={.status.conditions[*].type}=Ready")).toBe("failed");
  });

  it("refuses what is neither, and an empty list", () => {
    expect(state("status.phase=Running")).toContain('expected a "jsonpath=" or "condition=" prefix');
    expect(state("[]")).toBe("at least one condition must be specified");
    expect(state("[1]")).toBe("expected a JSON list of expressions");
    expect(state("jsonpath={.a[}")).toContain("not a JSONPath");
  });
});
