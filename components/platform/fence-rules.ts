import type { types } from "@pulumi/kubernetes";
import { FENCE_LABEL } from "../core/labels.ts";

type PolicySpec = types.input.admissionregistration.v1.ValidatingAdmissionPolicySpec;

const RUN_LABEL = "mayfly.dev/run";

/** Kinds that a run's helper makes. Pods and whatever else controllers make are not among them: those carry no fence. */
const KINDS = [
  {
    apiGroups: [""],
    resources: ["configmaps", "limitranges", "resourcequotas", "secrets", "serviceaccounts", "services"],
  },
  { apiGroups: ["apps"], resources: ["statefulsets"] },
  { apiGroups: ["batch"], resources: ["jobs"] },
  { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"] },
  { apiGroups: ["policy"], resources: ["poddisruptionbudgets"] },
];

const label = (object: string, key: string): string => `${object}.metadata.?labels[?'${key}'].orValue('')`;

/** Kubernetes' own users: controllers put finalizers on objects and take them off, whatever fence those carry. */
const BY_KUBERNETES =
  "request.userInfo.username in ['system:kube-controller-manager', 'system:kube-scheduler', 'system:apiserver'] || " +
  "request.userInfo.username.startsWith('system:serviceaccount:kube-system:') || " +
  "request.userInfo.username.startsWith('system:node:')";

/**
 * What a helper makes or changes in a run's namespace must carry the fence that the namespace has now. A helper whose lease another one
 * took over, and whose Pulumi process goes on regardless, is refused by the API server itself. Deletes are always allowed, and
 * namespaces without a fence are left alone.
 */
export const OBJECT_FENCE: PolicySpec = {
  failurePolicy: "Fail",
  matchConstraints: {
    namespaceSelector: {
      matchExpressions: [RUN_LABEL, FENCE_LABEL].map((key) => ({ key, operator: "Exists" })),
    },
    resourceRules: KINDS.map((kinds) => ({
      ...kinds,
      apiVersions: ["v1"],
      operations: ["CREATE", "UPDATE"],
      scope: "Namespaced",
    })),
  },
  matchConditions: [
    {
      name: "mayflys",
      expression: `${label("object", "app.kubernetes.io/managed-by")} == 'mayfly' || ${label("object", FENCE_LABEL)} != ''`,
    },
    { name: "stays", expression: "!has(object.metadata.deletionTimestamp)" },
    { name: "not-by-kubernetes", expression: `!(${BY_KUBERNETES})` },
  ],
  variables: [
    { name: "theirs", expression: label("object", FENCE_LABEL) },
    { name: "current", expression: label("namespaceObject", FENCE_LABEL) },
  ],
  validations: [
    {
      expression: "variables.theirs == variables.current",
      messageExpression:
        "'another helper works on this run: the object has fence ' + (variables.theirs == '' ? 'none' : variables.theirs) + ', its namespace ' + variables.current",
      reason: "Forbidden",
    },
  ],
};

/** The fence of a run's namespace only grows, and the namespace stays with its run: else a stale helper could let itself in again. */
export const NAMESPACE_FENCE: PolicySpec = {
  failurePolicy: "Fail",
  matchConstraints: {
    resourceRules: [
      {
        apiGroups: [""],
        apiVersions: ["v1"],
        operations: ["UPDATE"],
        resources: ["namespaces"],
        scope: "Cluster",
      },
    ],
  },
  matchConditions: [
    {
      name: "fenced-run",
      expression: `${label("oldObject", RUN_LABEL)} != '' && ${label("oldObject", FENCE_LABEL)} != ''`,
    },
  ],
  variables: [
    { name: "before", expression: label("oldObject", FENCE_LABEL) },
    { name: "after", expression: label("object", FENCE_LABEL) },
  ],
  validations: [
    {
      expression: `${label("object", RUN_LABEL)} == ${label("oldObject", RUN_LABEL)}`,
      message: `a namespace stays with its run: label ${RUN_LABEL} may not change`,
      reason: "Forbidden",
    },
    {
      // What is no number counts as 0, so that a label set by hand can be put right.
      expression:
        "variables.after.matches('^[0-9]{1,9}$') && int(variables.after) >= (variables.before.matches('^[0-9]{1,9}$') ? int(variables.before) : 0)",
      messageExpression:
        "'another helper works on this run: the fence of its namespace is ' + variables.before + ' and only grows'",
      reason: "Forbidden",
    },
  ],
};
