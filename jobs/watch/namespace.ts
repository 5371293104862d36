import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { ApiError, isNotFound, isTransient } from "./api.ts";
import { type Cluster, explain, explained } from "./cluster.ts";
import { findLeftovers } from "./leftovers.ts";
import type { NamespaceState } from "./types.ts";
import { Metadata } from "./views.ts";

const Namespace = z.object({
  metadata: Metadata,
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().default("") }))
        .nullish(),
    })
    .nullish(),
});

const path = (name: string): string => `/api/v1/namespaces/${encodeURIComponent(name)}`;

async function read(cluster: Cluster, name: string): Promise<z.infer<typeof Namespace> | undefined> {
  try {
    return Namespace.parse(await cluster.api.get(path(name)));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Whether a namespace is free, a run's or somebody else's. A foreign one is never to be touched. */
export async function namespaceState(cluster: Cluster, name: string): Promise<NamespaceState> {
  return await explained(cluster, async () => {
    const namespace = await read(cluster, name);
    if (namespace === undefined) return { kind: "absent" };
    const { labels, uid, deletionTimestamp } = namespace.metadata;
    const terminating = deletionTimestamp !== undefined;
    const [tenant, job, run] = ["tenant", "job", "run"].map((key) => labels[`mayfly.dev/${key}`]);
    return tenant === undefined || job === undefined || run === undefined
      ? { kind: "foreign", labels, terminating }
      : { kind: "ours", uid, tenant, job, run, terminating };
  });
}

/** Refuses a namespace that is not the run's. */
export const foreign = (namespace: string, run: string): UserError =>
  new UserError(
    "namespace-foreign",
    `Namespace ${namespace} exists and is not of run ${run}: Mayfly neither uses nor deletes it.`,
    {
      path: namespace,
      hint: `Look at it: kubectl get namespace ${namespace} --show-labels. Then rename it, or start the run under another id.`,
      exitCode: EXIT.invalidInput,
    },
  );

/**
 * What pods get to end once their run is over. Their own grace periods are for a drained node, where a worker moves its blocks away
 * for minutes. Less than the five seconds after which Kubernetes begins with a namespace: if it finds pods then, it comes back only
 * after half of their grace period (estimates of its namespaced resources deleter).
 */
const GRACE_SECONDS = 4;

/**
 * Asks for the deletion of a run's namespace and of its pods, if its labels say that it is that run's.
 * @param guard Awaited before each of the two: whoever was stopped in between must not delete what another helper has made since.
 * @returns false when there is none.
 * @throws UserError `namespace-foreign`, and what the guard throws.
 */
export async function removeNamespace(
  cluster: Cluster,
  run: { readonly run: string; readonly namespace: string },
  guard: () => Promise<void> = async () => {
    await Promise.resolve();
  },
): Promise<boolean> {
  const state = await namespaceState(cluster, run.namespace);
  if (state.kind === "absent") return false;
  if (state.kind === "foreign" || state.run !== run.run) throw foreign(run.namespace, run.run);
  const gone = (error: unknown): void => {
    if (!isNotFound(error)) throw error;
  };
  await explained(cluster, async () => {
    const options = { kind: "DeleteOptions", apiVersion: "v1" };
    if (!state.terminating) {
      // Should somebody have replaced the namespace since, its UID differs and the API server refuses.
      const body = { ...options, preconditions: { uid: state.uid } };
      await guard();
      await cluster.api.send("DELETE", path(run.namespace), { body }).catch(gone);
    }
    const body = { ...options, gracePeriodSeconds: GRACE_SECONDS };
    await guard();
    await cluster.api.send("DELETE", `${path(run.namespace)}/pods`, { body }).catch(gone);
  });
  return true;
}

const POLL_MS = 200;

/**
 * Waits until a namespace is gone; an API server that is away is waited out.
 * @returns What blocks it, one line each, when `signal` aborts first; empty when it is gone.
 */
export async function waitGone(
  cluster: Cluster,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  while (!aborted(signal)) {
    try {
      if ((await read(cluster, namespace)) === undefined) return [];
    } catch (error) {
      if (error instanceof ApiError && !isTransient(error)) {
        throw explain(error, cluster);
      }
    }
    try {
      await sleep(POLL_MS, undefined, { signal });
    } catch {
      break;
    }
  }
  return await blockers(cluster, namespace);
}

const aborted = (signal: AbortSignal): boolean => signal.aborted;

/** Conditions of a namespace that say why it stays: https://github.com/kubernetes/kubernetes/blob/v1.34.3/pkg/controller/namespace/deletion/status_condition_utils.go */
const BLOCKING = new Set([
  "NamespaceDeletionDiscoveryFailure",
  "NamespaceDeletionGroupVersionParsingFailure",
  "NamespaceDeletionContentFailure",
  "NamespaceContentRemaining",
  "NamespaceFinalizersRemaining",
]);

async function blockers(cluster: Cluster, name: string): Promise<readonly string[]> {
  const namespace = await explained(cluster, () => read(cluster, name));
  if (namespace === undefined) return [];
  if (namespace.metadata.deletionTimestamp === undefined) {
    return [`Namespace ${name}: nobody asked for its deletion`];
  }
  const said = (namespace.status?.conditions ?? [])
    .filter(({ type, status, message }) => status === "True" && BLOCKING.has(type) && message !== "")
    .map(({ message }) => `Namespace ${name}: ${message}`);
  const { objects } = await findLeftovers(cluster, { run: undefined, namespace: name });
  const held = objects
    .filter(({ kind }) => kind !== "Namespace")
    .filter(({ finalizers }) => finalizers.length > 0)
    .map(
      ({ kind, name: object, finalizers }) => `${kind} ${object}: held by finalizer ${finalizers.join(", ")}`,
    );
  return said.length + held.length > 0 ? [...held, ...said] : [`Namespace ${name}: still being deleted`];
}
