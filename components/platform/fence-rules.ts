import type { types } from "@pulumi/kubernetes";
import { FENCE_LABEL } from "../core/labels.ts";

type PolicySpec = types.input.admissionregistration.v1.ValidatingAdmissionPolicySpec;
type ParamRef = types.input.admissionregistration.v1.ParamRef;

/** A policy, and what its binding compares with beside the request. */
interface Rules {
  readonly spec: PolicySpec;
  readonly paramRef?: ParamRef;
}

const RUN_LABEL = "mayfly.dev/run";
const TENANT_LABEL = "mayfly.dev/tenant";
const ENVIRONMENT_LABEL = "mayfly.dev/environment";
const ROLE_LABEL = "mayfly.dev/role";

/**
 * With the run's id behind it, an annotation of the tenant's namespace: `<fence> <when>`, written by whoever takes a run over. It is there
 * before the run's namespace is, or after it, when there is no label to compare with.
 */
const NOTED = "fence.mayfly.dev/";

/** Kinds that a run's helper makes. Pods and whatever else controllers make are not among them: those carry no fence. */
const KINDS = [
  {
    apiGroups: [""],
    resources: ["configmaps", "limitranges", "resourcequotas", "secrets", "serviceaccounts", "services"],
  },
  { apiGroups: ["apps"], resources: ["deployments", "statefulsets"] },
  { apiGroups: ["autoscaling"], resources: ["horizontalpodautoscalers"] },
  { apiGroups: ["batch"], resources: ["jobs"] },
  { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"] },
  { apiGroups: ["policy"], resources: ["poddisruptionbudgets"] },
  { apiGroups: ["rbac.authorization.k8s.io"], resources: ["rolebindings"] },
];

const label = (object: string, key: string): string => `${object}.metadata.?labels[?'${key}'].orValue('')`;

/** Kubernetes' own users: controllers put finalizers on objects and take them off, whatever fence those carry. */
const BY_KUBERNETES =
  "request.userInfo.username in ['system:kube-controller-manager', 'system:kube-scheduler', 'system:apiserver'] || " +
  "request.userInfo.username.startsWith('system:serviceaccount:kube-system:') || " +
  "request.userInfo.username.startsWith('system:node:')";

/** All that the kinds above consist of beside their status. */
const PARTS = [
  ...["spec", "data", "binaryData", "immutable", "type"],
  ...["automountServiceAccountToken", "secrets", "imagePullSecrets", "roleRef", "subjects"],
];

/**
 * Before it changes an object for the first time, Pulumi's provider has the fields that it made handed to its server-side apply, by a patch
 * of `managedFields` alone: the object still has the fence with which it was made.
 */
const CHANGES = [
  "request.operation == 'CREATE'",
  ...PARTS.map((part) => `object.?${part} != oldObject.?${part}`),
  ...["labels", "annotations"].map((part) => `object.metadata.?${part} != oldObject.metadata.?${part}`),
].join(" || ");

/** Namespaces of the environment's runs that have a fence. */
const fencedRuns = (environment: string): types.input.meta.v1.LabelSelector => ({
  matchLabels: { [ENVIRONMENT_LABEL]: environment },
  matchExpressions: [RUN_LABEL, FENCE_LABEL].map((key) => ({ key, operator: "Exists" })),
});

/** What is no number counts as 0, so that a label set by hand can be put right. */
const number = (text: string): string => `(${text}.matches('^[0-9]{1,9}$') ? int(${text}) : 0)`;

/**
 * What a helper makes or changes in a run's namespace must carry the fence that the namespace has now. A helper whose lease another one
 * took over, and whose Pulumi process goes on regardless, is refused by the API server itself. Deletes are always allowed, and
 * namespaces without a fence are left alone.
 */
const objectFence = (environment: string): PolicySpec => ({
  failurePolicy: "Fail",
  matchConstraints: {
    namespaceSelector: fencedRuns(environment),
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
    { name: "changes", expression: CHANGES },
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
});

/**
 * The fence of a run's namespace only grows, and the namespace stays with its run: else a stale helper could let itself in again. Nor can
 * it make the namespace once another helper has noted a higher fence.
 */
const namespaceFence = (environment: string): PolicySpec => ({
  failurePolicy: "Fail",
  paramKind: { apiVersion: "v1", kind: "Namespace" },
  matchConstraints: {
    // Of an update, either the old or the new object.
    objectSelector: fencedRuns(environment),
    resourceRules: [
      {
        apiGroups: [""],
        apiVersions: ["v1"],
        operations: ["CREATE", "UPDATE"],
        resources: ["namespaces"],
        scope: "Cluster",
      },
    ],
  },
  variables: [
    { name: "made", expression: "request.operation == 'CREATE'" },
    { name: "run", expression: label("object", RUN_LABEL) },
    { name: "after", expression: label("object", FENCE_LABEL) },
    { name: "before", expression: `variables.made ? '' : ${label("oldObject", FENCE_LABEL)}` },
    {
      // Each tenant's namespace is asked about each run.
      name: "noted",
      expression:
        `${label("params", TENANT_LABEL)} == ${label("object", TENANT_LABEL)} ` +
        `? params.metadata.?annotations[?('${NOTED}' + variables.run)].orValue('').split(' ')[0] : ''`,
    },
  ],
  validations: [
    {
      expression: `variables.made || ${label("oldObject", RUN_LABEL)} in ['', variables.run]`,
      message: `a namespace stays with its run: label ${RUN_LABEL} may not change`,
      reason: "Forbidden",
    },
    {
      expression: `variables.made || variables.before == '' || variables.after.matches('^[0-9]{1,9}$') && ${number("variables.after")} >= ${number("variables.before")}`,
      messageExpression:
        "'another helper works on this run: the fence of its namespace is ' + variables.before + ' and only grows'",
      reason: "Forbidden",
    },
    {
      expression: `!variables.made || ${number("variables.after")} >= ${number("variables.noted")}`,
      messageExpression:
        "'another helper works on this run: the namespace has fence ' + variables.after + ', the run ' + variables.noted",
      reason: "Forbidden",
    },
  ],
});

/** The policies of an environment's fence, by name. They judge what is the environment's, so that others may be on the same cluster. */
export const fenceRules = (
  environment: string,
): Readonly<Record<"fence-objects" | "fence-namespaces", Rules>> => ({
  "fence-objects": { spec: objectFence(environment) },
  "fence-namespaces": {
    spec: namespaceFence(environment),
    paramRef: {
      selector: { matchLabels: { [ENVIRONMENT_LABEL]: environment, [ROLE_LABEL]: "tenant" } },
      parameterNotFoundAction: "Allow",
    },
  },
});
