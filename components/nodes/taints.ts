import type { Taint } from "./autoscaler-tags.ts";

/** Keeps everything but runs off a pool. */
export const RUNS_TAINT: Taint = { key: "mayfly.dev/runs", value: "true", effect: "NoSchedule" };

/** Keeps pods that must not be interrupted off spot nodes. */
export const SPOT_TAINT: Taint = { key: "mayfly.dev/capacity", value: "spot", effect: "NoSchedule" };

/**
 * On a new node until Calico enforces policies there; the platform's start-up taint controller takes it off. The prefix
 * tells Cluster Autoscaler that it passes:
 * https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#how-can-i-prevent-cluster-autoscaler-from-scaling-down-a-particular-node
 */
export const STARTUP_TAINT: Taint = {
  key: "startup-taint.cluster-autoscaler.kubernetes.io/calico",
  value: "true",
  effect: "NoSchedule",
};

/** Effects as EKS writes them. */
export const EKS_EFFECTS: Readonly<Record<Taint["effect"], string>> = {
  NoSchedule: "NO_SCHEDULE",
  PreferNoSchedule: "PREFER_NO_SCHEDULE",
  NoExecute: "NO_EXECUTE",
};
