import { UNKNOWN } from "../../../../policy/values.ts";
import { aws, component, type Example, marks, object, untagged } from "./builders.ts";

const run = { "app.kubernetes.io/managed-by": "mayfly", "mayfly.dev/tenant": "acme" };

export const MARKS_EXAMPLES: readonly Example[] = [
  {
    rule: "tags-and-labels",
    bad: [
      {
        title: "a subnet without tags",
        resources: [aws("ec2/subnet:Subnet", "nodes-a", { tagsAll: undefined })],
        says: [
          "nodes-a: tags has no app.kubernetes.io/managed-by",
          "nodes-a: tags has no mayfly.dev/environment",
          "nodes-a: tags has no mayfly.dev/class",
        ],
      },
      {
        title: "a subnet that is said to be somebody else's",
        resources: [
          aws("ec2/subnet:Subnet", "nodes-a", {
            tagsAll: { ...marks(), "app.kubernetes.io/managed-by": "terraform" },
          }),
        ],
        says: ["nodes-a: tags has another app.kubernetes.io/managed-by than mayfly"],
      },
      {
        title: "a type of a module that nobody has looked up",
        resources: [aws("lambda/function:Function", "report", { tagsAll: {} })],
        says: [
          "report: tags has no app.kubernetes.io/managed-by",
          "report: tags has no mayfly.dev/environment",
          "report: tags has no mayfly.dev/class",
        ],
      },
      {
        title: "an object of an environment without the environment's name",
        resources: [object("core/v1:ConfigMap", "settings", { metadata: { labels: run } })],
        says: ["settings: metadata.labels has no mayfly.dev/environment"],
      },
      {
        title: "an object of an extension without labels",
        resources: [
          object("operator.tigera.io/v1:Installation", "default", { metadata: { labels: undefined } }),
        ],
        says: [
          "default: metadata.labels has no app.kubernetes.io/managed-by",
          "default: metadata.labels has no mayfly.dev/environment",
        ],
      },
      {
        title: "an object of a job that says not whose it is",
        resources: [
          object(
            "core/v1:ConfigMap",
            "files",
            { metadata: { labels: { "app.kubernetes.io/managed-by": "mayfly" } } },
            { project: "mayfly-job" },
          ),
        ],
        says: ["files: metadata.labels has no mayfly.dev/tenant or mayfly.dev/environment"],
      },
      {
        title: "a ConfigMap of ours that only sounds like one of EKS",
        resources: [object("core/v1:ConfigMap", "prod-nodeAccess", { metadata: { labels: run } })],
        says: ["prod-nodeAccess: metadata.labels has no mayfly.dev/environment"],
      },
    ],
    good: [
      {
        title: "tags, tags of the provider, and types that take none",
        resources: [
          aws("ec2/subnet:Subnet", "nodes-a"),
          aws("ec2/subnet:Subnet", "nodes-b", { tags: marks(), tagsAll: UNKNOWN }),
          { ...aws("ec2/subnet:Subnet", "nodes-c", { tagsAll: undefined }), defaultTags: marks() },
          untagged("ec2/routeTableAssociation:RouteTableAssociation", "nodes-a", {}),
          untagged("autoscaling/tag:Tag", "storage", {}),
        ],
      },
      {
        title: "objects of an environment and of a job",
        resources: [
          object("core/v1:ConfigMap", "settings", {}),
          object("core/v1:ConfigMap", "files", { metadata: { labels: run } }, { project: "mayfly-job" }),
        ],
      },
      {
        title: "charts, components, providers and patches of somebody else's objects",
        resources: [
          component("kubernetes:helm.sh/v3:Release", "autoscaler"),
          component("kubernetes:yaml/v2:ConfigGroup", "definitions"),
          component("kubernetes:apps/v1:DaemonSetPatch", "aws-node"),
          component("mayfly:cluster:EksCluster", "prod"),
          component("pulumi:providers:aws", "aws"),
        ],
      },
      {
        title: "the ConfigMap of EKS that its component makes",
        resources: [
          object(
            "core/v1:ConfigMap",
            "prod-nodeAccess",
            { metadata: { labels: undefined } },
            { above: "mayfly:cluster:EksCluster$eks:index:Cluster" },
          ),
        ],
      },
      {
        title: "labels that are not known yet",
        resources: [object("core/v1:ConfigMap", "settings", { metadata: { labels: UNKNOWN } })],
      },
    ],
  },
];
