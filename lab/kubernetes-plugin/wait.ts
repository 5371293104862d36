import { podProblems } from "./await/pods.ts";
import type { Judge, Related, Verdict } from "./await/verdict.ts";
import type { Cluster, Reference, Selection } from "./cluster.ts";
import { isForbidden, PluginError } from "./errors.ts";
import { follow, type Snapshot } from "./follow.ts";
import { isRecord, type Json, type JsonRecord, listAt, recordAt, show, textAt } from "./json.ts";
import { builtinEndpoint } from "./kinds.ts";

/** How a wait ended, and the object as it was last seen; undefined where it is gone. */
export interface Waited {
  readonly outcome: "ready" | "failed" | "timeout" | "cancelled" | "gone";
  readonly object: JsonRecord | undefined;
  /** What was missing at the end. */
  readonly reason: string;
}

/** One wait's surroundings. */
export interface Waiting {
  readonly cluster: Cluster;
  readonly reference: Reference;
  /** Milliseconds. */
  readonly timeout: number;
  /** Aborted when the user cancels. */
  readonly cancel: AbortSignal;
  /** Shown in the status column while waiting. */
  readonly onStatus: (text: string) => void;
}

const only = ({ endpoint, namespace, name }: Reference): Selection => ({
  endpoint,
  namespace,
  fieldSelector: `metadata.name=${name}`,
});

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

const startFrom = (object: JsonRecord): { objects: readonly JsonRecord[]; resourceVersion: string } => ({
  objects: [object],
  resourceVersion: textAt(object, "metadata", "resourceVersion") ?? "0",
});

/** Other objects that a kind's readiness depends on. */
interface Dependency {
  readonly selection: Selection;
  readonly read: (objects: readonly Json[]) => Related;
}

function dependencyOf({ endpoint, namespace, name }: Reference, object: Json): Dependency | undefined {
  const slices = builtinEndpoint("discovery.k8s.io/v1", "EndpointSlice");
  if (endpoint.apiVersion === "v1" && endpoint.kind === "Service" && slices !== undefined)
    return {
      selection: { endpoint: slices, namespace, labelSelector: `kubernetes.io/service-name=${name}` },
      read: (objects) => ({ endpointSlices: objects }),
    };
  const classes = builtinEndpoint("storage.k8s.io/v1", "StorageClass");
  const storageClass = textAt(object, "spec", "storageClassName") ?? "";
  if (endpoint.kind === "PersistentVolumeClaim" && storageClass !== "" && classes !== undefined)
    return {
      selection: { endpoint: classes, namespace: undefined, fieldSelector: `metadata.name=${storageClass}` },
      read: ([found]) => ({ bindingMode: textAt(found, "volumeBindingMode") }),
    };
  return undefined;
}

/** Runs `use` with a signal that ends at the deadline, on cancellation, and when `use` is done. */
async function withDeadline<T>(
  { timeout, cancel }: Waiting,
  use: (signal: AbortSignal, stopped: () => "timeout" | "cancelled" | undefined) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const deadline = AbortSignal.timeout(timeout);
  const stopped = (): "timeout" | "cancelled" | undefined => {
    if (cancel.aborted) return "cancelled";
    return deadline.aborted ? "timeout" : undefined;
  };
  try {
    return await use(AbortSignal.any([cancel, deadline, done.signal]), stopped);
  } finally {
    done.abort();
  }
}

/**
 * Waits until `judge` finds the object ready or lost.
 *
 * @param object As the server returned it when it was written.
 */
