import { propagationOf, skipsAwait, timeoutOf } from "./annotations.ts";
import { DEFAULT_TIMEOUT, mayLeaveDeleting } from "./await/index.ts";
import { typeOf } from "./check.ts";
import { isNotFound, isOutOfReach, NoKindError, PluginError } from "./errors.ts";
import { type JsonRecord, textAt } from "./json.ts";
import { referenceOf, type Session } from "./session.ts";
import { loadCheckpoint } from "./state.ts";
import { relinquish } from "./update.ts";
import { parseId } from "./urn.ts";
import { waitUntilGone } from "./wait.ts";
import type { Properties } from "./wire.ts";

/** A resource that is to go. */
export interface DeleteRequest {
  readonly id: string;
  readonly urn: string;
  readonly properties: Properties;
  /** `customTimeouts.delete` in seconds; 0 for none. */
  readonly timeout: number;
}

/**
 * Deletes the object, dependents first (unless annotated otherwise), and waits until it is gone. An object, or a kind,
 * that is gone already is fine.
 *
 * @throws PluginError where it is still there at the end; the resource then stays in the state.
 */
export async function remove(session: Session, request: DeleteRequest): Promise<void> {
  try {
    await removeReachable(session, request);
  } catch (error) {
    if (error instanceof NoKindError || isNotFound(error)) return;
    if (!isOutOfReach(error)) throw error;
    session.log.warning(error.message, request.urn);
    if (session.options.deleteUnreachable) {
      session.log.info(
        "the cluster is unreachable and the `deleteUnreachable` option is enabled: removing the resource from the state",
        request.urn,
      );
      return;
    }
    throw new PluginError(
      `configured Kubernetes cluster is unreachable: ${error.message}. If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"`,
      { cause: error },
    );
  }
}

async function removeReachable(session: Session, request: DeleteRequest): Promise<void> {
  const type = typeOf(request.urn);
  const { inputs, live, fieldManager } = loadCheckpoint(request.properties);
  const { namespace, name } = parseId(request.id);
  const identity: JsonRecord = {
    apiVersion: textAt(inputs, "apiVersion") ?? textAt(live, "apiVersion") ?? type.apiVersion,
    kind: textAt(inputs, "kind") ?? textAt(live, "kind") ?? type.kind,
    metadata: namespace === undefined ? { name } : { name, namespace },
  };
  const cluster = await session.cluster();
  const reference = await referenceOf(cluster, identity);
  if (type.patch) {
    // Applying to an object that is not there would make it.
    await cluster.get(reference);
    if (fieldManager !== undefined) await relinquish(cluster, reference, identity, fieldManager);
    return;
  }
  const going = await cluster.delete(reference, propagationOf(inputs));
  if (going === undefined || (skipsAwait(inputs) && mayLeaveDeleting(identity))) return;
  const waited = await waitUntilGone(
    {
      cluster,
      reference,
      timeout: timeoutOf(inputs, request.timeout, DEFAULT_TIMEOUT),
      cancel: session.cancel,
      onStatus: (text) => {
        session.log.status(text, request.urn);
      },
    },
    going,
  );
  if (waited.outcome === "gone") return;
  throw new PluginError(
    waited.outcome === "cancelled"
      ? `Resource operation was cancelled for '${request.id}': it is being deleted`
      : `'${request.id}' timed out waiting for deletion: ${waited.reason}`,
  );
}
