import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { LeaseLost } from "../lease/errors.ts";
import { ApiError, isNotFound } from "./api.ts";
import { type Cluster, explained } from "./cluster.ts";
import { namespaceState } from "./namespace.ts";

const LABEL = "mayfly.dev/fence";
/** Before a run's id: annotation of its tenant's namespace, `<fence> <when>` (components/platform/fence-rules.ts). */
const NOTE = "fence.mayfly.dev/";
/** Longer than any process may be stopped and still go on with an old fence. */
const KEEP_NOTES_MS = 30 * 24 * 3600 * 1000;
/** All annotations of an object may have 256 KiB; a note has about 100 bytes. */
const MAX_NOTES = 1000;
/** Tries to write a note while others write theirs, or the tenant's namespace is changed otherwise. */
const TRIES = 20;

/** Whether the API server refused a write since another helper works on the run. */
export const isFencedOff = (error: unknown): boolean =>
  error instanceof ApiError &&
  error.status === 403 &&
  error.message.includes("another helper works on this run");

/** Runs `work`, of which a refusal by the fence means that the run's lease is lost. @throws LeaseLost */
export async function whileOurs<T>(run: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isFencedOff(error) ? new LeaseLost(run, "taken", undefined, error) : error;
  }
}

/** Whose fence is raised. */
export interface Fenced {
  readonly run: string;
  /** The run's namespace. */
  readonly namespace: string;
  /** The tenant's long-lived one. */
  readonly tenantNamespace: string;
}

/**
 * Shuts the holders before `fence` out: from now on the API server refuses what they still want to make for the run (docs/leases.md). First
 * the fence is noted at the tenant, so that nobody makes the run's namespace with a lower one; then it is raised at the namespace,
 * where that is there and the run's.
 * @throws LeaseLost where somebody with a higher fence was here before.
 */
export async function raiseFence(cluster: Cluster, fenced: Fenced, fence: number): Promise<void> {
  const { run, namespace } = fenced;
  await explained(cluster, async () => {
    await noteFence(cluster, fenced, fence);
    const state = await namespaceState(cluster, namespace);
    if (state.kind !== "ours" || state.run !== run || state.terminating) return;
    try {
      await whileOurs(run, () =>
        patch(cluster, namespace, {
          // Should somebody have replaced the namespace since, its UID differs and the API server refuses.
          uid: state.uid,
          labels: { [LABEL]: String(fence) },
        }),
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  });
}

const Noted = z.object({
  metadata: z.object({
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
});

/** Compare-and-swap, so that a stale helper never lowers what a later one has noted. */
async function noteFence(cluster: Cluster, { run, tenantNamespace }: Fenced, fence: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { metadata } = Noted.parse(await cluster.api.get(path(tenantNamespace)));
    const noted = fenceOf(metadata.annotations[NOTE + run]);
    if (noted > fence) throw new LeaseLost(run, "taken");
    if (noted === fence) return;
    const now = new Date();
    const annotations = {
      ...outdated(metadata.annotations, now),
      [NOTE + run]: `${fence} ${now.toISOString()}`,
    };
    try {
      await patch(cluster, tenantNamespace, { resourceVersion: metadata.resourceVersion, annotations });
      return;
    } catch (error) {
      const changed = error instanceof ApiError && error.status === 409;
      if (!changed || tries >= TRIES) throw error;
      await sleep(Math.random() * 50 * tries);
    }
  }
}

const fenceOf = (note: string | undefined): number => Number(/^\d{1,9}/.exec(note ?? "")?.[0] ?? "0");

/** Notes that nobody needs any more, as a patch that removes them. Exported for its test. */
export function outdated(annotations: Readonly<Record<string, string>>, now: Date): Record<string, null> {
  const notes = Object.entries(annotations)
    .filter(([key]) => key.startsWith(NOTE))
    .map(([key, note]) => ({ key, at: Date.parse(note.split(" ")[1] ?? "") || 0 }))
    .toSorted((a, b) => b.at - a.at);
  const old = notes.filter(({ at }, index) => index >= MAX_NOTES - 1 || now.getTime() - at > KEEP_NOTES_MS);
  return Object.fromEntries(old.map(({ key }) => [key, null]));
}

const path = (namespace: string): string => `/api/v1/namespaces/${encodeURIComponent(namespace)}`;

async function patch(cluster: Cluster, namespace: string, metadata: object): Promise<void> {
  await cluster.api.send("PATCH", path(namespace), {
    contentType: "application/merge-patch+json",
    body: { metadata },
  });
}
