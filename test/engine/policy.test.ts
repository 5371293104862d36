import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { RULES } from "../../policy/rules/index.ts";
import { type OperationResult, openSimulation } from "../../simulation/engine.ts";
import { writeProject } from "./simulation-project.ts";

// The pack as people attach it, on the real engine; the clouds behind it are simulated. What each rule says in which case is tested without an
// engine, in test/unit/policy.
const PACK = join(projectDir, "policy", "run");

/** A program of production; `project` is the environment's, since some rules go by it. */
const program = (body: string): string => `
import * as aws from "@pulumi/aws";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

const marks = {
  "app.kubernetes.io/managed-by": "mayfly",
  "mayfly.dev/environment": "prod",
  "mayfly.dev/class": "production",
};
const cloud = new aws.Provider("aws", { region: "eu-central-1", defaultTags: { tags: marks } });
const cluster = new kubernetes.Provider("kubernetes", { kubeconfig: "apiVersion: v1" });
const here = { provider: cloud };
const kept = { provider: cloud, protect: true };
const inside = { provider: cluster };
const labels = marks;
${body}
`;

async function onEngine<T>(
  body: string,
  work: (result: () => Promise<OperationResult>, up: () => Promise<OperationResult>) => Promise<T>,
): Promise<T> {
  await using project = await writeProject("mayfly", program(body));
  await using simulation = await openSimulation({ projectDir: project.folder, stack: "prod" });
  const asked = { policyPacks: [PACK] };
  return await work(
    () => simulation.preview(asked),
    () => simulation.up(asked),
  );
}

/** \`<rule> <resource>: <what is wrong>\`, sorted. The engine puts the rule's description on a line before. */
const said = ({ violations }: OperationResult): string[] =>
  violations
    .map(
      ({ policy, urn = "", message }) =>
        `${policy} ${urn.split("::").at(-1) ?? ""}: ${message.trim().split("\n").at(-1) ?? ""}`,
    )
    .sort();

const BAD = `
const trust = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "eks.amazonaws.com" } }] });
const role = new aws.iam.Role("role", { assumeRolePolicy: trust }, here);
new aws.eks.Cluster("open", {
  roleArn: role.arn,
  vpcConfig: { subnetIds: [], endpointPublicAccess: true, endpointPrivateAccess: true },
  encryptionConfig: { resources: ["secrets"], provider: { keyArn: role.arn } },
}, kept);
new aws.ebs.Volume("clear", { availabilityZone: "eu-central-1a", size: 10 }, kept);
new aws.kms.Key("fixed", {}, kept);
new aws.s3.Bucket("bare", {}, kept);
new aws.ec2.LaunchTemplate("hops", {
  metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 2 },
  blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { encrypted: "true" } }],
}, here);
new aws.iam.Policy("wide", { policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "ec2:*", Resource: "*" }] } }, here);
new aws.ec2.Vpc("loose", { cidrBlock: "10.20.0.0/16" }, here);
const template = new aws.ec2.LaunchTemplate("fine", {
  metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
  blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { encrypted: "true" } }],
}, here);
new aws.eks.NodeGroup("stuck", {
  clusterName: "prod",
  nodeRoleArn: role.arn,
  subnetIds: [],
  scalingConfig: { minSize: 0, desiredSize: 0, maxSize: 5 },
  launchTemplate: { id: template.id, version: "1" },
}, here);
const container = {
  name: "web",
  image: "registry.k8s.io/pause@sha256:${"0a".repeat(32)}",
  resources: { limits: { cpu: "1", memory: "1Gi" } },
  securityContext: { allowPrivilegeEscalation: false },
};
const pod = (name: string, spec: object, labels: Record<string, string> = marks) =>
  new kubernetes.core.v1.Pod(name, { metadata: { name, namespace: "web", labels }, spec: { containers: [container], ...spec } }, inside);
pod("host", { hostNetwork: true });
pod("unlimited", { containers: [{ ...container, resources: {} }] });
pod("tagged", { containers: [{ ...container, image: "registry.k8s.io/pause:3.10" }] });
pod("nobodys", {}, {});
`;

const REFUSED = [
  "autoscaler-tags stuck: autoscaling.Tag k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage is missing",
  "encryption-at-rest clear: encrypted is not true",
  "images-by-digest tagged: spec.containers[0].image is registry.k8s.io/pause:3.10",
  "instance-metadata-for-nodes-only hops: metadataOptions.httpPutResponseHopLimit is not 1",
  "kms-key-rotation fixed: enableKeyRotation is not true",
  "limits-on-containers unlimited: spec.containers[0].resources.limits has no cpu and no memory (container web)",
  "no-host-access host: spec.hostNetwork is on",
  "no-public-endpoint open: vpcConfig.endpointPublicAccess is true, not false",
  "no-wildcard-iam wide: policy.Statement[0].Action allows ec2:* on every resource",
  "private-encrypted-buckets bare: encryption has no configuration of its own",
  "private-encrypted-buckets bare: public access is not blocked",
  "protect-stateful-resources loose: protect is not set (a resource option, not a property)",
  "tags-and-labels nobodys: metadata.labels has no app.kubernetes.io/managed-by",
  "tags-and-labels nobodys: metadata.labels has no mayfly.dev/environment",
];

