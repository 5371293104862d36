// What kubectl tells of a run's pods, and does to them.
import { z } from "zod";
import { kubectl } from "../lab/pods.ts";
import type { Pod } from "./types.ts";

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        uid: z.string(),
        deletionTimestamp: z.string().optional(),
        labels: z.record(z.string(), z.string()).default({}),
      }),
      status: z.object({
        podIP: z.string().optional(),
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
        containerStatuses: z.array(z.object({ restartCount: z.int() })).default([]),
      }),
    }),
  ),
});

/** The pods of a run's namespace that are not being deleted. */
export async function podsOf(namespace: string): Promise<Pod[]> {
  const { items } = Pods.parse(
    JSON.parse(await kubectl(["get", "pods", "--namespace", namespace, "--output", "json"])),
  );
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata: { name, uid, labels }, status }) => ({
      name,
      uid,
      role: labels["mayfly.dev/role"] ?? "",
      ip: status.podIP,
      ready: status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True"),
      restarts: status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    }));
}

export const isJobManager = ({ role }: Pod): boolean => role === "coordinator";
export const isTaskManager = ({ role }: Pod): boolean => role === "worker";

/** Kills a pod's Java as the kernel does when memory runs out: nothing of it can say good-bye. */
export const KILL_JAVA =
  'for p in /proc/[0-9]*; do [ "$(cat "$p/comm" 2>/dev/null)" = java ] && kill -9 "$' +
  '{p#/proc/}" && found=1; done; [ -n "$found" ]';

/** Asks for a pod's eviction, as a drain does. @returns The API server's answer: empty where the pod goes. */
export async function evict(namespace: string, pod: string): Promise<string> {
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace } };
  try {
    await kubectl(
      ["create", "--raw", `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, "-f", "-"],
      JSON.stringify(eviction),
    );
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
