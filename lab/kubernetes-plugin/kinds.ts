/** Where the API server serves a kind. */
export interface Endpoint {
  readonly apiVersion: string;
  readonly kind: string;
  /** The last part of its URL, such as `networkpolicies`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

const NAMESPACED: Readonly<Record<string, string>> = {
  v1: "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount",
  "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
  "autoscaling/v1": "HorizontalPodAutoscaler",
  "autoscaling/v2": "HorizontalPodAutoscaler",
  "batch/v1": "CronJob Job",
  "coordination.k8s.io/v1": "Lease",
  "discovery.k8s.io/v1": "EndpointSlice",
  "networking.k8s.io/v1": "Ingress NetworkPolicy",
  "policy/v1": "PodDisruptionBudget",
  "rbac.authorization.k8s.io/v1": "Role RoleBinding",
  "storage.k8s.io/v1": "CSIStorageCapacity",
};

const CLUSTER: Readonly<Record<string, string>> = {
  v1: "Namespace Node PersistentVolume",
  "admissionregistration.k8s.io/v1":
    "MutatingWebhookConfiguration ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration",
  "apiextensions.k8s.io/v1": "CustomResourceDefinition",
  "apiregistration.k8s.io/v1": "APIService",
  "certificates.k8s.io/v1": "CertificateSigningRequest",
  "flowcontrol.apiserver.k8s.io/v1": "FlowSchema PriorityLevelConfiguration",
  "networking.k8s.io/v1": "IngressClass",
  "node.k8s.io/v1": "RuntimeClass",
  "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding",
  "scheduling.k8s.io/v1": "PriorityClass",
  "storage.k8s.io/v1": "CSIDriver CSINode StorageClass VolumeAttachment",
};

const has = (table: Readonly<Record<string, string>>, apiVersion: string, kind: string): boolean =>
  (table[apiVersion] ?? "").split(" ").includes(kind);

function pluralOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower === "endpoints") return lower;
  if (lower.endsWith("s")) return `${lower}es`;
  return lower.endsWith("y") ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

/**
 * The endpoint of a kind that every Kubernetes serves, known without asking: discovery of a whole cluster is over a
 * hundred requests. Other kinds are looked up one API version at a time (cluster.ts).
 */
export function builtinEndpoint(apiVersion: string, kind: string): Endpoint | undefined {
  const namespaced = has(NAMESPACED, apiVersion, kind);
  if (!namespaced && !has(CLUSTER, apiVersion, kind)) return undefined;
  return { apiVersion, kind, plural: pluralOf(kind), namespaced };
}

/** The URL path of an object, or of its collection where `name` is undefined. */
export function pathOf(endpoint: Endpoint, namespace: string | undefined, name: string | undefined): string {
  const root = endpoint.apiVersion.includes("/")
    ? `/apis/${endpoint.apiVersion}`
    : `/api/${endpoint.apiVersion}`;
  const scope = endpoint.namespaced ? `/namespaces/${encodeURIComponent(namespace ?? "default")}` : "";
  const item = name === undefined ? "" : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${endpoint.plural}${item}`;
}
