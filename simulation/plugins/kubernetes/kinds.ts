/** Built-in kinds without a namespace: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/ */
const CLUSTER_WIDE = new Set([
  "v1/Namespace",
  "v1/Node",
  "v1/PersistentVolume",
  "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration",
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding",
  "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration",
  "apiextensions.k8s.io/v1/CustomResourceDefinition",
  "apiregistration.k8s.io/v1/APIService",
  "certificates.k8s.io/v1/CertificateSigningRequest",
  "flowcontrol.apiserver.k8s.io/v1/FlowSchema",
  "flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration",
  "networking.k8s.io/v1/IngressClass",
  "node.k8s.io/v1/RuntimeClass",
  "rbac.authorization.k8s.io/v1/ClusterRole",
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding",
  "scheduling.k8s.io/v1/PriorityClass",
  "storage.k8s.io/v1/CSIDriver",
  "storage.k8s.io/v1/CSINode",
  "storage.k8s.io/v1/StorageClass",
  "storage.k8s.io/v1/VolumeAttachment",
]);

/** API groups of Kubernetes itself. All others belong to whatever is installed in a cluster. */
const isBuiltIn = (apiVersion: string): boolean =>
  !apiVersion.includes(".") ||
  apiVersion.split("/")[0]?.endsWith(".k8s.io") === true ||
  apiVersion === "policy/v1";

/**
 * Whether an object of this kind without a namespace is meant for `default`. Of custom resources nobody knows here: they stay as the
 * program describes them.
 */
export const isNamespaced = (apiVersion: string, kind: string): boolean =>
  isBuiltIn(apiVersion) && !kind.endsWith("List") && !CLUSTER_WIDE.has(`${apiVersion}/${kind}`);

/** Fields that the API server refuses to change, so that a new value needs a new object. */
const IMMUTABLE: Readonly<Record<string, readonly string[]>> = {
  "v1/PersistentVolumeClaim": [
    "spec.accessModes",
    "spec.selector",
    "spec.storageClassName",
    "spec.volumeMode",
  ],
  "v1/Pod": ["spec"],
  "v1/ResourceQuota": ["spec.scopes", "spec.scopeSelector"],
  "v1/Secret": ["type"],
  "v1/Service": ["spec.clusterIP"],
  "apps/v1/DaemonSet": ["spec.selector"],
  "apps/v1/Deployment": ["spec.selector"],
  "apps/v1/ReplicaSet": ["spec.selector"],
  "apps/v1/StatefulSet": [
    "spec.podManagementPolicy",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/v1/Job": [
    "spec.completionMode",
    "spec.completions",
    "spec.podFailurePolicy",
    "spec.selector",
    "spec.template",
  ],
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1/RoleBinding": ["roleRef"],
  "scheduling.k8s.io/v1/PriorityClass": ["preemptionPolicy", "value"],
  "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
};

/** What an object is, and where. */
const IDENTITY = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

/** What the provider's configuration says about changing data in place. */
export interface Mutability {
  readonly configMaps: boolean;
  readonly secrets: boolean;
}

/**
 * Paths whose change needs a new object. Pods read ConfigMaps and Secrets once, so the official provider replaces them unless told
 * that they may change: https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/ (enableConfigMapMutable).
 */
export function replacesOf(
  apiVersion: string,
  kind: string,
  immutable: boolean,
  mutability: Mutability,
): readonly string[] {
  const type = `${apiVersion}/${kind}`;
  const data =
    (type === "v1/ConfigMap" && (immutable || !mutability.configMaps)) ||
    (type === "v1/Secret" && (immutable || !mutability.secrets));
  return [...IDENTITY, ...(IMMUTABLE[type] ?? []), ...(data ? ["data", "binaryData", "stringData"] : [])];
}
