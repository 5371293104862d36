import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, Selection } from "./cluster.ts";
import { ApiError, UnreachableError } from "./errors.ts";
import { isRecord, type Json, type JsonRecord, listAt, numberAt, recordAt, textAt } from "./json.ts";

/** The objects of a selection by name. */
export type Snapshot = ReadonlyMap<string, JsonRecord>;

/** Where to start watching: what is known, and the resource version that it was known at. */
export interface Start {
  readonly objects: readonly JsonRecord[];
  readonly resourceVersion: string;
}

const byName = (objects: readonly Json[]): Map<string, JsonRecord> => {
  const found = new Map<string, JsonRecord>();
  for (const object of objects) {
    const name = textAt(object, "metadata", "name");
    if (name !== undefined && isRecord(object)) found.set(name, object);
  }
  return found;
};

/** Milliseconds between tries while the server does not answer. */
const PAUSE = 250;

/** A server that is down, starting or overloaded may come back: the wait's own deadline decides how long to hope. */
const isPassing = (error: unknown): boolean =>
  error instanceof UnreachableError ||
  (error instanceof ApiError && (error.code >= 500 || error.code === 429));

/**
 * Yields the selection's objects, first as they are known, then after each change, until the caller stops or
 * `signal` is aborted (then it throws). Survives restarts of the API server.
 *
 * @param start Saves the first list: the watch goes on from there.
 * @param onProblem Told of a server that does not answer.
 */
export async function* follow(
  cluster: Cluster,
  selection: Selection,
  start: Start | undefined,
  signal: AbortSignal,
  onProblem: (problem: Error) => void,
): AsyncGenerator<Snapshot> {
  let from = start;
  for (;;) {
    try {
      if (from === undefined) {
        const list = await cluster.list(selection, signal);
        // Items of a list don't repeat their kind.
        const items = listAt(list, "items")
          .filter(isRecord)
          .map((item) => ({ ...kindOf(selection), ...item }));
        from = { objects: items, resourceVersion: textAt(list, "metadata", "resourceVersion") ?? "0" };
      }
      const objects = byName(from.objects);
      yield objects;
      for await (const event of cluster.watch(selection, from.resourceVersion, signal)) {
        const object = recordAt(event, "object");
        const type = textAt(event, "type");
        if (type === "ERROR") throw new ApiError(numberAt(object, ["code"], 500), object);
        const name = textAt(object, "metadata", "name");
        if (name === undefined) continue;
        if (type === "DELETED") objects.delete(name);
        else objects.set(name, object);
        yield objects;
      }
    } catch (error) {
      const expired = error instanceof ApiError && error.code === 410;
      if (!expired && !isPassing(error)) throw error;
      if (error instanceof Error && !expired) onProblem(error);
      await sleep(PAUSE, undefined, { signal });
    }
    from = undefined;
  }
}

const kindOf = ({ endpoint }: Selection): JsonRecord => ({
  apiVersion: endpoint.apiVersion,
  kind: endpoint.kind,
});
