import { at, numberAt, textAt } from "../json.ts";
import { conditionOf, explain, failed, isObserved, type Judge, pending, READY } from "./verdict.ts";

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Rolled out: every replica is of the newest template and available, and none of an older one is left. */
export const judgeDeployment: Judge = (deployment) => {
  if (!isObserved(deployment)) return pending("waiting for the controller to see the Deployment");
  const progressing = conditionOf(deployment, "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded") return failed(explain(progressing));
  const failure = conditionOf(deployment, "ReplicaFailure");
  if (failure?.status === "True") return pending(explain(failure));
  const wanted = numberAt(deployment, ["spec", "replicas"], 1);
  const updated = numberAt(deployment, ["status", "updatedReplicas"]);
  const all = numberAt(deployment, ["status", "replicas"]);
  const available = numberAt(deployment, ["status", "availableReplicas"]);
  if (updated < wanted || available < wanted)
    return pending(`${available} of ${plural(wanted, "pod")} available`);
  if (all > updated) return pending(`${plural(all - updated, "old pod")} left to end`);
  return READY;
};

/** Every replica ready and, for a rolling update, of the newest revision. */
export const judgeStatefulSet: Judge = (set) => {
  if (!isObserved(set)) return pending("waiting for the controller to see the StatefulSet");
  const wanted = numberAt(set, ["spec", "replicas"], 1);
  const ready = numberAt(set, ["status", "readyReplicas"]);
  const replicas = numberAt(set, ["status", "replicas"]);
  if (ready < wanted || replicas !== wanted) return pending(`${ready} of ${plural(wanted, "pod")} ready`);
  if (textAt(set, "spec", "updateStrategy", "type") === "OnDelete") return READY;
  const partition = numberAt(set, ["spec", "updateStrategy", "rollingUpdate", "partition"]);
  const current = textAt(set, "status", "currentRevision");
  const update = textAt(set, "status", "updateRevision");
  const updated = numberAt(set, ["status", "updatedReplicas"]);
  if (current === update || (partition > 0 && updated >= wanted - partition)) return READY;
  return pending(`${updated} of ${plural(wanted, "pod")} updated`);
};

/** Every node that should run it does so with the newest template. */
export const judgeDaemonSet: Judge = (set) => {
  if (!isObserved(set)) return pending("waiting for the controller to see the DaemonSet");
  const wanted = numberAt(set, ["status", "desiredNumberScheduled"]);
  const updated = numberAt(set, ["status", "updatedNumberScheduled"]);
  const ready = numberAt(set, ["status", "numberReady"]);
  if (ready < wanted) return pending(`${ready} of ${plural(wanted, "pod")} ready`);
  if (textAt(set, "spec", "updateStrategy", "type") !== "OnDelete" && updated < wanted)
    return pending(`${updated} of ${plural(wanted, "pod")} updated`);
  return READY;
};

export const judgeReplicationController: Judge = (controller) => {
  const wanted = numberAt(controller, ["spec", "replicas"], 1);
  const available = numberAt(controller, ["status", "availableReplicas"]);
  return available === wanted ? READY : pending(`${available} of ${plural(wanted, "pod")} available`);
};

/** Done when it has completed: a Job without `pulumi.com/skipAwait` is waited for to its end. */
export const judgeJob: Judge = (job) => {
  const failure = conditionOf(job, "Failed");
  if (failure?.status === "True") return failed(explain(failure));
  if (conditionOf(job, "Complete")?.status === "True") return READY;
  if (at(job, "spec", "suspend") === true) return pending("the Job is suspended");
  if (textAt(job, "status", "startTime") === undefined) return pending("waiting for the Job to start");
  const counts = ["active", "succeeded", "failed"].map(
    (name) => `${name} ${numberAt(job, ["status", name])}`,
  );
  return pending(`waiting for the Job to succeed (${counts.join(", ")})`);
};
