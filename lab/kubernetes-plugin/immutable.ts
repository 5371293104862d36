import { at, type JsonRecord, type Step, show } from "./json.ts";

/** What the provider's options say about changing data in place. */
export interface Mutability {
  readonly configMaps: boolean;
  readonly secrets: boolean;
}

const ALWAYS = ["metadata.name", "metadata.namespace"];

/** Fields that the API server refuses to change, so that a new value needs a new object. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  "v1/PersistentVolumeClaim": [
    "spec.accessModes",
    "spec.dataSource",
    "spec.dataSourceRef",
    "spec.selector",
    "spec.storageClassName",
    "spec.volumeMode",
    "spec.volumeName",
  ],
  "v1/ResourceQuota": ["spec.scopes", "spec.scopeSelector"],
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
    "spec.manualSelector",
    "spec.parallelism",
    "spec.podFailurePolicy",
    "spec.selector",
    "spec.successPolicy",
    "spec.template",
  ],
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1/RoleBinding": ["roleRef"],
  "scheduling.k8s.io/v1/PriorityClass": ["preemptionPolicy", "value"],
  "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
};

/** Of a pod's and a volume's spec only these may change, all else is immutable. */
const MUTABLE_SPEC: Readonly<Record<string, readonly string[]>> = {
  "v1/Pod": ["activeDeadlineSeconds", "tolerations"],
  "v1/PersistentVolume": [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
  ],
};

const isUnder = (path: readonly Step[], field: string): boolean => {
  const steps = field.split(".");
  return steps.length <= path.length && steps.every((step, index) => step === path[index]);
};

/** Whether a change of `path` needs the object to be replaced. */
export function isImmutable(object: JsonRecord, path: readonly Step[], mutability: Mutability): boolean {
  if (ALWAYS.some((field) => isUnder(path, field))) return true;
  const type = `${show(object["apiVersion"])}/${show(object["kind"])}`;
  const frozen = at(object, "immutable") === true;
  // Pods read ConfigMaps and Secrets once, so the official plugin replaces them unless told that they may change.
  if (type === "v1/ConfigMap")
    return (frozen || !mutability.configMaps) && ["data", "binaryData"].some((field) => isUnder(path, field));
  if (type === "v1/Secret")
    return (
      isUnder(path, "type") ||
      ((frozen || !mutability.secrets) && ["data", "stringData"].some((field) => isUnder(path, field)))
    );
  const mutable = MUTABLE_SPEC[type];
  if (mutable !== undefined) return path[0] === "spec" && !mutable.some((field) => field === path[1]);
  return (FIELDS[type] ?? []).some((field) => isUnder(path, field));
}
