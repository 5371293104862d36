import { z } from "zod";
import { run } from "../host/run.ts";

/** What the lab's environment depends on and only its cluster knows. */
export interface ClusterFacts {
  /** UID of namespace kube-system: another one is another cluster. */
  readonly clusterId: string;
  readonly namespaces: ReadonlySet<string>;
  /** The lab's one node. */
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
}

const Listed = z.object({
  items: z.array(
    z.object({
      kind: z.string(),
      metadata: z.object({
        name: z.string(),
        uid: z.string(),
        labels: z.record(z.string(), z.string()).default({}),
      }),
      status: z.object({ allocatable: z.record(z.string(), z.string()).optional() }).optional(),
    }),
  ),
});

/** Asks the API server, in one call. */
export async function readClusterFacts(env: Readonly<Record<string, string>>): Promise<ClusterFacts> {
  const { items } = Listed.parse(
    JSON.parse(await run("kubectl", ["get", "namespaces,nodes", "--output=json"], { env })),
  );
  const namespaces = items.filter(({ kind }) => kind === "Namespace");
  const [node] = items.filter(({ kind }) => kind === "Node");
  const system = namespaces.find(({ metadata }) => metadata.name === "kube-system");
  if (node === undefined || system === undefined)
    throw new Error("the lab's cluster has no node or no kube-system");
  return {
    clusterId: system.metadata.uid,
    namespaces: new Set(namespaces.map(({ metadata }) => metadata.name)),
    node: node.metadata.name,
    labels: node.metadata.labels,
    allocatable: node.status?.allocatable ?? {},
  };
}
