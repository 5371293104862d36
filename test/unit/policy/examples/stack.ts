import { UNKNOWN } from "../../../../policy/values.ts";
import { aws, component, type Example, marks, untagged, urnOf } from "./builders.ts";

const BUCKET = "aws:s3/bucket:Bucket";
const GROUP = "aws:eks/nodeGroup:NodeGroup";

const bucket = (name: string, props: Readonly<Record<string, unknown>> = {}) =>
  aws("s3/bucket:Bucket", name, props, { protect: true });

const encryption = (of: string, props: Readonly<Record<string, unknown>> = {}) =>
  untagged(
    "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    `${of}-encryption`,
    {
      bucket: UNKNOWN,
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" } }],
      ...props,
    },
    { madeFrom: { bucket: [urnOf(BUCKET, of)] } },
  );

const block = (of: string, props: Readonly<Record<string, unknown>> = {}) =>
  untagged(
    "s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    `${of}-block`,
    {
      bucket: UNKNOWN,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
      ...props,
    },
    { madeFrom: { bucket: [urnOf(BUCKET, of)] } },
  );

const group = (name: string, props: Readonly<Record<string, unknown>> = {}, parent?: string) =>
  aws(
    "eks/nodeGroup:NodeGroup",
    name,
    {
      launchTemplate: { id: UNKNOWN },
      scalingConfig: { minSize: 0, maxSize: 10, desiredSize: 0 },
      labels: { "mayfly.dev/pool": "m7g" },
      taints: [
        { key: "mayfly.dev/runs", effect: "NO_SCHEDULE" },
        { key: "startup-taint.cluster-autoscaler.kubernetes.io/calico", effect: "NO_EXECUTE" },
      ],
      ...props,
    },
    parent === undefined ? {} : { parent },
  );

const TEMPLATE = "k8s.io/cluster-autoscaler/node-template";

const tag = (key: string, value: unknown, madeFrom: string) =>
  untagged(
    "autoscaling/tag:Tag",
    `${key}-of-${madeFrom.split("::").at(-1) ?? ""}`,
    { autoscalingGroupName: UNKNOWN, tag: { key: `${TEMPLATE}/${key}`, value, propagateAtLaunch: false } },
    { madeFrom: { autoscalingGroupName: [madeFrom] } },
  );

const tags = (of: string) => [
  tag("label/mayfly.dev/pool", "m7g", of),
  tag("taint/mayfly.dev/runs", ":NoSchedule", of),
  tag("resources/ephemeral-storage", "90Gi", of),
];

const A = urnOf(GROUP, "m7g-a");

export const STACK_EXAMPLES: readonly Example[] = [
  {
    rule: "private-encrypted-buckets",
    bad: [
      {
        title: "a bucket by itself beside one with settings",
        resources: [bucket("state"), bucket("logs"), encryption("logs"), block("logs")],
        says: ["state: encryption has no configuration of its own", "state: public access is not blocked"],
      },
      {
        title: "settings that leave something open",
        resources: [
          bucket("logs"),
          encryption("logs", { rules: [{ bucketKeyEnabled: true }] }),
          block("logs", { restrictPublicBuckets: false, ignorePublicAcls: undefined }),
        ],
        says: [
          "logs-encryption: rules name no algorithm",
          "logs-block: ignorePublicAcls is not true",
          "logs-block: restrictPublicBuckets is not true",
        ],
      },
    ],
    good: [
      { title: "a bucket with its settings", resources: [bucket("logs"), encryption("logs"), block("logs")] },
      {
        title: "settings that name a known bucket",
        resources: [
          bucket("logs", { bucket: "acme-logs" }),
          { ...encryption("logs", { bucket: "acme-logs" }), propertyDependencies: {} },
          { ...block("logs", { bucket: "acme-logs" }), propertyDependencies: {} },
        ],
      },
      {
        title: "settings that are not known yet",
        resources: [
          bucket("logs"),
          encryption("logs", { rules: UNKNOWN }),
          block("logs", { blockPublicAcls: UNKNOWN }),
        ],
      },
    ],
  },
  {
    rule: "autoscaler-tags",
    bad: [
      {
        title: "a group from zero whose tags are another group's",
        resources: [group("m7g-a"), group("m7g-b"), ...tags(A)],
        says: [
          `m7g-b: autoscaling.Tag ${TEMPLATE}/label/mayfly.dev/pool is missing`,
          `m7g-b: autoscaling.Tag ${TEMPLATE}/taint/mayfly.dev/runs is missing`,
          `m7g-b: autoscaling.Tag ${TEMPLATE}/resources/ephemeral-storage is missing`,
        ],
      },
      {
        title: "a taint's tag in EKS's words, and another label",
        resources: [
          group("m7g-a"),
          tag("label/mayfly.dev/pool", "r7g", A),
          tag("taint/mayfly.dev/runs", "NoSchedule", A),
          tag("resources/ephemeral-storage", "90Gi", A),
        ],
        says: [
          `m7g-a: autoscaling.Tag ${TEMPLATE}/label/mayfly.dev/pool is not m7g`,
          `m7g-a: autoscaling.Tag ${TEMPLATE}/taint/mayfly.dev/runs is not :NoSchedule`,
        ],
      },
      {
        title: "tags of a component that holds two groups: nobody knows whose",
        resources: [
          component("pulumi:pulumi:Stack", "prod"),
          component("mayfly:nodes:NodePool", "m7g", { parent: urnOf("pulumi:pulumi:Stack", "prod") }),
          group("m7g-a", { taints: [] }, urnOf("mayfly:nodes:NodePool", "m7g")),
          group("m7g-b", { scalingConfig: { minSize: 1 } }, urnOf("mayfly:nodes:NodePool", "m7g")),
          ...tags(urnOf("mayfly:nodes:NodePool", "m7g")),
        ],
        says: [
          `m7g-a: autoscaling.Tag ${TEMPLATE}/label/mayfly.dev/pool is missing`,
          `m7g-a: autoscaling.Tag ${TEMPLATE}/resources/ephemeral-storage is missing`,
        ],
      },
    ],
    good: [
      { title: "two groups from zero with their tags", resources: [group("m7g-a"), ...tags(A)] },
      {
        title: "a group that is never empty",
        resources: [group("system", { scalingConfig: { minSize: 2, maxSize: 4 } })],
      },
      {
        title: "a group in a remote component, whose tags are made from the component",
        resources: [
          component("pulumi:pulumi:Stack", "prod"),
          component("eks:index:ManagedNodeGroup", "m7g", { parent: urnOf("pulumi:pulumi:Stack", "prod") }),
          group("m7g-a", {}, urnOf("eks:index:ManagedNodeGroup", "m7g")),
          ...tags(urnOf("eks:index:ManagedNodeGroup", "m7g")),
        ],
      },
      {
        title: "tags that name a known auto-scaling group",
        resources: [
          group("m7g-a", { resources: [{ autoscalingGroups: [{ name: "eks-m7g-a-1" }] }] }),
          ...tags(A).map((one) => ({
            ...one,
            propertyDependencies: {},
            props: { ...one.props, autoscalingGroupName: "eks-m7g-a-1" },
          })),
        ],
      },
      {
        title: "values that are not known yet",
        resources: [
          group("m7g-a", { labels: UNKNOWN, taints: UNKNOWN, tagsAll: marks() }),
          tag("resources/ephemeral-storage", UNKNOWN, A),
        ],
      },
    ],
  },
];
