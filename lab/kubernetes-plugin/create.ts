import { setTimeout as sleep } from "node:timers/promises";
import { fieldManagerOf, forcesPatch } from "./annotations.ts";
import { bodyOf, previewOf } from "./body.ts";
import { typeOf } from "./check.ts";
import type { Cluster, Reference, Written } from "./cluster.ts";
import {
  CancelledError,
  explainConflict,
  isAlreadyExists,
  isForbidden,
  isNamespaceMissing,
  isOutOfReach,
  isOwnershipConflict,
  NoKindError,
  PluginError,
} from "./errors.ts";
import { type JsonRecord, listAt, textAt } from "./json.ts";
import { newFieldManager } from "./names.ts";
import { finish, idOfObject } from "./ready.ts";
import { referenceOf, type Session } from "./session.ts";
import { saveCheckpoint, toApi } from "./state.ts";
import { hasUnknown, type Properties } from "./wire.ts";

/** A resource that is to be made. */
export interface CreateRequest {
  readonly urn: string;
  readonly properties: Properties;
  /** `customTimeouts.create` in seconds; 0 for none. */
  readonly timeout: number;
  readonly preview: boolean;
}

/** A resource as it was made; without an id in a preview. */
export interface Created {
  readonly id: string;
  readonly properties: Properties;
}

/** Milliseconds between tries while the namespace or the definition that an object needs is still to come: 10 s in all. */
const PAUSES = [100, 200, 400, 800, 1600, 3200, 3700];

async function write(
  session: Session,
  cluster: Cluster,
  reference: Reference,
  body: JsonRecord,
  manager: string,
  request: CreateRequest,
): Promise<Written> {
  const { options } = session;
  const writing = { manager, dryRun: request.preview };
  if (typeOf(request.urn).patch || (options.upsert && options.serverSideApply)) {
    // A preview can't tell what another resource of the same update will have given up by then.
    const force = options.patchForce || forcesPatch(body) || request.preview;
    return await cluster.apply(reference, body, { ...writing, force });
  }
  try {
    return await cluster.create(reference, body, writing);
  } catch (error) {
    if (request.preview || !isAlreadyExists(error)) throw error;
    // The connection may have broken after the server had done it: then the object has our own, unique manager.
    const live = await cluster.get(reference);
    const ours = listAt(live, "metadata", "managedFields").some(
      (entry) => textAt(entry, "manager") === manager,
    );
    if (!ours || fieldManagerOf(body) !== undefined) throw error;
    return { object: live, warnings: [] };
  }
}

/** Tries again while what the object needs is missing, for programs whose resources don't say that they depend on it. */
async function writeWithRetry(
  session: Session,
  body: JsonRecord,
  manager: string,
  request: CreateRequest,
): Promise<{ readonly cluster: Cluster; readonly reference: Reference; readonly written: Written }> {
  const cluster = await session.cluster();
  for (let attempt = 0; ; attempt++) {
    try {
      const reference = await referenceOf(cluster, body);
      return {
        cluster,
        reference,
        written: await write(session, cluster, reference, body, manager, request),
      };
    } catch (error) {
      const pause = PAUSES[attempt];
      const mayCome = error instanceof NoKindError || isNamespaceMissing(error);
      if (!mayCome || request.preview || pause === undefined) throw error;
      if (session.cancel.aborted) throw new CancelledError("the operation was cancelled");
      session.log.status(
        `Retry #${attempt}; creation failed: ${error instanceof Error ? error.message : ""}`,
        request.urn,
      );
      await sleep(pause, undefined, { signal: session.cancel }).catch(() => undefined);
    }
  }
}

/** Whether a dry run's failure says nothing about the update: the program's inputs are then the preview. */
const isNoPreview = (error: unknown): boolean =>
  error instanceof NoKindError ||
  isOutOfReach(error) ||
  isNamespaceMissing(error) ||
  isForbidden(error) ||
  isAlreadyExists(error);

function explain(error: unknown, request: CreateRequest, manager: string): unknown {
  if (!(error instanceof PluginError) || error instanceof CancelledError) return error;
  const reason = isOwnershipConflict(error) ? explainConflict(error, manager) : error.message;
  const hint = isAlreadyExists(error)
    ? ". To take it into the stack use the resource option `import`, to change only some of its fields a Patch resource, and to overwrite it the provider option `upsertExistingObjects`"
    : "";
  return new PluginError(
    `resource "${request.urn}" was not successfully created by the Kubernetes API server: ${reason}${hint}`,
    { cause: error },
  );
}

/**
 * Makes the object and waits until it is ready.
 *
 * @throws PluginError where nothing was made; NotReadyError where the object exists but is not what was asked for.
 */
export async function create(session: Session, request: CreateRequest): Promise<Created> {
  const inputs = toApi(request.properties);
  const type = typeOf(request.urn);
  const asGiven = { id: "", properties: request.properties };
  if (request.preview && (hasUnknown(inputs.value) || type.patch || !session.options.serverSideApply))
    return asGiven;
  const manager = session.options.serverSideApply
    ? (fieldManagerOf(inputs.value) ?? newFieldManager())
    : "pulumi-kubernetes";
  const body = bodyOf(inputs.value);
  const checkpoint = (live: JsonRecord): Properties =>
    saveCheckpoint({
      inputs: inputs.value,
      live,
      secrets: inputs.secrets,
      fieldManager: manager,
      initialApiVersion: textAt(inputs.value, "apiVersion"),
    });
  let made: Awaited<ReturnType<typeof writeWithRetry>>;
  try {
    made = await writeWithRetry(session, body, manager, request);
  } catch (error) {
    if (request.preview && isOutOfReach(error)) session.log.warning(error.message, request.urn);
    if (request.preview && isNoPreview(error)) return asGiven;
    throw explain(error, request, manager);
  }
  const { cluster, reference, written } = made;
  if (request.preview) return { id: "", properties: checkpoint(previewOf(written.object, inputs.value)) };
  for (const warning of written.warnings) session.log.warning(warning, request.urn);
  const live = await finish(session, {
    urn: request.urn,
    cluster,
    reference,
    inputs: inputs.value,
    written: written.object,
    timeout: request.timeout,
    checkpoint,
    verb: "created",
  });
  return { id: idOfObject(live), properties: checkpoint(live) };
}
