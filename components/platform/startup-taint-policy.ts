import type { types } from "@pulumi/kubernetes";
import type { Taint } from "../nodes/autoscaler-tags.ts";

/** Fields of a node that may be written without its status and that hold more than bookkeeping. */
const METADATA = ["labels", "annotations", "finalizers", "ownerReferences"];
const SPEC = ["podCIDR", "podCIDRs", "providerID", "unschedulable", "configSource", "externalID"];

const unchanged = (parent: string, field: string) => ({
  expression: `object.${parent}.?${field} == oldObject.${parent}.?${field}`,
  message: `may not change ${parent}.${field} of a node`,
});

/**
 * Narrows what one user may do to nodes to one taint of their own node. The node's name is in the user's token, which the API server
 * binds to the pod (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens);
 * a token that is bound to no pod is refused.
 */
export function taintPolicySpec(
  user: string,
  taint: Taint,
): types.input.admissionregistration.v1.ValidatingAdmissionPolicySpec {
  const others = (node: string): string =>
    `${node}.spec.?taints.orValue([]).filter(t, t.key != ${JSON.stringify(taint.key)})`;
  return {
    failurePolicy: "Fail",
    matchConstraints: {
      resourceRules: [
        {
          apiGroups: [""],
          apiVersions: ["v1"],
          operations: ["UPDATE"],
          resources: ["nodes", "nodes/status"],
        },
      ],
    },
    matchConditions: [
      { name: "startup-taint", expression: `request.userInfo.username == ${JSON.stringify(user)}` },
    ],
    variables: [
      {
        name: "tokensNode",
        expression: "request.userInfo.?extra[?'authentication.kubernetes.io/node-name'].orValue([])",
      },
      { name: "before", expression: others("oldObject") },
      { name: "after", expression: others("object") },
    ],
    validations: [
      {
        expression: "variables.tokensNode.exists(name, name == object.metadata.name)",
        message: "may change the node only that its own pod runs on",
      },
      {
        expression:
          "variables.before.all(t, t in variables.after) && variables.after.all(t, t in variables.before)",
        message: `may not change other taints than ${taint.key}`,
      },
      {
        expression: `object.spec.?taints.orValue([]).filter(t, t.key == ${JSON.stringify(taint.key)}).all(t, t.effect == ${JSON.stringify(taint.effect)})`,
        message: `may put ${taint.key} with effect ${taint.effect} only`,
      },
      ...METADATA.map((field) => unchanged("metadata", field)),
      ...SPEC.map((field) => unchanged("spec", field)),
    ],
  };
}
