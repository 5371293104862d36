import { describe, expect, test } from "vitest";
import { classifyFailure, type FailureFacts, refusalReason } from "../../../jobs/engine/errors.ts";

const failed = (facts: Partial<FailureFacts>) =>
  classifyFailure({
    output: "",
    interrupted: false,
    resources: [],
    diagnostics: [],
    violations: [],
    ...facts,
  });

describe("what the CLI printed becomes one kind of error", () => {
  test("a lock tells who holds it", () => {
    const output = [
      "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.",
      "  file:///root/.local/state/mayfly/pulumi/.pulumi/locks/organization/mayfly-job/demo-pi/5f4c.json: created by root@node-7 (pid 4711) at 2026-11-24T06:00:00Z",
    ].join("\n");
    expect(failed({ output })).toMatchObject({
      kind: "conflict",
      owners: [{ host: "node-7", pid: 4711, at: "2026-11-24T06:00:00Z" }],
    });
  });

  test.each([
    ["error: no stack named 'demo-pi' found", "not-found"],
    ["error: stack 'organization/mayfly-job/demo-pi' already exists", "exists"],
    ["error: incorrect passphrase", "unauthorized"],
    ["error: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: no such file", "unauthorized"],
    ['error: blob (key "x") (code=Unknown): AccessDenied: Access Denied', "unauthorized"],
    ["error: dial tcp 127.0.0.1:9: connect: connection refused", "unreachable"],
    ["error: spawn pulumi ENOENT: executable file not found", "missing-tool"],
    [
      "error: no resource plugin 'pulumi-resource-kubernetes' found in the workspace at version v4.34.2",
      "missing-tool",
    ],
    ["error: failed to load checkpoint: EOF", "broken-state"],
    ["error: something else entirely", "cli"],
  ])("%s: %s", (output, kind) => {
    expect(failed({ output }).kind).toBe(kind);
  });

  test("the message is what comes after the progress lines, on one line, and never endless", () => {
    const { message } = failed({ output: `Updating…\nerror: the disk\n  is full\n${"x".repeat(5000)}` });
    expect(message.startsWith("the disk is full")).toBe(true);
    expect(message.length).toBeLessThan(700);
  });

  test("a broken rule of the policy pack is named with its resource, before what else went wrong", () => {
    const violations = [
      {
        mandatory: true,
        policy: "images-by-digest",
        message: "Name images by digest.\nspec.image is acme/spark:4.0.1",
        resource: { kind: "kubernetes:batch/v1:Job", name: "spark-coordinator-job" },
      },
      { mandatory: true, policy: "autoscaler-tags", message: "Tag the group." },
    ];
    expect(failed({ violations, output: "error: connection refused" })).toEqual({
      kind: "policy",
      message:
        "Rule images-by-digest: spark-coordinator-job: Name images by digest. spec.image is acme/spark:4.0.1 (and 1 more)",
      violations,
    });
  });

  test("a stop that we asked for is no failure of anything else, whatever was printed", () => {
    const resources = [{ kind: "kubernetes:core/v1:Namespace", name: "run", message: "connection refused" }];
    expect(failed({ interrupted: true, resources, output: "error: update canceled" }).kind).toBe("cancelled");
  });
});

describe("what a provider said about a resource has a reason", () => {
  test.each([
    [
      'pods "workers-0" is forbidden: exceeded quota: plan, requested: pods=2, used: pods=1, limited: pods=1',
      "quota",
    ],
    [
      'pods "driver" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation',
      "policy",
    ],
    ["ValidatingAdmissionPolicy 'tenants' with binding 'tenants' denied request: no", "policy"],
    [
      "ValidatingAdmissionPolicy 'mayfly-lab-fence-objects' with binding 'mayfly-lab-fence-objects' denied request: another helper works on this run: the object has fence 1, its namespace 2",
      "fenced",
    ],
    ['namespaces "demo-pi" already exists', "exists"],
    ['Apply failed with 1 conflict: conflict with "kubectl" using v1: .data.x', "conflict"],
    ['namespaces is forbidden: User "tenant" cannot create resource "namespaces"', "forbidden"],
    ["configured Kubernetes cluster is unreachable", "unreachable"],
    ["spec.replicas: Invalid value: -1", "other"],
  ])("%s: %s", (message, reason) => {
    expect(refusalReason(message)).toBe(reason);
  });

  test("all refused resources are kept, and the first is named in the message", () => {
    const error = failed({
      resources: [
        {
          kind: "kubernetes:core/v1:ResourceQuota",
          name: "spark-run-quota",
          message: "is forbidden:\n  exceeded quota",
        },
        { kind: "kubernetes:batch/v1:Job", name: "spark-coordinator-job", message: "spec: Invalid value" },
      ],
      diagnostics: ["update failed"],
    });
    expect(error).toMatchObject({
      kind: "provider",
      message: "ResourceQuota spark-run-quota: is forbidden: exceeded quota (and 1 more)",
      failures: [{ reason: "quota" }, { reason: "other" }],
    });
  });

  test("a cluster that answers none of the resources is unreachable, not a refusal", () => {
    const resources = [
      { kind: "kubernetes:core/v1:Namespace", name: "run", message: "connect ECONNREFUSED" },
    ];
    expect(failed({ resources }).kind).toBe("unreachable");
  });
});
