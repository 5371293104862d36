import { describe, expect, test } from "vitest";
import { readUrn, translateEvent } from "../../../jobs/engine/events.ts";

const urn =
  "urn:pulumi:demo-pi::mayfly-job::mayfly:spark:SparkCluster$kubernetes:core/v1:ConfigMap::spark-files";
const metadata = { op: "create", urn, type: "kubernetes:core/v1:ConfigMap", provider: "" } as const;
const frame = { sequence: 1, timestamp: 1 };

describe("engine events in our words", () => {
  test("a URN is a kind and a name, also where the name holds the separator", () => {
    expect(readUrn(urn)).toEqual({ kind: "kubernetes:core/v1:ConfigMap", name: "spark-files" });
    expect(readUrn("urn:pulumi:s::p::a:b:C::one::two")).toEqual({ kind: "a:b:C", name: "one::two" });
  });

  test("a resource starts, is done, fails", () => {
    const of = { kind: "kubernetes:core/v1:ConfigMap", name: "spark-files", operation: "create" };
    expect(translateEvent({ ...frame, resourcePreEvent: { metadata } })).toEqual({ type: "started", ...of });
    expect(translateEvent({ ...frame, resOutputsEvent: { metadata } })).toEqual({ type: "done", ...of });
    expect(translateEvent({ ...frame, resOpFailedEvent: { metadata, status: 1, steps: 1 } })).toEqual({
      type: "failed",
      ...of,
    });
  });

  test("the stack and its providers are not resources that people see", () => {
    const stack = { ...metadata, urn: "urn:pulumi:s::mayfly-job::pulumi:pulumi:Stack::mayfly-job-s" };
    expect(translateEvent({ ...frame, resourcePreEvent: { metadata: stack } })).toBeUndefined();
  });

  test("a diagnostic loses its colour marks and names its resource", () => {
    const diagnosticEvent = {
      urn,
      message: "<{%fg 1%}>is forbidden: exceeded quota<{%reset%}>\n",
      color: "never",
      severity: "error",
    } as const;
    expect(translateEvent({ ...frame, diagnosticEvent })).toEqual({
      type: "diagnostic",
      severity: "error",
      message: "is forbidden: exceeded quota",
      resource: { kind: "kubernetes:core/v1:ConfigMap", name: "spark-files" },
    });
  });

  test("a broken rule names its resource, where it is about one", () => {
    const policyEvent = {
      message: "<{%fg 1%}>Name images by digest.\nspec.image is acme/spark:4.0.1<{%reset%}>\n",
      color: "never",
      policyName: "images-by-digest",
      policyPackName: "mayfly",
      policyPackVersion: "0.1.0",
      policyPackVersionTag: "0.1.0",
      enforcementLevel: "mandatory",
    } as const;
    const told = {
      type: "policy",
      mandatory: true,
      policy: "images-by-digest",
      message: "Name images by digest.\nspec.image is acme/spark:4.0.1",
    };
    expect(translateEvent({ ...frame, policyEvent: { ...policyEvent, resourceUrn: urn } })).toEqual({
      ...told,
      resource: { kind: "kubernetes:core/v1:ConfigMap", name: "spark-files" },
    });
    const stack = "urn:pulumi:s::mayfly-job::pulumi:pulumi:Stack::mayfly-job-s";
    expect(translateEvent({ ...frame, policyEvent: { ...policyEvent, resourceUrn: stack } })).toEqual(told);
  });

  test("passing words are not told: they would come again", () => {
    const diagnosticEvent = {
      message: "waiting",
      color: "never",
      severity: "info",
      ephemeral: true,
    } as const;
    expect(translateEvent({ ...frame, diagnosticEvent })).toBeUndefined();
  });

  test("the summary says how many of which operation", () => {
    const summaryEvent = {
      maybeCorrupt: false,
      durationSeconds: 2,
      resourceChanges: { create: 17 },
      policyPacks: {},
    };
    expect(translateEvent({ ...frame, summaryEvent })).toEqual({
      type: "summary",
      seconds: 2,
      changes: { create: 17 },
    });
  });
});
