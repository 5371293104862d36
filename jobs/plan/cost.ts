import type { Pool } from "../../schema/contract.ts";
import type { SparkPlan } from "../../schema/plan.ts";
import type { PodSize, RunSize } from "./fit.ts";

/** A pod's share of a node: that of its scarcest resource, since what is left beside it can't be used in that ratio. */
const share = (pod: PodSize, { allocatable }: Pool): number =>
  Math.max(pod.cpu / allocatable.cpu, pod.memory / allocatable.memory);

/**
 * What the run costs per hour, an estimate: the shares of nodes it fills at the pools' prices, with the least of its services. Undefined where a price is not
 * known, or the pools' currencies differ.
 */
export function estimateCost(size: RunSize, coordinator: Pool, workers: Pool): SparkPlan["cost"] {
  const [one, other] = [coordinator.pricePerHour, workers.pricePerHour];
  if (one === undefined || other === undefined || one.currency !== other.currency) return undefined;
  const perHour =
    share(size.coordinator, coordinator) * one.amount +
    share(size.worker, workers) * size.workers * other.amount +
    size.services.reduce((sum, { pod, min }) => sum + share(pod, workers) * min, 0) * other.amount;
  return {
    perHour: Math.round(perHour * 10_000) / 10_000,
    currency: one.currency,
    asOf: one.asOf < other.asOf ? one.asOf : other.asOf,
  };
}
