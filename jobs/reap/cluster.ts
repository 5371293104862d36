// Boundary: reads namespaces and leases as they come over the wire.
import { z } from "zod";
import { ApiError, isNotFound } from "../watch/api.ts";
import { type Cluster, explained } from "../watch/cluster.ts";
import { Metadata } from "../watch/views.ts";
import type { LeaseFact, NamespaceFact } from "./types.ts";

const Page = z.object({
  metadata: z.object({ continue: z.string().optional() }),
  items: z
    .array(
      z.object({
        metadata: Metadata,
        spec: z.object({ holderIdentity: z.string().nullish(), renewTime: z.string().nullish() }).nullish(),
      }),
    )
    .nullish()
    .transform((items) => items ?? []),
});
type Item = z.infer<typeof Page>["items"][number];

/** Both: never one that only looks like ours. */
const SELECTOR = "app.kubernetes.io/managed-by=mayfly,mayfly.dev/run";

async function listAll(cluster: Cluster, path: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  let next: string | undefined;
  do {
    const query = { limit: 500, labelSelector: SELECTOR, continue: next };
    const page = Page.parse(await cluster.api.get(path, { query }));
    items.push(...page.items);
    next = page.metadata.continue === "" ? undefined : page.metadata.continue;
  } while (next !== undefined);
  return items;
}

const common = ({ name, uid, resourceVersion, labels, creationTimestamp }: Item["metadata"]) => ({
  name,
  uid,
  resourceVersion,
  labels,
  createdAt: creationTimestamp,
});

/** Namespaces of runs, whosever. @throws UserError */
export async function listNamespaces(cluster: Cluster): Promise<readonly NamespaceFact[]> {
  const items = await explained(cluster, () => listAll(cluster, "/api/v1/namespaces"));
  return items.map(({ metadata }) => ({
    ...common(metadata),
    terminating: metadata.deletionTimestamp !== undefined,
  }));
}

const leasesPath = (namespace: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;

/** Leases of runs in tenants' namespaces. @throws UserError */
export async function listLeases(
  cluster: Cluster,
  namespaces: readonly string[],
): Promise<readonly LeaseFact[]> {
  const lists = await Promise.all(
    namespaces.map(async (namespace) => {
      const items = await explained(cluster, () => listAll(cluster, leasesPath(namespace)));
      return items.map(({ metadata, spec }): LeaseFact => {
        const renewed = Date.parse(spec?.renewTime ?? "");
        return {
          ...common(metadata),
          namespace,
          holder: spec?.holderIdentity ?? "",
          renewedAt: Number.isNaN(renewed) ? undefined : renewed,
        };
      });
    }),
  );
  return lists.flat();
}

/** For pods of what belongs to nobody; see jobs/watch/namespace.ts. */
const GRACE_SECONDS = 4;

/**
 * Asks for the deletion of a namespace exactly as it was read: should its labels have changed since, or another one have taken its
 * place, the API server refuses.
 * @returns false where it has changed.
 */
export async function deleteNamespace(cluster: Cluster, seen: NamespaceFact): Promise<boolean> {
  const path = `/api/v1/namespaces/${encodeURIComponent(seen.name)}`;
  if (!seen.terminating && !(await deleteAsSeen(cluster, path, seen))) return false;
  const body = { kind: "DeleteOptions", apiVersion: "v1", gracePeriodSeconds: GRACE_SECONDS };
  await explained(cluster, async () => {
    await cluster.api.send("DELETE", `${path}/pods`, { body }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  });
  return true;
}

/** The same of a lease: one that was renewed since is not deleted. */
export const deleteLease = async (cluster: Cluster, seen: LeaseFact): Promise<boolean> =>
  await deleteAsSeen(cluster, `${leasesPath(seen.namespace)}/${encodeURIComponent(seen.name)}`, seen);

async function deleteAsSeen(
  cluster: Cluster,
  path: string,
  { uid, resourceVersion }: Pick<NamespaceFact, "uid" | "resourceVersion">,
): Promise<boolean> {
  const body = { kind: "DeleteOptions", apiVersion: "v1", preconditions: { uid, resourceVersion } };
  return await explained(cluster, async () => {
    try {
      await cluster.api.send("DELETE", path, { body });
      return true;
    } catch (error) {
      if (isNotFound(error)) return true;
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    }
  });
}
