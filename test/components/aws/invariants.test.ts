import { Bucket } from "@pulumi/aws/s3/bucket.js";
import { Cluster } from "@pulumi/eks/cluster.js";
import { expect, test } from "vitest";
import { LogBucket } from "../../../components/buckets/log-bucket.ts";
import { graphProblems } from "../../harness/invariants.ts";
import { recordAws } from "./recorded.ts";

test("an AWS resource without a provider or a component above it is a problem", async () => {
  const graph = await recordAws(() => {
    new Bucket("stray", {});
  });
  expect(graphProblems(graph)).toEqual(["stray: no explicit provider", "stray: no component is its parent"]);
});

test("a remote component that gets no provider for what it makes in AWS is a problem", async () => {
  const graph = await recordAws((provider) => {
    const parent = new LogBucket("logs", {
      bucketName: "acme-logs",
      expiryDays: 30,
      protect: false,
      provider,
    });
    new Cluster("logs-eks", {}, { parent, providers: [] });
  });
  expect(graphProblems(graph)).toEqual([
    "logs-eks: no explicit provider",
    "logs-eks: no provider for what it makes in AWS",
  ]);
});

test("what a component waits for, its children wait for, down to the last", async () => {
  const graph = await recordAws((provider) => {
    const args = { bucketName: "acme-logs", expiryDays: 30, protect: false, provider };
    const first = new LogBucket("first", args);
    new LogBucket("second", args, { dependsOn: [first] });
  });
  const children = graph.resources.filter(({ parent }) => parent === "second");
  expect(children).toHaveLength(5);
  for (const { name, dependencies } of children) {
    expect(dependencies, name).toEqual(
      expect.arrayContaining(["first-bucket", "first-encryption", "first-lifecycle", "first-policy"]),
    );
  }
});
