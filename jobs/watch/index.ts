// The helper's view of a cluster: looks at it, watches a run, proves that nothing is left of it. Only jobs/engine talks to
// Kubernetes besides.
import type { Plan } from "../../schema/plan.ts";
import type {
  ClusterFacts,
  ContainerLog,
  Leftovers,
  NamespaceState,
  WatchOptions,
  WatchResult,
} from "./types.ts";

export type * from "./observe.ts";
export type * from "./types.ts";

const later = (what: string): never => {
  throw new Error(`${what} is not written yet`);
};

/** A cluster one can talk to. Opaque: made by {@link openCluster}, given to all functions here. */
export interface Cluster {
  /** Address of the API server, for messages. */
  readonly server: string;
  /** Closes kept-alive connections. */
  readonly close: () => void;
}

/**
 * Reads a kubeconfig; talks to nobody yet.
 * @throws UserError `kubeconfig-missing`, `kubeconfig-invalid`
 */
export const openCluster = (_kubeconfig: string, _context?: string): Promise<Cluster> => later("openCluster");

/**
 * Asks whether the cluster answers, lets us in, and is the one that the contract speaks of.
 * @throws UserError `cluster-unreachable`, `cluster-certificate`, `cluster-credentials-expired`, `cluster-unauthorised`,
 * `cluster-forbidden`, `cluster-wrong`
 */
export const checkCluster = (
  _cluster: Cluster,
  _expect: { readonly clusterId?: string; readonly environment?: string } = {},
): Promise<ClusterFacts> => later("checkCluster");

/** Whether a namespace is free, a run's or somebody else's. A foreign one is never to be touched. */
export const namespaceState = (_cluster: Cluster, _name: string): Promise<NamespaceState> =>
  later("namespaceState");

/**
 * Copies the plan's Secrets from the tenant's namespace into the run's, waiting for the latter to exist. Never through Pulumi.
 * @throws UserError `secret-missing`, `secret-key-missing`, `namespace-foreign`, `namespace-late`
 */
export const deliverSecrets = (
  _cluster: Cluster,
  _plan: Plan,
  _options: { readonly signal: AbortSignal; readonly waitSeconds?: number },
): Promise<void> => later("deliverSecrets");

/**
 * Checks before anything is made that the plan's Secrets and keys are there.
 * @throws UserError `secret-missing`, `secret-key-missing`
 */
export const checkSecrets = (_cluster: Cluster, _plan: Plan): Promise<void> => later("checkSecrets");

/**
 * Watches a run until it has an outcome or `signal` aborts. May be called before the namespace exists. Survives dropped
 * watches and an API server that is away for a while.
 */
export const watchRun = (_cluster: Cluster, _plan: Plan, _options: WatchOptions): Promise<WatchResult> =>
  later("watchRun");

/** Gives the lines of a container's log to `onLine` until the container ends or `signal` aborts; follows across reconnects. */
export const followLog = (
  _cluster: Cluster,
  _target: { readonly namespace: string; readonly pod: string; readonly container: string },
  _onLine: (line: string) => void,
  _signal: AbortSignal,
): Promise<void> => later("followLog");

/** The last lines of a container's log, oldest first; empty where there is none yet. */
export const lastLines = (
  _cluster: Cluster,
  _target: {
    readonly namespace: string;
    readonly pod: string;
    readonly container: string;
    readonly lines: number;
  },
): Promise<readonly string[]> => later("lastLines");

/**
 * Every log of every container of a namespace, those before a restart too, one after the other, each at most `maxBytes`
 * (the end is kept). Read each `text` before asking for the next.
 */
export const containerLogs = (
  _cluster: Cluster,
  _namespace: string,
  _options: { readonly maxBytes: number; readonly signal: AbortSignal },
): AsyncIterable<ContainerLog> => later("containerLogs");

/** Lists every object with the run's label or in its namespace, of all kinds that can be listed. */
export const findLeftovers = (
  _cluster: Cluster,
  _run: { readonly run: string; readonly namespace: string },
): Promise<Leftovers> => later("findLeftovers");

/**
 * Waits until a namespace is gone.
 * @returns What blocks it, one line each, when `signal` aborts first; empty when it is gone.
 */
export const waitGone = (
  _cluster: Cluster,
  _namespace: string,
  _signal: AbortSignal,
): Promise<readonly string[]> => later("waitGone");

/**
 * Asks for the deletion of a run's namespace, if its labels say that it is that run's.
 * @returns false when there is none. @throws UserError `namespace-foreign`
 */
export const removeNamespace = (
  _cluster: Cluster,
  _run: { readonly run: string; readonly namespace: string },
): Promise<boolean> => later("removeNamespace");
