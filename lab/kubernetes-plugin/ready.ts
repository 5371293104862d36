import { skipsAwait, timeoutOf, waitForOf } from "./annotations.ts";
import { DEFAULT_TIMEOUT, readinessOf } from "./await/index.ts";
import type { Judge } from "./await/verdict.ts";
import { parseWaitFor } from "./await/wait-for.ts";
import type { Cluster, Reference } from "./cluster.ts";
import { NotReadyError, PluginError } from "./errors.ts";
import { type Json, type JsonRecord, textAt } from "./json.ts";
import type { Session } from "./session.ts";
import { idOf } from "./urn.ts";
import { problemsOfPods, type Waited, waitUntilReady } from "./wait.ts";
import type { Properties } from "./wire.ts";

export const idOfObject = (object: Json): string =>
  idOf(textAt(object, "metadata", "namespace"), textAt(object, "metadata", "name") ?? "");

/** How to tell that the object is ready, and how long that may take in milliseconds; undefined for "at once". */
export function readinessFor(
  inputs: JsonRecord,
): { readonly judge: Judge; readonly timeout: number } | undefined {
  if (skipsAwait(inputs)) return undefined;
  const annotation = waitForOf(inputs);
  if (annotation === undefined) return readinessOf(inputs);
  const parsed = parseWaitFor(annotation);
  if ("failure" in parsed) throw new PluginError(`pulumi.com/waitFor: ${parsed.failure}`);
  return { judge: parsed.judge, timeout: DEFAULT_TIMEOUT };
}

/** An object that was just written. */
export interface Writ {
  readonly urn: string;
  readonly cluster: Cluster;
  readonly reference: Reference;
  readonly inputs: JsonRecord;
  readonly written: JsonRecord;
  /** `customTimeouts` in seconds; 0 for none. */
  readonly timeout: number;
  readonly checkpoint: (live: JsonRecord) => Properties;
  readonly verb: "created" | "updated";
}

function describe(waited: Waited, name: string): string {
  switch (waited.outcome) {
    case "timeout":
      return `'${name}' timed out waiting to be Ready`;
    case "cancelled":
      return `Resource operation was cancelled for '${name}'`;
    case "gone":
      return `'${name}' was deleted while it was waited for`;
    case "failed":
    case "ready":
      return `'${name}' failed to become ready`;
  }
}

/**
 * Waits until a written object is ready.
 *
 * @returns the object as it is then.
 * @throws NotReadyError with the last known object where it isn't.
 */
export async function finish(session: Session, writ: Writ): Promise<JsonRecord> {
  const readiness = readinessFor(writ.inputs);
  if (readiness === undefined) return writ.written;
  const waited = await waitUntilReady(
    {
      cluster: writ.cluster,
      reference: writ.reference,
      timeout: timeoutOf(writ.inputs, writ.timeout, readiness.timeout),
      cancel: session.cancel,
      onStatus: (text) => {
        session.log.status(text, writ.urn);
      },
    },
    writ.written,
    readiness.judge,
  );
  const live = waited.object ?? writ.written;
  if (waited.outcome === "ready") return live;
  const id = idOfObject(live);
  const details = [
    ...(waited.reason === "" ? [] : [waited.reason]),
    ...(waited.outcome === "cancelled" ? [] : await problemsOfPods(writ.cluster, live)),
  ];
  const summary = `resource "${writ.urn}" was successfully ${writ.verb}, but the Kubernetes API server reported that it failed to fully initialize or become live: ${describe(waited, id)}`;
  const reasons = [summary, ...details];
  throw new NotReadyError(reasons.join("\n"), { id, state: writ.checkpoint(live), reasons });
}
