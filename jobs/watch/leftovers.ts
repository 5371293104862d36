import { z } from "zod";
import { ApiError, errorCode, isNotFound } from "./api.ts";
import { type Cluster, explained } from "./cluster.ts";
import type { Leftover, Leftovers } from "./types.ts";
import { Metadata } from "./views.ts";

const GroupVersions = z.object({ versions: z.array(z.string()) });
const Groups = z.object({
  groups: z.array(z.object({ preferredVersion: z.object({ groupVersion: z.string() }) })),
});
const Resources = z.object({
  resources: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      namespaced: z.boolean(),
      verbs: z.array(z.string()).default([]),
    }),
  ),
});
const List = z.object({
  metadata: z.object({ continue: z.string().optional() }),
  // An empty list of metadata alone comes as null.
  items: z
    .array(z.object({ metadata: Metadata }))
    .nullish()
    .transform((items) => items ?? []),
});

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly path: string;
  readonly resource: string;
  readonly namespaced: boolean;
}

/** Kinds that say something of a run but are not made by it, and go by themselves. */
const IGNORED = new Set(["v1/Event", "events.k8s.io/v1/Event", "metrics.k8s.io/v1beta1/PodMetrics"]);

/** Requests at once: enough to be quick, few enough for the API server's fairness. */
const PARALLEL = 8;

async function inParallel<T>(work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const queue = [...work];
  const drain = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results.push(await next());
  };
  await Promise.all(Array.from({ length: PARALLEL }, drain));
  return results;
}

/** The server's or network's trouble; anything else is a defect of ours and must not pass for one. */
const isOutside = (error: unknown): boolean => error instanceof ApiError || errorCode(error) !== "";

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** All kinds that can be listed; a group whose server is away (a dead aggregated API) is named, not fatal. */
async function listableKinds(cluster: Cluster, unknown: string[]): Promise<Kind[]> {
  const [core, groups] = await Promise.all([cluster.api.get("/api"), cluster.api.get("/apis")]);
  const versions = [
    ...GroupVersions.parse(core).versions.map((version) => ({ version, path: `/api/${version}` })),
    ...Groups.parse(groups).groups.map(({ preferredVersion: { groupVersion } }) => ({
      version: groupVersion,
      path: `/apis/${groupVersion}`,
    })),
  ];
  const found = await inParallel(
    versions.map(({ version, path }) => async (): Promise<Kind[]> => {
      try {
        return Resources.parse(await cluster.api.get(path))
          .resources.filter(({ name, verbs }) => verbs.includes("list") && !name.includes("/"))
          .map(({ name, kind, namespaced }) => ({
            apiVersion: version,
            kind,
            path,
            resource: name,
            namespaced,
          }));
      } catch (error) {
        if (!isOutside(error)) throw error;
        unknown.push(`${version}: ${reason(error)}`);
        return [];
      }
    }),
  );
  return found.flat().filter(({ apiVersion, kind }) => !IGNORED.has(`${apiVersion}/${kind}`));
}

/** Names and labels are enough, and nobody should be sent Secrets to look for leftovers. Aggregated APIs may not know this form. */
const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/** Whether there is such a namespace; without it there is nothing in it. */
async function exists(cluster: Cluster, namespace: string): Promise<boolean> {
  try {
    await cluster.api.get(`/api/v1/namespaces/${encodeURIComponent(namespace)}`);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function listAll(cluster: Cluster, path: string, labelSelector?: string) {
  const items: z.infer<typeof List>["items"] = [];
  let next: string | undefined;
  do {
    const page = List.parse(
      await cluster.api.get(path, {
        accept: METADATA_ONLY,
        query: { limit: 500, labelSelector, continue: next },
      }),
    );
    items.push(...page.items);
    next = page.metadata.continue === "" ? undefined : page.metadata.continue;
  } while (next !== undefined);
  return items;
}

/**
 * Lists every object with the run's label or in its namespace, of all kinds that can be listed, cluster-wide ones too.
 * @param run `run` undefined: look into the namespace only.
 */
export async function findLeftovers(
  cluster: Cluster,
  { run, namespace }: { readonly run: string | undefined; readonly namespace: string },
): Promise<Leftovers> {
  const unknown: string[] = [];
  /** Kinds that we have no right to list. A helper of few rights (docs/components/worker.md) can't have made any of most of them. */
  const forbidden = new Set<string>();
  const found = new Map<string, Leftover>();
  await explained(cluster, async () => {
    const [kinds, isThere] = await Promise.all([listableKinds(cluster, unknown), exists(cluster, namespace)]);
    const inNamespace = `namespaces/${encodeURIComponent(namespace)}`;
    const searches = kinds.flatMap((kind) => [
      ...(isThere && kind.namespaced
        ? [{ kind, path: `${kind.path}/${inNamespace}/${kind.resource}`, selector: undefined }]
        : []),
      ...(run === undefined
        ? []
        : [{ kind, path: `${kind.path}/${kind.resource}`, selector: `mayfly.dev/run=${run}` }]),
    ]);
    await inParallel(
      searches.map(({ kind, path, selector }) => async () => {
        try {
          for (const { metadata } of await listAll(cluster, path, selector)) {
            found.set(`${kind.apiVersion}/${kind.kind}/${metadata.namespace ?? ""}/${metadata.name}`, {
              apiVersion: kind.apiVersion,
              kind: kind.kind,
              namespace: metadata.namespace,
              name: metadata.name,
              terminating: metadata.deletionTimestamp !== undefined,
              finalizers: metadata.finalizers,
            });
          }
        } catch (error) {
          // 404 and 405: a kind that says it can be listed, but not like this.
          if (error instanceof ApiError && (error.status === 404 || error.status === 405)) return;
          if (error instanceof ApiError && error.status === 403) {
            forbidden.add(kind.kind);
            return;
          }
          if (!isOutside(error)) throw error;
          unknown.push(`${kind.apiVersion} ${kind.kind}: ${reason(error)}`);
        }
      }),
    );
  });
  const objects = [...found.values()].toSorted((a, b) =>
    `${a.kind}/${a.name}`.localeCompare(`${b.kind}/${b.name}`),
  );
  if (forbidden.size > 0) unknown.push(forbiddenLine(forbidden));
  return { objects, unknown: [...new Set(unknown)].toSorted() };
}

/** A whole cluster's kinds are some seventy: one line for all. */
function forbiddenLine(kinds: ReadonlySet<string>): string {
  const names = [...kinds].toSorted();
  const shown = names.slice(0, 3).join(", ");
  return `kinds that this account may not list: ${shown}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
}
