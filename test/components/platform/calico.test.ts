import { describe, expect, test } from "vitest";
import { Calico } from "../../../components/platform/calico.ts";
import { graphProblems } from "../../harness/invariants.ts";
import { graphOf, LABELS, registrations, SYSTEM_POOL } from "./example.ts";

const graph = await graphOf((providers) => {
  new Calico("calico", {
    version: "v3.33.1",
    placement: SYSTEM_POOL,
    labels: LABELS,
    provider: providers.kubernetes,
  });
});

describe("Calico", () => {
  test("consists of exactly these resources", () => {
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "calico  mayfly:platform:Calico",
      "calico-definitions  kubernetes:helm.sh/v3:Release  by kubernetes  in calico",
      "calico-namespace  kubernetes:core/v1:Namespace  by kubernetes  in calico",
      "calico-operator  kubernetes:helm.sh/v3:Release  by kubernetes  in calico",
      "calico-pod-annotations  kubernetes:rbac.authorization.k8s.io/v1:ClusterRole  by kubernetes  in calico",
      "calico-pod-annotations-binding  kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding  by kubernetes  in calico",
    ]);
  });

  test("installs its definitions first, both charts in one version", () => {
    expect(graph.get("calico-definitions").inputs).toMatchObject({
      chart: "crd.projectcalico.org.v1",
      version: "v3.33.1",
      namespace: "tigera-operator",
    });
    expect(graph.get("calico-operator").inputs).toMatchObject({
      chart: "tigera-operator",
      version: "v3.33.1",
    });
    expect(graph.get("calico-operator").dependencies).toContain("calico-definitions");
  });

  test("enforces policies and leaves networking to the VPC CNI", () => {
    expect(graph.get("calico-operator").inputs).toMatchObject({
      values: {
        installation: {
          kubernetesProvider: "EKS",
          cni: { type: "AmazonVPC" },
          calicoNetwork: { bgp: "Disabled" },
        },
      },
    });
  });

  test("keeps everything but the node's own pod on the system pool, above all Typha", () => {
    const pod = { nodeSelector: SYSTEM_POOL.nodeSelector, tolerations: SYSTEM_POOL.tolerations };
    expect(graph.get("calico-operator").inputs).toMatchObject({
      values: {
        nodeSelector: pod.nodeSelector,
        installation: {
          controlPlaneNodeSelector: pod.nodeSelector,
          controlPlaneTolerations: pod.tolerations,
          typhaDeployment: { spec: { template: { spec: pod } } },
        },
      },
    });
  });

  test("brings no aggregated API, without which no namespace could be deleted", () => {
    expect(graph.get("calico-operator").inputs).toMatchObject({ values: { apiServer: { enabled: false } } });
  });

  test("lets the VPC CNI annotate pods, and nothing more", () => {
    expect(graph.get("calico-pod-annotations").inputs["rules"]).toEqual([
      { apiGroups: [""], resources: ["pods"], verbs: ["patch"] },
    ]);
    expect(graph.get("calico-pod-annotations-binding").inputs["subjects"]).toEqual([
      { kind: "ServiceAccount", name: "aws-node", namespace: "kube-system" },
    ]);
  });
});
