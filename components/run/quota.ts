import type { types } from "@pulumi/kubernetes";
import type { PlannedContainer, PlannedScratch, SparkPlan } from "../../schema/plan.ts";
import { cpu, mebibytes } from "../core/quantities.ts";

/** How many objects of each kind a run consists of, beside its pods. */
export interface ObjectCounts {
  readonly services: number;
  readonly configMaps: number;
  readonly secrets: number;
  readonly jobs: number;
  readonly statefulSets: number;
  /** Each with one ReplicaSet. */
  readonly deployments: number;
}

/** One scratch volume of each pod of the run. */
export type Volumes = readonly PlannedScratch[];

const claims = (volumes: Volumes): number[] =>
  volumes.filter((volume) => volume.kind === "storageClass").map((volume) => volume.size);

/**
 * The hard limits of a run's namespace: exactly the plan, and zero of whatever a run has no use for. Keys that name no object
 * count (`count/…`) are the classic ones of https://kubernetes.io/docs/concepts/policy/resource-quotas/.
 */
export function quotaHard(
  quota: SparkPlan["quota"],
  counts: ObjectCounts,
  volumes: Volumes,
): Record<string, string> {
  const storage = claims(volumes);
  return {
    "requests.cpu": cpu(quota.cpu),
    "limits.cpu": cpu(quota.cpu),
    "requests.memory": mebibytes(quota.memory),
    "limits.memory": mebibytes(quota.memory),
    "requests.ephemeral-storage": mebibytes(quota.scratch),
    "limits.ephemeral-storage": mebibytes(quota.scratch),
    pods: String(quota.pods),
    persistentvolumeclaims: String(storage.length),
    "requests.storage": mebibytes(storage.reduce((sum, size) => sum + size, 0)),
    services: String(counts.services),
    "services.nodeports": "0",
    "services.loadbalancers": "0",
    // Kubernetes itself puts kube-root-ca.crt into every namespace.
    configmaps: String(counts.configMaps + 1),
    secrets: String(counts.secrets),
    "count/jobs.batch": String(counts.jobs),
    "count/statefulsets.apps": String(counts.statefulSets),
    "count/cronjobs.batch": "0",
    "count/deployments.apps": String(counts.deployments),
    "count/replicasets.apps": String(counts.deployments),
    "count/daemonsets.apps": "0",
    "count/ingresses.networking.k8s.io": "0",
    replicationcontrollers: "0",
    resourcequotas: "1",
  };
}

const largest = (sizes: readonly number[]): number => sizes.reduce((a, b) => Math.max(a, b), 0);

/**
 * The limits of each object in a run's namespace: no container larger than the plan's largest, and limits never above requests.
 * There is no minimum: it would refuse pods for a reason that hides others.
 */
export function limitRangeItems(
  containers: readonly PlannedContainer[],
  volumes: Volumes,
): types.input.core.v1.LimitRangeItem[] {
  const storage = claims(volumes);
  return [
    {
      type: "Container",
      max: {
        cpu: cpu(largest(containers.map((container) => container.cpu))),
        memory: mebibytes(largest(containers.map((container) => container.memory))),
        "ephemeral-storage": mebibytes(largest(containers.map((container) => container.disk))),
      },
      maxLimitRequestRatio: { cpu: "1", memory: "1", "ephemeral-storage": "1" },
    },
    ...(storage.length === 0
      ? []
      : [{ type: "PersistentVolumeClaim", max: { storage: mebibytes(largest(storage)) } }]),
  ];
}
