import { describe, expect, test } from "vitest";
import { z } from "zod";
import { autoscalerFlags, priorities } from "../../../components/platform/autoscaler-flags.ts";
import { ClusterAutoscaler } from "../../../components/platform/cluster-autoscaler.ts";
import { graphProblems } from "../../harness/invariants.ts";
import { graphOf, LABELS, registrations, SYSTEM_POOL } from "./example.ts";

const graph = await graphOf((providers) => {
  new ClusterAutoscaler("cluster-autoscaler", {
    clusterName: "prod",
    region: "eu-central-1",
    chartVersion: "9.52.1",
    version: "v1.34.2",
    preferences: [["spot"], ["on-demand"]],
    placement: SYSTEM_POOL,
    labels: LABELS,
    provider: providers.kubernetes,
    aws: providers.aws,
  });
});

describe("Cluster Autoscaler", () => {
  test("consists of exactly these resources", () => {
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "cluster-autoscaler  mayfly:platform:ClusterAutoscaler",
      "cluster-autoscaler-identity  aws:eks/podIdentityAssociation:PodIdentityAssociation  by aws  in cluster-autoscaler",
      "cluster-autoscaler-release  kubernetes:helm.sh/v3:Release  by kubernetes  in cluster-autoscaler",
      "cluster-autoscaler-role  mayfly:cluster:PodIdentityRole  in cluster-autoscaler",
      "cluster-autoscaler-role-policy  aws:iam/rolePolicy:RolePolicy  by aws  in cluster-autoscaler-role",
      "cluster-autoscaler-role-role  aws:iam/role:Role  by aws  in cluster-autoscaler-role",
    ]);
  });

  test("may resize only groups that carry this cluster's tag, and has no wildcard action", () => {
    const { policy } = graph.get("cluster-autoscaler-role-policy").inputs;
    expect(JSON.parse(String(policy))).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "Look",
          Effect: "Allow",
          Resource: "*",
          Action: [
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:DescribeAutoScalingInstances",
            "autoscaling:DescribeLaunchConfigurations",
            "autoscaling:DescribeScalingActivities",
            "ec2:DescribeImages",
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:GetInstanceTypesFromInstanceRequirements",
            "eks:DescribeNodegroup",
          ],
        },
        {
          Sid: "Resize",
          Effect: "Allow",
          Resource: "*",
          Action: ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
          Condition: { StringEquals: { "aws:ResourceTag/k8s.io/cluster-autoscaler/prod": "owned" } },
        },
      ],
    });
  });

  test("gets its role only as its own service account of this cluster", () => {
    expect(graph.get("cluster-autoscaler-identity").inputs).toMatchObject({
      clusterName: "prod",
      namespace: "kube-system",
      serviceAccount: "cluster-autoscaler",
    });
    const { assumeRolePolicy } = graph.get("cluster-autoscaler-role-role").inputs;
    expect(JSON.parse(String(assumeRolePolicy))).toMatchObject({
      Statement: [
        {
          Principal: { Service: "pods.eks.amazonaws.com" },
          Action: ["sts:AssumeRole", "sts:TagSession"],
          Condition: {
            StringEquals: {
              "aws:RequestTag/eks-cluster-name": "prod",
              "aws:RequestTag/kubernetes-namespace": "kube-system",
              "aws:RequestTag/kubernetes-service-account": "cluster-autoscaler",
            },
          },
        },
      ],
    });
  });

  test("has its identity before its first pod", () => {
    expect(graph.get("cluster-autoscaler-release").dependencies).toContain("cluster-autoscaler-identity");
    expect(graph.get("cluster-autoscaler-identity").dependencies).toContain("cluster-autoscaler-role-policy");
  });

  test("is a pinned chart on the system pool, locked down, with as much as it asks for", () => {
    const { inputs } = graph.get("cluster-autoscaler-release");
    expect(inputs).toMatchObject({
      chart: "cluster-autoscaler",
      version: "9.52.1",
      namespace: "kube-system",
      repositoryOpts: { repo: "https://kubernetes.github.io/autoscaler" },
      values: {
        autoDiscovery: { clusterName: "prod" },
        image: { tag: "v1.34.2" },
        additionalLabels: { ...LABELS, "mayfly.dev/role": "platform" },
        nodeSelector: { "mayfly.dev/pool": "system" },
        tolerations: SYSTEM_POOL.tolerations,
        podDisruptionBudget: { maxUnavailable: 1 },
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        containerSecurityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        expanderPriorities: { "30": ["spot"], "20": ["on-demand"], "10": [".*"] },
      },
    });
    const Resources = z.looseObject({ requests: z.unknown(), limits: z.unknown() });
    const { resources } = z.looseObject({ resources: Resources }).parse(inputs["values"]);
    expect(resources.requests).toEqual(resources.limits);
  });
});

describe("its flags", () => {
  test("take nodes away in a minute, group by group, whatever emptyDir is on them", () => {
    expect(autoscalerFlags()).toMatchObject({
      expander: "priority,least-waste",
      "scale-down-unneeded-time": "1m",
      "scale-down-delay-after-add": "1m",
      "scale-down-delay-type-local": true,
      "skip-nodes-with-local-storage": false,
      "balance-similar-node-groups": false,
    });
  });

  test("take other times", () => {
    expect(autoscalerFlags({ unneeded: "10m" })).toMatchObject({
      "scale-down-unneeded-time": "10m",
      "scale-down-unready-time": "5m",
    });
  });

  test("rank what nobody prefers last, since a group without a rank is never taken", () => {
    expect(priorities([])).toEqual({ "10": [".*"] });
    expect(priorities([["a"], [], ["b", "c"]])).toEqual({ "30": ["a"], "20": ["b", "c"], "10": [".*"] });
  });
});