const GOOD = `
const key = new aws.kms.Key("secrets", { enableKeyRotation: true }, kept);
const bucket = new aws.s3.Bucket("logs", {}, kept);
new aws.s3.BucketServerSideEncryptionConfiguration("logs", {
  bucket: bucket.id,
  rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: key.arn } }],
}, here);
new aws.s3.BucketPublicAccessBlock("logs", {
  bucket: bucket.id,
  blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true,
}, here);
const template = new aws.ec2.LaunchTemplate("m7g", {
  metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
  blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { encrypted: "true", kmsKeyId: key.arn } }],
}, here);
const groups = ["a", "b"].map((zone) => new aws.eks.NodeGroup("m7g-" + zone, {
  clusterName: "prod",
  nodeRoleArn: "arn:aws:iam::123456789012:role/nodes",
  subnetIds: [],
  scalingConfig: { minSize: 0, desiredSize: 0, maxSize: 5 },
  labels: { "mayfly.dev/pool": "m7g" },
  taints: [{ key: "mayfly.dev/runs", effect: "NO_SCHEDULE" }],
  launchTemplate: { id: template.id, version: "1" },
}, here));
const tags = {
  "label/mayfly.dev/pool": "m7g",
  "taint/mayfly.dev/runs": ":NoSchedule",
  "resources/ephemeral-storage": "50Gi",
};
for (const [index, group] of groups.entries()) {
  for (const [name, value] of Object.entries(tags)) {
    new aws.autoscaling.Tag(\`\${index}-\${name}\`, {
      autoscalingGroupName: group.resources[0].autoscalingGroups[0].name,
      tag: { key: \`k8s.io/cluster-autoscaler/node-template/\${name}\`, value, propagateAtLaunch: false },
    }, here);
  }
}
`;

/** Its document is only known once the bucket exists. */
const LATE = `
const bucket = new aws.sqs.Queue("runs", {}, here);
new aws.iam.Policy("late", {
  policy: bucket.arn.apply((arn) => JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: ["sqs:*"], Resource: [arn, "*"] }],
  })),
}, here);
`;

describe("the policy pack on Pulumi's engine", () => {
  test("a preview reports every rule at the resource that breaks it, and fails", async () => {
    await onEngine(BAD, async (preview) => {
      const result = await preview();
      expect(said(result)).toEqual(REFUSED);
      expect(result.succeeded).toBe(false);
      expect(new Set(result.violations.map(({ level }) => level))).toEqual(new Set(["mandatory"]));
      expect([...new Set(result.violations.map(({ policy }) => policy))].sort()).toEqual(
        RULES.map(({ name }) => name).sort(),
      );
    });
  });

  test("what keeps the rules passes the preview, where much is not known yet, the update, and the preview after it", async () => {
    await onEngine(GOOD, async (preview, up) => {
      for (const operation of [preview, up, preview]) {
        const { succeeded, violations, diagnostics } = await operation();
        expect({
          violations,
          diagnostics: diagnostics.filter(({ severity }) => severity === "error"),
        }).toEqual({
          violations: [],
          diagnostics: [],
        });
        expect(succeeded).toBe(true);
      }
    });
  });

  test("a document that is not known in the preview is judged in the update, before the resource is made", async () => {
    await onEngine(LATE, async (preview, up) => {
      expect(await preview()).toMatchObject({ succeeded: true, violations: [] });
      const result = await up();
      expect(said(result)).toEqual([
        "no-wildcard-iam late: policy.Statement[0].Action allows sqs:* on every resource",
      ]);
      expect(result.succeeded).toBe(false);
      expect(result.steps.map(({ name }) => name)).not.toContain("late");
    });
  });
});

test("production keeps every rule", async () => {
  await using prod = await openSimulation({ projectDir, stack: "prod" });
  const { violations, succeeded, steps } = await prod.preview({ policyPacks: [PACK] });
  expect(violations).toEqual([]);
  expect(succeeded).toBe(true);
  // Not by having nothing that a rule looks at.
  const idle = RULES.filter((rule) => rule.scope === "resource" && !steps.some(rule.judges));
  expect(idle.map(({ name }) => name)).toEqual([]);
  const types = new Set(steps.map(({ type }) => type));
  for (const type of ["aws:s3/bucket:Bucket", "aws:eks/nodeGroup:NodeGroup"]) expect(types).toContain(type);
});
