import type { types } from "@pulumi/kubernetes";
import { FENCE_LABEL } from "../core/labels.ts";
import { WRITTEN } from "./worker-rights.ts";

type PolicySpec = types.input.admissionregistration.v1.ValidatingAdmissionPolicySpec;

/** Whom the policies narrow, and to what. */
export interface WorkerBounds {
  /** Its user name: `system:serviceaccount:<namespace>:<name>`. */
  readonly user: string;
  readonly environment: string;
  /** Ids of the environment's tenants. */
  readonly tenants: readonly string[];
}

const label = (object: string, key: string): string => `${object}.metadata.?labels[?'${key}'].orValue('')`;

const isOurs = (namespace: string, environment: string, role: "run" | "tenant"): string =>
  [
    `${label(namespace, "app.kubernetes.io/managed-by")} == 'mayfly'`,
    `${label(namespace, "mayfly.dev/role")} == '${role}'`,
    `${label(namespace, "mayfly.dev/environment")} == '${environment}'`,
  ].join(" && ");

/** Whether a namespace is one of this environment's runs. */
const isRuns = (namespace: string, environment: string): string =>
  `${isOurs(namespace, environment, "run")} && ${label(namespace, "mayfly.dev/run")} != ''`;

/** Whether it is the long-lived one of a tenant of this environment. */
const isTenants = (namespace: string, environment: string): string =>
  isOurs(namespace, environment, "tenant");

const byWorker = (user: string) => [
  { name: "by-the-worker", expression: `request.userInfo.username == '${user}'` },
];

/** Annotations of a tenant's namespace, by which a helper shuts out those before it (jobs/watch/fence.ts). */
const FENCE_NOTE = "fence.mayfly.dev/";

/** Members of a namespace's metadata that are maps, before and after an update; empty for all else. */
const maps = (["labels", "annotations"] as const).flatMap((field) =>
  (["oldObject", "object"] as const).map((object) => ({
    name: `${object}_${field}`,
    expression: `request.operation == 'UPDATE' ? ${object}.metadata.?${field}.orValue({}) : {}`,
  })),
);

/** Both maps are the same, but for keys of which `but` holds. */
function sameMaps(field: "labels" | "annotations", but: string): string {
  const within = (one: string, other: string): string =>
    `variables.${one}.all(key, ${but} || (key in variables.${other} && variables.${other}[key] == variables.${one}[key]))`;
  const [before, after] = [`oldObject_${field}`, `object_${field}`];
  return `${within(before, after)} && ${within(after, before)}`;
}

const unchanged = (field: string) => ({
  expression: `request.operation != 'UPDATE' || object.metadata.?${field} == oldObject.metadata.?${field}`,
  message: `a worker may not change metadata.${field} of a namespace`,
  reason: "Forbidden",
});

/**
 * A worker makes namespaces for runs of this environment's tenants, changes nothing of them but their fence, and deletes no others.
 * So it can't make a namespace one of a run's that is none. At tenants' namespaces it notes fences.
 */
export const namespacePolicy = ({ user, environment, tenants }: WorkerBounds): PolicySpec => ({
  failurePolicy: "Fail",
  matchConstraints: {
    resourceRules: [
      {
        apiGroups: [""],
        apiVersions: ["v1"],
        operations: ["CREATE", "UPDATE", "DELETE"],
        resources: ["namespaces"],
        scope: "Cluster",
      },
    ],
  },
  matchConditions: byWorker(user),
  variables: [
    { name: "subject", expression: "request.operation == 'CREATE' ? object : oldObject" },
    { name: "tenant", expression: label("variables.subject", "mayfly.dev/tenant") },
    { name: "runs", expression: isRuns("variables.subject", environment) },
    { name: "tenants", expression: isTenants("variables.subject", environment) },
    ...maps,
  ],
  validations: [
    {
      expression: "variables.runs || (request.operation == 'UPDATE' && variables.tenants)",
      message: `a worker may make, change and delete namespaces of runs of environment ${environment} only`,
      reason: "Forbidden",
    },
    {
      expression: `request.operation != 'CREATE' || (variables.tenant in [${tenants.map((id) => `'${id}'`).join(", ")}] && object.metadata.name.startsWith(variables.tenant + '-'))`,
      message: "a run's namespace has one of the environment's tenants, and a name that begins with it",
      reason: "Forbidden",
    },
    {
      expression: `request.operation != 'CREATE' || ${label("object", "pod-security.kubernetes.io/enforce")} == 'restricted'`,
      message: "a run's namespace enforces Pod Security restricted",
      reason: "Forbidden",
    },
    {
      expression: sameMaps("labels", `(variables.runs && key == '${FENCE_LABEL}')`),
      message: `a worker may change no label of a namespace but ${FENCE_LABEL} of a run's`,
      reason: "Forbidden",
    },
    {
      expression: sameMaps("annotations", `(variables.tenants && key.startsWith('${FENCE_NOTE}'))`),
      message: `a worker may change no annotation of a namespace but ${FENCE_NOTE}… of a tenant's`,
      reason: "Forbidden",
    },
    ...["finalizers", "ownerReferences"].map(unchanged),
  ],
});

const POD_KINDS = "['deployments', 'jobs', 'statefulsets']";

/**
 * A worker makes, changes and deletes objects in namespaces of this environment's runs only. That also keeps it from reading by way of
 * writing: a patch that changes nothing is answered with the whole object.
 */
export const objectPolicy = ({ user, environment }: WorkerBounds): PolicySpec => ({
  failurePolicy: "Fail",
  matchConstraints: {
    // A kind that has more versions is judged as v1, whichever the request is in (matchPolicy Equivalent, the default).
    resourceRules: [
      ...WRITTEN.map(({ apiGroups, resources }) => ({
        apiGroups,
        apiVersions: ["v1"],
        operations: ["CREATE", "UPDATE", "DELETE"],
        resources,
        scope: "Namespaced",
      })),
      // What listens on a pod's loopback trusts whoever gets there.
      {
        apiGroups: [""],
        apiVersions: ["v1"],
        operations: ["CONNECT"],
        resources: ["pods/portforward"],
        scope: "Namespaced",
      },
    ],
  },
  matchConditions: byWorker(user),
  validations: [
    {
      expression: isRuns("namespaceObject", environment),
      message: `a worker may write in namespaces of runs of environment ${environment} only`,
      reason: "Forbidden",
    },
    {
      // Which roles, RBAC says.
      expression:
        "request.operation == 'DELETE' || request.resource.resource != 'rolebindings' || (object.roleRef.kind == 'ClusterRole' && object.?subjects.orValue([]).all(subject, subject.kind == 'ServiceAccount' && subject.?namespace.orValue('') == request.namespace))",
      message: "roles in a run's namespace are bound to its own service accounts only",
      reason: "Forbidden",
    },
    {
      expression: `request.operation == 'DELETE' || !(request.resource.resource in ${POD_KINDS}) || object.spec.template.spec.?automountServiceAccountToken.orValue(true) == false`,
      message: "pods of a run get no token of the Kubernetes API: automountServiceAccountToken is not false",
      reason: "Forbidden",
    },
    {
      expression:
        "request.operation == 'DELETE' || request.resource.resource != 'services' || (object.spec.?type.orValue('ClusterIP') == 'ClusterIP' && object.spec.?externalIPs.orValue([]).size() == 0)",
      message: "services of a run are of type ClusterIP, without external addresses",
      reason: "Forbidden",
    },
  ],
});
