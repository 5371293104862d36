import { type Json, textAt } from "../json.ts";
import {
  judgeClaim,
  judgeDefinition,
  judgeIngress,
  judgeQuota,
  judgeSecret,
  judgeService,
  judgeVolume,
} from "./others.ts";
import { judgePod } from "./pods.ts";
import type { Judge } from "./verdict.ts";
import {
  judgeDaemonSet,
  judgeDeployment,
  judgeJob,
  judgeReplicationController,
  judgeStatefulSet,
} from "./workloads.ts";

/** How long an object may take by default, in milliseconds: the official plugin's figures. */
export const DEFAULT_TIMEOUT = 10 * 60_000;

/** How a kind's readiness is found. */
export interface Readiness {
  readonly judge: Judge;
  readonly timeout: number;
  /** A delete with `pulumi.com/skipAwait` does not wait for these kinds to be gone. */
  readonly skippableDelete?: true;
}

const workload = (judge: Judge): Readiness => ({ judge, timeout: DEFAULT_TIMEOUT, skippableDelete: true });
const other = (judge: Judge, timeout = DEFAULT_TIMEOUT): Readiness => ({ judge, timeout });

/** Kinds that are not ready the moment they exist. All others are. */
const READINESS: Readonly<Record<string, Readiness>> = {
  "v1/PersistentVolume": other(judgeVolume, 5 * 60_000),
  "v1/PersistentVolumeClaim": other(judgeClaim, 5 * 60_000),
  "v1/Pod": workload(judgePod),
  "v1/ReplicationController": workload(judgeReplicationController),
  "v1/ResourceQuota": other(judgeQuota, 60_000),
  "v1/Secret": other(judgeSecret, 60_000),
  "v1/Service": other(judgeService),
  "apiextensions.k8s.io/v1/CustomResourceDefinition": other(judgeDefinition, 60_000),
  "apps/v1/DaemonSet": workload(judgeDaemonSet),
  "apps/v1/Deployment": workload(judgeDeployment),
  "apps/v1/StatefulSet": workload(judgeStatefulSet),
  "batch/v1/Job": workload(judgeJob),
  "networking.k8s.io/v1/Ingress": other(judgeIngress),
};

const typeOf = (object: Json): string =>
  `${textAt(object, "apiVersion") ?? ""}/${textAt(object, "kind") ?? ""}`;

/** How to tell that `object` is ready; undefined where existing is enough. */
export const readinessOf = (object: Json): Readiness | undefined => READINESS[typeOf(object)];

/** Whether a delete may go without waiting where the program asks so. */
export const mayLeaveDeleting = (object: Json): boolean => {
  const type = typeOf(object);
  return type === "v1/Namespace" || READINESS[type]?.skippableDelete === true;
};
