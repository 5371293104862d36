import type { FlinkPlan, Plan } from "../../schema/plan.ts";
import type { FlinkRest } from "../flink/index.ts";
import type {
  ContainerLog,
  Leftovers,
  NamespaceState,
  ObservedRun,
  WatchOptions,
  WatchResult,
} from "../watch/index.ts";
import type { Environment } from "./environment.ts";

/** What runs ask of the cluster: jobs/watch, bound to one. Tests have their own. */
export interface RunCluster {
  /** That it answers, lets us in and is the contract's. @throws UserError */
  readonly check: () => Promise<void>;
  /** That the admission policies of the contract's fence are there. @throws UserError `fence-missing` */
  readonly checkFence: () => Promise<void>;
  /** @throws UserError */
  readonly checkSecrets: (plan: Plan) => Promise<void>;
  readonly namespaceState: (namespace: string) => Promise<NamespaceState>;
  /** @param fence Of the run's lease, where it has one. */
  readonly deliverSecrets: (plan: Plan, signal: AbortSignal, fence?: number) => Promise<void>;
  readonly watch: (plan: Plan, options: WatchOptions) => Promise<WatchResult>;
  /** One look at the pods, without an own watch. */
  readonly pods: (namespace: string) => Promise<ObservedRun>;
  readonly followLog: (
    target: { readonly namespace: string; readonly pod: string; readonly container: string },
    onLine: (line: string) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  readonly logs: (namespace: string, signal: AbortSignal) => AsyncIterable<ContainerLog>;
  readonly leftovers: (plan: Plan) => Promise<Leftovers>;
  readonly waitGone: (namespace: string, signal: AbortSignal) => Promise<readonly string[]>;
  /** @param guard Awaited before each delete. */
  readonly removeNamespace: (plan: Plan, guard?: () => Promise<void>) => Promise<boolean>;
  /** Flink's REST of the plan's attempt. Loads what is needed for it; talks to nobody yet. */
  readonly flink: (plan: FlinkPlan) => Promise<FlinkRest>;
  readonly close: () => void;
}

/** A fence that was there a moment ago is: a worker with many runs need not ask for each. */
const FENCE_CHECKED_MS = 10_000;

/** More of one container's log than this is not saved; its end is. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;

/** Opens an environment's cluster. Loads the Kubernetes client; talks to nobody yet. @throws UserError */
export async function openRunCluster(
  connection: Environment["connection"],
  expect: () => Promise<Pick<Environment["contract"], "clusterId" | "name" | "fence">>,
): Promise<RunCluster> {
  const watch = await import("../watch/index.ts");
  const cluster = await watch.openCluster(connection.kubeconfig);
  let fenceChecked = Number.NEGATIVE_INFINITY;
  return {
    check: async () => {
      const { clusterId, name } = await expect();
      await watch.checkCluster(cluster, { clusterId, environment: name });
    },
    checkFence: async () => {
      const { fence } = await expect();
      const now = performance.now();
      if (fence === undefined || now - fenceChecked < FENCE_CHECKED_MS) return;
      await watch.checkFence(cluster, fence.policies);
      fenceChecked = now;
    },
    checkSecrets: (plan) => watch.checkSecrets(cluster, plan),
    namespaceState: (namespace) => watch.namespaceState(cluster, namespace),
    deliverSecrets: (plan, signal, fence) => watch.deliverSecrets(cluster, plan, { signal, fence }),
    watch: (plan, options) => watch.watchRun(cluster, plan, options),
    pods: (namespace) => watch.observePods(cluster, namespace),
    followLog: (target, onLine, signal) => watch.followLog(cluster, target, onLine, signal),
    logs: (namespace, signal) => watch.containerLogs(cluster, namespace, { maxBytes: MAX_LOG_BYTES, signal }),
    leftovers: ({ run, namespace }) => watch.findLeftovers(cluster, { run, namespace }),
    waitGone: (namespace, signal) => watch.waitGone(cluster, namespace, signal),
    removeNamespace: ({ run, namespace }, guard) => watch.removeNamespace(cluster, { run, namespace }, guard),
    flink: async (plan) => {
      const { openFlink } = await import("../flink/index.ts");
      return openFlink(cluster, plan);
    },
    close: () => {
      cluster.close();
    },
  };
}
