import { isNotFound } from "./api.ts";
import { type Cluster, explained } from "./cluster.ts";
import { namespaceState } from "./namespace.ts";

/**
 * Raises the fence of a run's namespace, so that the API server refuses what a stale holder still wants to make there
 * (docs/leases.md). Does nothing where the namespace is gone or not the run's.
 */
export async function raiseFence(
  cluster: Cluster,
  { namespace, run }: { readonly namespace: string; readonly run: string },
  fence: number,
): Promise<void> {
  const state = await namespaceState(cluster, namespace);
  if (state.kind !== "ours" || state.run !== run || state.terminating) return;
  await explained(cluster, async () => {
    try {
      await cluster.api.send("PATCH", `/api/v1/namespaces/${encodeURIComponent(namespace)}`, {
        contentType: "application/merge-patch+json",
        // Should somebody have replaced the namespace since, its UID differs and the API server refuses.
        body: { metadata: { uid: state.uid, labels: { "mayfly.dev/fence": String(fence) } } },
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  });
}
