import { describe, expect, test } from "vitest";
import { z } from "zod";
import { StartupTaint } from "../../../components/platform/startup-taint.ts";
import { graphProblems, podSpecs } from "../../harness/invariants.ts";
import { containersOf } from "../../harness/pod-security.ts";
import { graphOf, LABELS, registrations } from "./example.ts";

const KUBECTL = `registry.k8s.io/kubectl@sha256:${"0a".repeat(32)}`;
const PAUSE = `registry.k8s.io/pause@sha256:${"0b".repeat(32)}`;
const KEY = "startup-taint.cluster-autoscaler.kubernetes.io/calico";

const graph = await graphOf((providers) => {
  new StartupTaint("startup-taint", {
    images: { kubectl: KUBECTL, pause: PAUSE },
    labels: LABELS,
    provider: providers.kubernetes,
  });
});
const pod = podSpecs(graph).get("startup-taint-pods");
if (pod === undefined) throw new Error("no pod");

describe("the start-up taint's pods", () => {
  test("come with exactly these resources", () => {
    expect(graphProblems(graph)).toEqual([]);
    const kubernetes = (name: string, type: string): string =>
      `startup-taint-${name}  kubernetes:${type}  by kubernetes  in startup-taint`;
    expect(registrations(graph)).toEqual([
      "startup-taint  mayfly:platform:StartupTaint",
      kubernetes("account", "core/v1:ServiceAccount"),
      kubernetes("namespace", "core/v1:Namespace"),
      kubernetes("pods", "apps/v1:DaemonSet"),
      kubernetes("policy", "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"),
      kubernetes("policy-binding", "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding"),
      kubernetes("role", "rbac.authorization.k8s.io/v1:ClusterRole"),
      kubernetes("role-binding", "rbac.authorization.k8s.io/v1:ClusterRoleBinding"),
    ]);
  });

  test("run on every node, whatever its taints, before it has a pod network", () => {
    expect(pod).toMatchObject({
      tolerations: [{ operator: "Exists" }],
      hostNetwork: true,
      priorityClassName: "system-node-critical",
    });
  });

  test("ask Felix first, then put the taint on and take it off: without a shell, and twice with the same end", () => {
    expect(pod.initContainers).toMatchObject([
      {
        name: "calico",
        image: PAUSE,
        restartPolicy: "Always",
        startupProbe: { httpGet: { host: "127.0.0.1", port: 9099, path: "/readiness" } },
      },
      {
        name: "put",
        image: KUBECTL,
        command: ["kubectl"],
        args: ["taint", "nodes", "$(NODE_NAME)", "--overwrite", `${KEY}=true:NoSchedule`],
      },
      { name: "take", args: ["taint", "nodes", "$(NODE_NAME)", `${KEY}:NoSchedule-`] },
    ]);
  });

  test("have limits, no privileges and nothing of the host but its network", () => {
    for (const { name, resources, securityContext } of containersOf(pod)) {
      expect(Object.keys(resources.limits).sort(), name).toEqual(["cpu", "ephemeral-storage", "memory"]);
      expect(resources.limits["memory"], name).toBe(resources.requests["memory"]);
      expect(securityContext, name).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
    }
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(pod).not.toMatchObject({ hostPID: true });
    expect(pod.volumes).toEqual([]);
  });
});

describe("their account", () => {
  test("may read and patch nodes only", () => {
    expect(graph.get("startup-taint-role").inputs["rules"]).toEqual([
      { apiGroups: [""], resources: ["nodes"], verbs: ["get", "patch"] },
    ]);
  });

  test("has these rights only once the policy narrows them to this taint of its own node", () => {
    expect(graph.get("startup-taint-role-binding").dependencies).toContain("startup-taint-policy-binding");
    expect(graph.get("startup-taint-policy-binding").inputs).toMatchObject({
      spec: { policyName: "mayfly-startup-taint", validationActions: ["Deny"] },
    });
    const Spec = z.object({
      failurePolicy: z.literal("Fail"),
      matchConditions: z.array(z.object({ expression: z.string() })),
      validations: z.array(z.object({ message: z.string() })),
    });
    const spec = Spec.loose().parse(graph.get("startup-taint-policy").inputs["spec"]);
    expect(spec.matchConditions[0]?.expression).toBe(
      'request.userInfo.username == "system:serviceaccount:mayfly-system:startup-taint"',
    );
    expect(spec.validations.map(({ message }) => message)).toEqual([
      "may change the node only that its own pod runs on",
      `may not change other taints than ${KEY}`,
      `may put ${KEY} with effect NoSchedule only`,
      ...["labels", "annotations", "finalizers", "ownerReferences"].map(
        (field) => `may not change metadata.${field} of a node`,
      ),
      ...["podCIDR", "podCIDRs", "providerID", "unschedulable", "configSource", "externalID"].map(
        (field) => `may not change spec.${field} of a node`,
      ),
    ]);
  });
});
