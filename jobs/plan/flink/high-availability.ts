// A JobManager that Kubernetes starts again: https://nightlies.apache.org/flink/flink-docs-stable/docs/deployment/ha/kubernetes_ha/
import type { FlinkPlan } from "../../../schema/plan.ts";
import { runNames } from "../names.ts";
import { refuse } from "../refusal.ts";
import type { FlinkContext } from "./context.ts";
import { MOUNTS, PORTS } from "./layout.ts";
import { stateRoot } from "./state.ts";

/** The same for all runs: each has a namespace of its own. */
const CLUSTER_ID = "flink";

/** One with the leader's addresses, one with the job's checkpoints. */
const CONFIG_MAPS = 2;

/** Of a JobManager, in all: each after a longer pause of the kubelet's than the one before, at most 5 minutes. */
const RESTARTS = 20;

/** What such a run has beside others. */
export interface HighAvailability {
  readonly own: NonNullable<FlinkPlan["highAvailability"]>;
  readonly kubernetes: NonNullable<FlinkPlan["kubernetes"]>;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Undefined where Mayfly itself starts a lost JobManager again.
 * @throws Refused Where the environment has no such thing, or the tenant may not have it.
 */
export function highAvailability({
  spec,
  contract,
  tenant,
  identity: { run, attempt },
}: FlinkContext): HighAvailability | undefined {
  if (spec.kind === "batch" || spec.highAvailability === "none") return undefined;
  const path = "highAvailability";
  const offered =
    contract.highAvailability ??
    refuse({
      code: "high-availability-unavailable",
      message: `Environment "${contract.name}" has no high availability by Kubernetes.`,
      path,
      hint: "Leave highAvailability out: Mayfly starts a lost JobManager again by itself, on a new cluster.",
    });
  if (tenant.allowHighAvailability !== true) {
    refuse({
      code: "high-availability-not-allowed",
      message: `Tenant "${tenant.id}" may not have high availability by Kubernetes: its jobs would get a token of the Kubernetes API.`,
      path,
      hint: "Leave highAvailability out, or have allowHighAvailability set for the tenant.",
    });
  }
  const storage = `${stateRoot(spec)}/${spec.name}/high-availability/${run}/${attempt}`;
  return {
    own: { storage, clusterId: CLUSTER_ID },
    kubernetes: {
      folder: MOUNTS.kubernetes,
      roles: offered.roles,
      configMaps: CONFIG_MAPS,
      restarts: RESTARTS,
      api: offered.api,
    },
    settings: {
      "high-availability.type": "kubernetes",
      "high-availability.storageDir": storage,
      // Else any free port is taken, which no network policy knows.
      "high-availability.jobmanager.port": String(PORTS.rpc),
      "kubernetes.cluster-id": CLUSTER_ID,
      "kubernetes.namespace": runNames(spec.tenant, spec.name, run, attempt).namespace,
      // The next container would take a job of this id for one that has ended.
      "job-result-store.storage-path": `${storage}/results`,
    },
  };
}