export async function waitUntilReady(waiting: Waiting, object: JsonRecord, judge: Judge): Promise<Waited> {
  const { cluster, reference, onStatus } = waiting;
  let current: JsonRecord | undefined = object;
  let related: Related = {};
  let reason = "";
  const evaluate = (): Verdict => {
    if (current === undefined) return { state: "failed", reason: "it was deleted while it was waited for" };
    const verdict = judge(current, related);
    if (verdict.state !== "ready" && verdict.reason !== reason) {
      reason = verdict.reason;
      onStatus(reason);
    }
    return verdict;
  };
  return await withDeadline(waiting, async (signal, stopped) => {
    const problem = (error: Error): void => {
      onStatus(error.message);
    };
    let settle: (waited: Waited) => void = () => undefined;
    let fail: (error: unknown) => void = () => undefined;
    const settled = new Promise<Waited>((resolve, reject) => {
      settle = resolve;
      fail = reject;
    });
    const check = (): void => {
      const verdict = evaluate();
      if (verdict.state === "ready") settle({ outcome: "ready", object: current, reason: "" });
      else if (verdict.state === "failed")
        settle({
          outcome: current === undefined ? "gone" : "failed",
          object: current,
          reason: verdict.reason,
        });
    };
    const watch = async (
      selection: Selection,
      start: ReturnType<typeof startFrom> | undefined,
      use: (snapshot: Snapshot) => void,
    ): Promise<void> => {
      try {
        for await (const snapshot of follow(cluster, selection, start, signal, problem)) {
          use(snapshot);
          check();
        }
      } catch (error) {
        const why = stopped();
        if (why !== undefined) settle({ outcome: why, object: current, reason });
        // Rights on the object itself are enough to wait for it; the rest only tells more.
        else if (start === undefined && isForbidden(error)) problem(asError(error));
        else fail(error);
      }
    };
    void watch(only(reference), startFrom(object), (snapshot) => {
      current = snapshot.get(reference.name);
    });
    const dependency = dependencyOf(reference, object);
    if (dependency !== undefined)
      void watch(dependency.selection, undefined, (snapshot) => {
        related = dependency.read([...snapshot.values()]);
      });
    return await settled;
  });
}

/** Judges once, as a refresh does. */
export async function judgeNow(
  cluster: Cluster,
  reference: Reference,
  object: JsonRecord,
  judge: Judge,
  signal: AbortSignal,
): Promise<Verdict> {
  const dependency = dependencyOf(reference, object);
  if (dependency === undefined) return judge(object, {});
  const list = await cluster.list(dependency.selection, signal).catch((error: unknown) => {
    if (isForbidden(error)) return {};
    throw error;
  });
  return judge(object, dependency.read(listAt(list, "items")));
}

/** Waits until the object is gone. Another object of the same name counts as gone too. */
export async function waitUntilGone(waiting: Waiting, object: JsonRecord): Promise<Waited> {
  const { cluster, reference, onStatus } = waiting;
  const uid = textAt(object, "metadata", "uid");
  let current: JsonRecord | undefined = object;
  return await withDeadline(waiting, async (signal, stopped) => {
    try {
      for await (const snapshot of follow(cluster, only(reference), startFrom(object), signal, (error) => {
        onStatus(error.message);
      })) {
        current = snapshot.get(reference.name);
        if (current === undefined || textAt(current, "metadata", "uid") !== uid)
          return { outcome: "gone", object: undefined, reason: "" };
      }
      throw new PluginError("the watch ended");
    } catch (error) {
      const why = stopped();
      if (why === undefined) throw error;
      return { outcome: why, object: current, reason: whatHoldsBack(current ?? {}) };
    }
  });
}

/** What keeps an object that is being deleted. */
export function whatHoldsBack(object: Json): string {
  const finalizers = [...listAt(object, "metadata", "finalizers"), ...listAt(object, "spec", "finalizers")];
  const conditions = listAt(object, "status", "conditions")
    .filter((condition) => /^Namespace.*(Remaining|Failure)$/.test(textAt(condition, "type") ?? ""))
    .filter((condition) => textAt(condition, "status") === "True")
    .map((condition) => textAt(condition, "message") ?? "");
  return [
    finalizers.length > 0
      ? `finalizers might be preventing deletion (${finalizers.map(String).join(", ")})`
      : "it has no finalizers; does the cluster's controller manager run?",
    ...conditions,
  ].join("\n");
}

/** Why the pods of a workload don't run: asked only when a wait has failed. Empty where there are none to ask. */
export async function problemsOfPods(cluster: Cluster, object: Json): Promise<readonly string[]> {
  const selector = recordAt(object, "spec", "selector");
  const labels = isRecord(selector["matchLabels"]) ? selector["matchLabels"] : {};
  const endpoint = builtinEndpoint("v1", "Pod");
  if (endpoint === undefined || Object.keys(labels).length === 0) return [];
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${show(value)}`)
    .join(",");
  const namespace = textAt(object, "metadata", "namespace");
  try {
    const list = await cluster.list({ endpoint, namespace, labelSelector }, AbortSignal.timeout(5000));
    return listAt(list, "items").flatMap(podProblems);
  } catch {
    // The wait's own reason is the error to show; this was only to say more.
    return [];
  }
}
