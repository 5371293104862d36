/** Labels of one object. */
export type Labels = Readonly<Record<string, string>>;

/** What an object is for; the value of label `mayfly.dev/role`. */
export type Role = "platform" | "tenant" | "run" | "coordinator" | "worker" | `service-${string}`;

const ROLE = "mayfly.dev/role";

/** The labels of one object: those common to its run or tenant, and its own role. */
export const labelled = (common: Labels, role: Role): Record<string, string> => ({ ...common, [ROLE]: role });

/** Holds the fence of the helper that made or last changed an object of a run: a number in digits. */
export const FENCE_LABEL = "mayfly.dev/fence";

/**
 * The labels of a run's object itself, as its helper makes it: with the fence of the lease that the helper holds (docs/leases.md). Never
 * those of a pod template, selector or claim template: a changed fence must not restart anything. Without a fence (a stack that
 * somebody brings up by hand) they are as they were.
 */
export const fenced = (common: Labels, fence: number | undefined): Labels =>
  fence === undefined ? common : { ...common, [FENCE_LABEL]: String(fence) };

/**
 * Options of an object that no update of a run changes: the fence with which it was made stays, so that a later holder of the run's lease
 * writes only what it really changes. What an object's label says counts when it is written.
 */
export const FENCE_STAYS = [`metadata.labels["${FENCE_LABEL}"]`];

/** Selects the pods of the engine, hence of a run without its services. */
export const selectsEngine = {
  matchExpressions: [{ key: ROLE, operator: "In", values: ["coordinator", "worker"] satisfies Role[] }],
};

/** Selects the pods of one role. Enough in a run's namespace, which holds nothing but that run. */
export const selects = (role: Role): Record<string, string> => ({ [ROLE]: role });

/**
 * Pod Security Admission for a namespace: the strictest level in all three modes. The version is pinned so that a cluster
 * upgrade can't change what is admitted (https://kubernetes.io/docs/concepts/security/pod-security-admission/).
 */
export const POD_SECURITY_RESTRICTED: Labels = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/enforce-version": "v1.34",
  "pod-security.kubernetes.io/audit": "restricted",
  "pod-security.kubernetes.io/audit-version": "v1.34",
  "pod-security.kubernetes.io/warn": "restricted",
  "pod-security.kubernetes.io/warn-version": "v1.34",
};
