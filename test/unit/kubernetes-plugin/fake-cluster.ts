import type { Cluster } from "../../../lab/kubernetes-plugin/cluster.ts";
import type { Json, JsonRecord } from "../../../lab/kubernetes-plugin/json.ts";
import { builtinEndpoint, type Endpoint } from "../../../lab/kubernetes-plugin/kinds.ts";

/** A cluster whose every call fails, apart from those that a test gives. */
export function fakeCluster(given: Partial<Cluster>): Cluster {
  const unexpected = (name: string) => (): never => {
    throw new Error(`unexpected call of ${name}`);
  };
  return {
    server: "https://fake:6443",
    endpoint: (apiVersion, kind) => Promise.resolve(endpointOf(apiVersion, kind)),
    get: unexpected("get"),
    list: unexpected("list"),
    watch: unexpected("watch"),
    create: unexpected("create"),
    apply: unexpected("apply"),
    patch: unexpected("patch"),
    delete: unexpected("delete"),
    ping: unexpected("ping"),
    learn: unexpected("learn"),
    ...given,
  };
}

export function endpointOf(apiVersion: string, kind: string): Endpoint {
  const endpoint = builtinEndpoint(apiVersion, kind);
  if (endpoint === undefined) throw new Error(`no such kind: ${kind}`);
  return endpoint;
}

/** A watch that tells `events` and then goes on without any, as a quiet server does, until it is stopped. */
export async function* watching(
  signal: AbortSignal,
  ...events: readonly (readonly [type: string, object: JsonRecord])[]
): AsyncGenerator<Json> {
  for (const [type, object] of events) yield { type, object };
  await new Promise((_, reject) => {
    if (signal.aborted) reject(new Error("stopped"));
    signal.addEventListener("abort", () => {
      reject(new Error("stopped"));
    });
  });
}
