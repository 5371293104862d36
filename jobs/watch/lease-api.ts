// Boundary: a Lease is written by others too; what is read here is checked by zod.
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import type { LeaseAnswer, LeaseDraft, LeasePort, LeaseRecord } from "../lease/types.ts";
import { ApiError, isTransient } from "./api.ts";
import { type Cluster, explain } from "./cluster.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
const Lease = z.object({
  metadata: z.object({
    uid: z.string(),
    resourceVersion: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  spec: z
    .object({
      holderIdentity: z.string().default(""),
      leaseTransitions: z.int().default(0),
      renewTime: z.string().default(""),
      leaseDurationSeconds: z.int().positive().default(30),
    })
    .prefault({}),
});

export interface LeasePlace {
  /** The tenant's long-lived namespace: a run's own comes and goes. */
  readonly namespace: string;
  /** Also the Lease's name. */
  readonly run: string;
  /** The run's labels; `mayfly.dev/run` must be among them, by which a foreign Lease is told. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A run's lease in a cluster. Errors that another try won't better are thrown as UserError; `lease-foreign`, `lease-namespace-missing`. */
export function leasePort(cluster: Cluster, { namespace, run, labels }: LeasePlace): LeasePort {
  const { api } = cluster;
  const folder = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${folder}/${encodeURIComponent(run)}`;

  const read = (answer: unknown): LeaseAnswer => {
    const { metadata, spec } = Lease.parse(answer);
    if (metadata.labels["mayfly.dev/run"] !== run) throw foreign(namespace, run);
    const { uid, resourceVersion } = metadata;
    return {
      kind: "lease",
      lease: {
        uid,
        resourceVersion,
        holder: spec.holderIdentity,
        transitions: spec.leaseTransitions,
        renewTime: spec.renewTime,
        durationSeconds: spec.leaseDurationSeconds,
      },
    };
  };
  const body = (draft: LeaseDraft, over?: LeaseRecord) => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: run,
      namespace,
      labels,
      ...(over === undefined ? {} : { uid: over.uid, resourceVersion: over.resourceVersion }),
    },
    spec: {
      holderIdentity: draft.holder,
      leaseTransitions: draft.transitions,
      acquireTime: draft.acquireTime,
      renewTime: draft.renewTime,
      leaseDurationSeconds: draft.durationSeconds,
    },
  });

  return {
    get: (signal) => answered(cluster, signal, async () => read(await api.get(path, { signal }))),
    create: (draft, signal) =>
      answered(cluster, signal, async () => {
        try {
          return read(await api.send("POST", folder, { signal, body: body(draft) }));
        } catch (error) {
          if (error instanceof ApiError && error.status === 404) throw noNamespace(namespace, error);
          throw error;
        }
      }),
    replace: (over, draft, signal) =>
      answered(cluster, signal, async () =>
        read(await api.send("PUT", path, { signal, body: body(draft, over) })),
      ),
    remove: (over, signal) =>
      answered(cluster, signal, async () => {
        const { uid, resourceVersion } = over;
        const options = { kind: "DeleteOptions", apiVersion: "v1", preconditions: { uid, resourceVersion } };
        await api.send("DELETE", path, { signal, body: options });
        return { kind: "absent" };
      }),
  };
}

/**
 * What an error says of the lease. A call that was cut off, or that the thin client tried several times, may have taken effect: the
 * conflict that follows is told from a stranger's by the holder's name.
 */
async function answered(
  cluster: Cluster,
  signal: AbortSignal,
  work: () => Promise<LeaseAnswer>,
): Promise<LeaseAnswer> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted || isTransient(error)) return { kind: "unanswered", cause: error };
    if (error instanceof ApiError && error.status === 404) return { kind: "absent" };
    if (error instanceof ApiError && error.status === 409) return { kind: "conflict" };
    const told = error instanceof UserError ? error : explain(error, cluster);
    const away = told instanceof UserError && told.code === "cluster-unreachable";
    if (away && !(error instanceof ApiError)) return { kind: "unanswered", cause: error };
    throw told;
  }
}

const foreign = (namespace: string, run: string): UserError =>
  new UserError("lease-foreign", `Lease ${run} in namespace ${namespace} is not of run ${run}.`, {
    path: `${namespace}/${run}`,
    hint: `Look at it: kubectl --namespace ${namespace} get lease ${run} --output yaml. Then rename it, or start the run under another id.`,
    exitCode: EXIT.invalidInput,
  });

const noNamespace = (namespace: string, cause: unknown): UserError =>
  new UserError(
    "lease-namespace-missing",
    `Namespace ${namespace} is not there: runs of its tenant can't be leased.`,
    {
      path: namespace,
      hint: "The environment makes it: bring the environment up again.",
      exitCode: EXIT.unavailable,
      cause,
    },
  );
