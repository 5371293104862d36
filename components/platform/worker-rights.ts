import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

type Rule = types.input.rbac.v1.PolicyRule;

/** Kinds that a run is made of, by API group, with what a worker does to them beside making them. */
const MADE: readonly { readonly group: string; readonly kind: string; readonly verbs: readonly string[] }[] =
  [
    // `get` where making one was answered by a broken connection, `list` and `watch` for waits and for leftovers.
    ...["limitranges", "serviceaccounts", "services"].map((kind) => ({
      group: "",
      kind,
      verbs: ["get", "list", "watch"],
    })),
    // Of a stream that is given another size.
    { group: "", kind: "resourcequotas", verbs: ["get", "list", "patch", "watch"] },
    // Customers' secrets are put there by server-side apply. Nobody needs to read Secrets or files of runs.
    { group: "", kind: "secrets", verbs: ["patch"] },
    { group: "", kind: "configmaps", verbs: [] },
    { group: "networking.k8s.io", kind: "networkpolicies", verbs: ["get", "list", "watch"] },
    { group: "policy", kind: "poddisruptionbudgets", verbs: ["get", "list", "watch"] },
    { group: "autoscaling", kind: "horizontalpodautoscalers", verbs: ["get", "list", "watch"] },
    // The rest goes with its namespace; these are deleted before it (components/run/coordinator.ts).
    { group: "batch", kind: "jobs", verbs: ["get", "list", "watch", "delete"] },
    { group: "apps", kind: "statefulsets", verbs: ["get", "list", "patch", "watch", "delete"] },
    { group: "apps", kind: "deployments", verbs: ["get", "list", "watch", "delete"] },
  ];

const RBAC = "rbac.authorization.k8s.io";

const groups = [...new Set(MADE.map(({ group }) => group))];

/** Kinds of which {@link workerRules} lets a worker make, change or delete objects in namespaces, by API group. */
export const WRITTEN: readonly { readonly apiGroups: string[]; readonly resources: string[] }[] = [
  ...groups.map((group) => ({
    apiGroups: [group],
    resources: [
      ...MADE.filter((made) => made.group === group).map(({ kind }) => kind),
      ...(group === "" ? ["pods"] : []),
    ].sort(),
  })),
  { apiGroups: [RBAC], resources: ["rolebindings"] },
];

/** By which a worker reaches Flink's REST. Kubernetes asks for `get` where that is a WebSocket, and for `create` from 1.35 on. */
const PORT_FORWARD: Rule = { apiGroups: [""], resources: ["pods/portforward"], verbs: ["create", "get"] };

/**
 * Who may bind a role has all that it gives, or `bind` for it by name
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#restrictions-on-role-binding-creation-or-update).
 */
const bindingRules = (stateRoles: pulumi.Input<string[]>): Rule[] => [
  { apiGroups: [RBAC], resources: ["rolebindings"], verbs: ["create", "get", "list", "watch"] },
  { apiGroups: [RBAC], resources: ["clusterroles"], resourceNames: stateRoles, verbs: ["bind"] },
];

/**
 * What a worker does in the whole cluster: runs' namespaces come and go, and RBAC knows neither patterns of names nor labels. Admission
 * policies (worker-policies.ts) narrow all writes to namespaces of runs. Reads can't be narrowed, so there are few, and none of
 * Secrets. Without `nodes/proxy`, by which a kubelet tells what runs use: it opens each container of each node too
 * (https://kubernetes.io/docs/concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes).
 * @param fencePolicies Names of the admission policies that a worker looks for before it trusts its fence (jobs/watch/fence-check.ts).
 * @param stateRoles Names of the roles that it may bind in runs' namespaces (state-roles.ts); none where the environment has none.
 */
export const workerRules = (
  fencePolicies: pulumi.Input<string[]>,
  stateRoles?: pulumi.Input<string[]>,
): Rule[] => [
  {
    apiGroups: [""],
    resources: ["namespaces"],
    verbs: ["create", "delete", "get", "list", "patch", "watch"],
  },
  { apiGroups: [""], resources: ["pods"], verbs: ["deletecollection", "get", "list", "watch"] },
  { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
  PORT_FORWARD,
  { apiGroups: [""], resources: ["events"], verbs: ["list", "watch"] },
  ...byVerbs(),
  ...(stateRoles === undefined ? [] : bindingRules(stateRoles)),
  {
    apiGroups: ["admissionregistration.k8s.io"],
    resources: ["validatingadmissionpolicies", "validatingadmissionpolicybindings"],
    resourceNames: fencePolicies,
    verbs: ["get"],
  },
];

/** One rule for the kinds of a group that have the same verbs. */
function byVerbs(): Rule[] {
  const rules = new Map<string, { group: string; kinds: string[]; verbs: string[] }>();
  for (const { group, kind, verbs } of MADE) {
    const key = `${group} ${verbs.join()}`;
    const rule = rules.get(key) ?? { group, kinds: [], verbs: ["create", ...verbs].sort() };
    rule.kinds.push(kind);
    rules.set(key, rule);
  }
  return [...rules.values()].map(({ group, kinds, verbs }) => ({
    apiGroups: [group],
    resources: kinds,
    verbs,
  }));
}

/** What a worker does in tenants' long-lived namespaces: holds runs' leases, and reads the Secrets that a job names, by name. */
export const tenantRules = (): Rule[] => [
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create", "delete", "get", "update"] },
  { apiGroups: [""], resources: ["secrets"], verbs: ["get"] },
];
