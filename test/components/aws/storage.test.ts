import { describe, expect, test } from "vitest";
import { LogBucket } from "../../../components/buckets/log-bucket.ts";
import { StateBucket } from "../../../components/buckets/state-bucket.ts";
import { ImageRepositories } from "../../../components/registry/image-repositories.ts";
import { graphProblems } from "../../harness/invariants.ts";
import type { Graph } from "../../harness/record.ts";
import { registrations } from "../platform/example.ts";
import { json, MODES, protectedNames, recordAws } from "./recorded.ts";

const KEY = "arn:aws:kms:eu-central-1:123456789012:key/prod";
const RUNS = ["arn:aws:iam::123456789012:role/acme", "arn:aws:iam::123456789012:role/globex"];

const state = (protect = true, mode: { readonly preview?: boolean } = {}, refusedRoleArns = RUNS) =>
  recordAws(
    (provider) =>
      new StateBucket("state", {
        bucketName: "acme-mayfly-state",
        encryptionKeyArn: KEY,
        refusedRoleArns,
        protect,
        provider,
      }),
    mode,
  );
const logs = (mode: { readonly preview?: boolean } = {}) =>
  recordAws(
    (provider) =>
      new LogBucket("logs", { bucketName: "acme-mayfly-logs", expiryDays: 365, protect: true, provider }),
    mode,
  );

const TLS_ONLY = (bucket: string) => ({
  Sid: "TlsOnly",
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
  Condition: { Bool: { "aws:SecureTransport": "false" } },
});

const statements = (graph: Graph, name: string): unknown =>
  (json(graph.get(name).inputs["policy"]) as { Statement: unknown }).Statement;

describe.each(MODES)("the state bucket, in %s", (_mode, mode) => {
  test("consists of exactly these resources", async () => {
    const graph = await state(true, mode);
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "state  mayfly:buckets:StateBucket",
      "state-bucket  aws:s3/bucket:Bucket  by aws  in state",
      "state-encryption  aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration  by aws  in state",
      "state-lifecycle  aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration  by aws  in state",
      "state-policy  aws:s3/bucketPolicy:BucketPolicy  by aws  in state",
      "state-public-access  aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock  by aws  in state",
      "state-versioning  aws:s3/bucketVersioning:BucketVersioning  by aws  in state",
    ]);
  });
});

describe("the state bucket", () => {
  test("keeps old versions for 90 days, encrypted with the environment's key", async () => {
    const graph = await state();
    expect(graph.get("state-versioning").inputs["versioningConfiguration"]).toEqual({ status: "Enabled" });
    expect(graph.get("state-lifecycle").inputs["rules"]).toMatchObject([
      { status: "Enabled", noncurrentVersionExpiration: { noncurrentDays: 90 } },
    ]);
    // Nothing expires that is the state of today.
    expect(JSON.stringify(graph.get("state-lifecycle").inputs)).not.toContain('"expiration"');
    expect(graph.get("state-encryption").inputs["rules"]).toEqual([
      {
        applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: KEY },
        bucketKeyEnabled: true,
      },
    ]);
  });

  test("is never public, speaks TLS only, and refuses the roles of customers' code", async () => {
    const graph = await state();
    expect(graph.get("state-public-access").inputs).toEqual({
      bucket: "state-bucket-id",
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(statements(graph, "state-policy")).toEqual([
      TLS_ONLY("state-bucket"),
      {
        Sid: "NotForRuns",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: ["arn:aws:s3:::state-bucket", "arn:aws:s3:::state-bucket/*"],
        Condition: { ArnLike: { "aws:PrincipalArn": RUNS } },
      },
    ]);
  });

  test("has no statement without a role in it", async () => {
    const graph = await state(true, {}, []);
    expect(statements(graph, "state-policy")).toEqual([TLS_ONLY("state-bucket")]);
  });

  test("protects itself and its versions where it is to, and is never emptied by a destroy", async () => {
    const graph = await state();
    expect(protectedNames(graph)).toEqual(["state-bucket", "state-versioning"]);
    expect(graph.get("state-bucket").inputs["forceDestroy"]).toBe(false);
    expect(protectedNames(await state(false))).toEqual([]);
  });
});

describe.each(MODES)("the log bucket, in %s", (_mode, mode) => {
  test("consists of exactly these resources, is encrypted, private, TLS only, and forgets after a year", async () => {
    const graph = await logs(mode);
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "logs  mayfly:buckets:LogBucket",
      "logs-bucket  aws:s3/bucket:Bucket  by aws  in logs",
      "logs-encryption  aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration  by aws  in logs",
      "logs-lifecycle  aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration  by aws  in logs",
      "logs-policy  aws:s3/bucketPolicy:BucketPolicy  by aws  in logs",
      "logs-public-access  aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock  by aws  in logs",
    ]);
    expect(graph.get("logs-encryption").inputs["rules"]).toEqual([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
    ]);
    expect(graph.get("logs-public-access").inputs).toMatchObject({ blockPublicPolicy: true });
    expect(statements(graph, "logs-policy")).toEqual([TLS_ONLY("logs-bucket")]);
    expect(graph.get("logs-lifecycle").inputs["rules"]).toMatchObject([
      { status: "Enabled", expiration: { days: 365 } },
    ]);
    expect(protectedNames(graph)).toEqual(["logs-bucket"]);
  });
});

describe.each(MODES)("image repositories, in %s", (_mode, mode) => {
  test("are made by name: immutable tags, scanned, encrypted, kept", async () => {
    const graph = await recordAws((provider) => {
      const { repositories } = new ImageRepositories("images", {
        names: ["mayfly/spark", "mayfly/flink"],
        encryptionKeyArn: KEY,
        protect: true,
        provider,
      });
      return repositories.map(({ name, url }) => ({ name, url }));
    }, mode);
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "images  mayfly:registry:ImageRepositories",
      "images-mayfly-flink  aws:ecr/repository:Repository  by aws  in images",
      "images-mayfly-flink-lifecycle  aws:ecr/lifecyclePolicy:LifecyclePolicy  by aws  in images",
      "images-mayfly-spark  aws:ecr/repository:Repository  by aws  in images",
      "images-mayfly-spark-lifecycle  aws:ecr/lifecyclePolicy:LifecyclePolicy  by aws  in images",
    ]);
    expect(graph.get("images-mayfly-spark").inputs).toEqual({
      name: "mayfly/spark",
      imageTagMutability: "IMMUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: KEY }],
      forceDelete: false,
    });
    // A tagged image is what a run of years ago names.
    expect(json(graph.get("images-mayfly-spark-lifecycle").inputs["policy"])).toMatchObject({
      rules: [{ selection: { tagStatus: "untagged" } }],
    });
    expect(protectedNames(graph)).toEqual(["images-mayfly-flink", "images-mayfly-spark"]);
    expect(graph.outputs).toMatchObject([
      { name: "mayfly/spark", url: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/images-mayfly-spark" },
      { name: "mayfly/flink" },
    ]);
  });
});
