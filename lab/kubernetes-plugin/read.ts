import { typeOf } from "./check.ts";
import { inputsOfLive, inputsWithDrift } from "./drift.ts";
import { isNotFound, isOutOfReach, NoKindError, NotReadyError, PluginError } from "./errors.ts";
import { type JsonRecord, textAt } from "./json.ts";
import { newFieldManager } from "./names.ts";
import { readinessFor } from "./ready.ts";
import { referenceOf, type Session } from "./session.ts";
import { loadCheckpoint, saveCheckpoint, secretPaths, toApi, toSdk } from "./state.ts";
import { parseId } from "./urn.ts";
import { judgeNow, problemsOfPods } from "./wait.ts";
import type { Properties } from "./wire.ts";

/** A resource that is to be looked up; without inputs for an import or a `.get`. */
export interface ReadRequest {
  readonly id: string;
  readonly urn: string;
  readonly properties: Properties;
  readonly inputs: Properties;
}

/** What the resource is now; undefined where it is gone. */
export interface ReadResult {
  readonly id: string;
  readonly properties: Properties;
  readonly inputs: Properties;
}

/**
 * What to do about a cluster that does not answer. Never drops the resource from the state unless the program's
 * provider says `deleteUnreachable`: the objects may well be running.
 */
function unreachable(session: Session, request: ReadRequest, error: PluginError): ReadResult | undefined {
  session.log.warning(error.message, request.urn);
  if (session.options.deleteUnreachable) {
    session.log.info(
      "the cluster is unreachable and the `deleteUnreachable` option is enabled: removing the resource from the state",
      request.urn,
    );
    return undefined;
  }
  if (session.options.skipUpdateUnreachable) return request;
  throw new PluginError(
    `failed to read resource state due to unreachable cluster: ${error.message}. If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"`,
    { cause: error },
  );
}

/**
 * Reads the live object.
 *
 * @throws NotReadyError where it exists but is not ready, so that the next update tries again.
 */
export async function read(session: Session, request: ReadRequest): Promise<ReadResult | undefined> {
  const type = typeOf(request.urn);
  const old = loadCheckpoint(request.properties);
  const given = toApi(request.inputs);
  const { namespace, name } = parseId(request.id);
  if (name === "") throw new PluginError(`"${request.id}" is not the id of a Kubernetes object`);
  const fresh = textAt(given.value, "kind") === undefined && textAt(old.live, "kind") === undefined;
  const identity: JsonRecord = {
    apiVersion: textAt(given.value, "apiVersion") ?? textAt(old.live, "apiVersion") ?? type.apiVersion,
    kind: textAt(given.value, "kind") ?? textAt(old.live, "kind") ?? type.kind,
    metadata: namespace === undefined ? { name } : { name, namespace },
  };
  let live: JsonRecord;
  try {
    const cluster = await session.cluster();
    live = await cluster.get(await referenceOf(cluster, identity), session.cancel);
  } catch (error) {
    if (error instanceof NoKindError || isNotFound(error)) return undefined;
    if (isOutOfReach(error)) return unreachable(session, request, error);
    throw error;
  }
  const inputs = fresh ? inputsOfLive(live) : inputsWithDrift(given.value, old.live, live);
  const secrets = secretPaths(live, given.secrets);
  const properties = saveCheckpoint({
    inputs,
    live,
    secrets,
    fieldManager: old.fieldManager ?? newFieldManager(),
    initialApiVersion: old.initialApiVersion ?? textAt(identity, "apiVersion"),
  });
  const result = { id: request.id, properties, inputs: toSdk({ value: inputs, secrets }) };
  if (!fresh) await assertReady(session, request, result, live, inputs);
  return result;
}

async function assertReady(
  session: Session,
  request: ReadRequest,
  result: ReadResult,
  live: JsonRecord,
  inputs: JsonRecord,
): Promise<void> {
  const readiness = readinessFor(inputs);
  if (readiness === undefined) return;
  const cluster = await session.cluster();
  const reference = await referenceOf(cluster, live);
  const verdict = await judgeNow(cluster, reference, live, readiness.judge, session.cancel);
  if (verdict.state === "ready") return;
  const reasons = [verdict.reason, ...(await problemsOfPods(cluster, live))];
  throw new NotReadyError(`'${request.id}' is not ready: ${reasons.join("\n")}`, {
    id: result.id,
    state: result.properties,
    inputs: result.inputs,
    reasons,
  });
}
