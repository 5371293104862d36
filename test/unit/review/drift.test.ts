import { describe, expect, test } from "vitest";
import { driftOf, renderDrift } from "../../../review/drift.ts";
import { readRefresh } from "../../../review/drift-events.ts";

const urn = (type: string, name: string): string => `urn:pulumi:prod::mayfly::${type}::${name}`;

/** The second event of a refresh for one resource. */
const found = (op: string, type: string, name: string, old: object, now?: object): string =>
  JSON.stringify({
    resOutputsEvent: {
      metadata: { op, type, urn: urn(type, name), old: { custom: true, ...old }, new: now ?? null },
    },
  });

const NAMESPACE = "kubernetes:core/v1:Namespace";
const labels = (given: Readonly<Record<string, string>>) => ({
  inputs: { metadata: { name: "tenant-acme", labels: given } },
});
const report = (...events: string[]) => driftOf("prod", readRefresh(events.join("\n")).refreshed);

describe("drift", () => {
  test("is what somebody changed, property by property, with what the program wants and what is there", () => {
    const one = report(
      found(
        "update",
        NAMESPACE,
        "tenant-acme-namespace",
        { id: "tenant-acme", ...labels({ "mayfly.dev/class": "production", team: "lake" }) },
        labels({ "mayfly.dev/class": "development" }),
      ),
      found("same", NAMESPACE, "tenant-beta-namespace", { id: "tenant-beta", ...labels({}) }, labels({})),
    );
    expect(one).toEqual({
      stack: "prod",
      objects: 2,
      drifts: [
        {
          urn: urn(NAMESPACE, "tenant-acme-namespace"),
          kind: "kubernetes.core.v1.Namespace",
          name: "tenant-acme-namespace",
          id: "tenant-acme",
          change: "changed",
          properties: [
            { path: 'metadata.labels["mayfly.dev/class"]', from: "production", to: "development" },
            { path: "metadata.labels.team", from: "lake", to: undefined },
          ],
        },
      ],
    });
    expect(renderDrift(one)).toBe(
      [
        "Drift of prod: 1 of 2 objects changed outside of Pulumi.",
        "",
        "  kubernetes.core.v1.Namespace tenant-acme-namespace (tenant-acme)",
        '    metadata.labels["mayfly.dev/class"]: production -> development',
        "    metadata.labels.team: lake -> (not set)",
        "",
        "To take it back: PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up -s prod --refresh",
        "To keep it: change the config or the program to say the same.",
      ].join("\n"),
    );
  });

  test("is what is gone", () => {
    const bucket = "aws:s3/bucket:Bucket";
    const one = report(found("delete", bucket, "logs", { id: "acme-logs", inputs: { bucket: "acme-logs" } }));
    expect(one.drifts).toMatchObject([{ kind: "aws.s3.Bucket", id: "acme-logs", change: "gone" }]);
    expect(renderDrift(one)).toContain("aws.s3.Bucket logs (acme-logs) is gone");
    expect(renderDrift(one)).toContain("take it back: pulumi up -s prod --refresh");
  });

  test("compares lists item by item, and as a whole where their length differs", () => {
    const group = "aws:ec2/securityGroup:SecurityGroup";
    const inputs = (cidrs: readonly string[], ports: readonly number[]) => ({
      inputs: { ingress: [{ cidrs, from: ports }] },
    });
    const one = report(
      found(
        "update",
        group,
        "nodes",
        { id: "sg-1", ...inputs(["10.0.0.0/8"], [443]) },
        inputs(["0.0.0.0/0"], [443, 22]),
      ),
    );
    expect(one.drifts[0]?.properties).toEqual([
      { path: "ingress[0].cidrs[0]", from: "10.0.0.0/8", to: "0.0.0.0/0" },
      { path: "ingress[0].from", from: "[443]", to: "[443,22]" },
    ]);
  });

  test("is not what the program only reads, what others add to an object's outputs, nor what only Pulumi has", () => {
    const one = report(
      found("update", "kubernetes:core/v1:Node", "existing-worker-1", { id: "worker-1", external: true }, {}),
      found(
        "update",
        NAMESPACE,
        "tenant-acme-namespace",
        { id: "tenant-acme", ...labels({}), outputs: { status: {} } },
        { ...labels({}), outputs: { status: { phase: "Active" } } },
      ),
      found("update", "mayfly:tenants:TenantNamespace", "tenant-acme", { custom: false }, {}),
      found("update", "pulumi:providers:kubernetes", "kubernetes", { inputs: { a: "1" } }, { inputs: {} }),
    );
    expect(one).toMatchObject({ objects: 1, drifts: [] });
    expect(renderDrift(one)).toBe("No drift: 1 object of prod as the last update left it.");
  });

  test("is none on another cluster, where everything would be missing: that is told apart by its identity", () => {
    const moved = (before: string, now: string) =>
      readRefresh(
        [
          found("same", "pulumi:pulumi:Stack", "mayfly-prod", {
            outputs: { contract: { clusterId: before } },
          }),
          found(
            "update",
            NAMESPACE,
            "existing-kube-system",
            { id: "kube-system", external: true },
            { outputs: { metadata: { uid: now } } },
          ),
        ].join("\n"),
      ).moved;
    expect(moved("5b3f0a52", "5b3f0a52")).toBeUndefined();
    expect(moved("5b3f0a52", "0c1e9c3a")).toEqual({ before: "5b3f0a52", now: "0c1e9c3a" });
  });

  test("can't be told where the refresh failed: its errors come along, debug lines don't", () => {
    const said = (severity: string, message: string): string =>
      JSON.stringify({ diagnosticEvent: { severity, message, color: "never" } });
    expect(
      readRefresh([said("debug", "x"), said("error", "no route to host\n"), ""].join("\n")).errors,
    ).toEqual(["no route to host"]);
  });
});
