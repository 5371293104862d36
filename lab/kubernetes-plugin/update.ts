import { fieldManagerOf, forcesPatch } from "./annotations.ts";
import { bodyOf, mergePatch, withIgnored } from "./body.ts";
import { typeOf } from "./check.ts";
import type { Cluster, Reference, Written } from "./cluster.ts";
import {
  ApiError,
  explainConflict,
  isForbidden,
  isNotFound,
  isOutOfReach,
  isOwnershipConflict,
  NoKindError,
  PluginError,
} from "./errors.ts";
import { type JsonRecord, put, textAt } from "./json.ts";
import { takeOver } from "./managed-fields.ts";
import { newFieldManager } from "./names.ts";
import { finish } from "./ready.ts";
import { referenceOf, type Session } from "./session.ts";
import { type Checkpoint, loadCheckpoint, saveCheckpoint, toApi } from "./state.ts";
import { hasUnknown, type Properties } from "./wire.ts";

/** A resource that is to be changed in place. */
export interface UpdateRequest {
  readonly urn: string;
  readonly olds: Properties;
  readonly news: Properties;
  /** `customTimeouts.update` in seconds; 0 for none. */
  readonly timeout: number;
  readonly preview: boolean;
  readonly ignoreChanges: readonly string[];
}

/** An update under way. */
interface Change {
  readonly cluster: Cluster;
  readonly reference: Reference;
  readonly body: JsonRecord;
  readonly manager: string;
  readonly request: UpdateRequest;
}

/** Hands over to `manager` what an earlier create owns; see {@link takeOver}. Returns the object as it is then. */
async function owned({ cluster, reference, manager }: Change, live: JsonRecord): Promise<JsonRecord> {
  let current = live;
  for (let attempt = 1; ; attempt++) {
    const managedFields = takeOver(current, manager);
    if (managedFields === undefined) return current;
    // Naming the resource version makes the server refuse if somebody else was quicker.
    const patch = [
      { op: "replace", path: "/metadata/managedFields", value: managedFields },
      {
        op: "replace",
        path: "/metadata/resourceVersion",
        value: textAt(current, "metadata", "resourceVersion") ?? "",
      },
    ];
    try {
      return (await cluster.patch(reference, patch, { manager, dryRun: false })).object;
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 409) || attempt === 5) throw error;
      current = await cluster.get(reference);
    }
  }
}

async function apply(session: Session, change: Change): Promise<Written> {
  const { cluster, reference, manager, request } = change;
  let live = await cluster.get(reference);
  const patches = typeOf(request.urn).patch;
  const former = !patches && takeOver(live, manager) !== undefined;
  if (former && !request.preview) live = await owned(change, live);
  const body = withIgnored(change.body, live, request.ignoreChanges, manager);
  const force = session.options.patchForce || forcesPatch(body) || (former && request.preview);
  return await cluster.apply(reference, body, { manager, dryRun: request.preview, force });
}

async function merge(session: Session, change: Change, old: Checkpoint): Promise<Written> {
  const { cluster, reference, manager, request } = change;
  const patch = mergePatch(bodyOf(old.inputs), change.body);
  session.log.status("updating without server-side apply", request.urn);
  return await cluster.patch(reference, patch, { manager, dryRun: request.preview });
}

/** Gives up all fields that `manager` owns: those that nobody else owns leave the object. */
export async function relinquish(
  cluster: Cluster,
  reference: Reference,
  object: JsonRecord,
  manager: string,
): Promise<void> {
  const { name, namespace } = reference;
  const metadata = namespace === undefined ? { name } : { name, namespace };
  const body = { apiVersion: object["apiVersion"] ?? null, kind: object["kind"] ?? null, metadata };
  await cluster.apply(reference, body, { manager, dryRun: false });
}

function explain(error: unknown, { request, manager }: { request: UpdateRequest; manager: string }): unknown {
  if (!(error instanceof PluginError)) return error;
  const reason = isOwnershipConflict(error) ? explainConflict(error, manager) : error.message;
  const hint = isNotFound(error) ? ". It was deleted outside of Pulumi: run `pulumi refresh` first" : "";
  return new PluginError(`update of resource "${request.urn}" failed: ${reason}${hint}`, { cause: error });
}

/**
 * Changes the object and waits until it is ready again.
 *
 * @returns the new state.
 * @throws PluginError where nothing was changed; NotReadyError where the change did not become ready.
 */
export async function update(session: Session, request: UpdateRequest): Promise<Properties> {
  const inputs = toApi(request.news);
  if (request.preview && hasUnknown(inputs.value)) return request.news;
  const old = loadCheckpoint(request.olds);
  const ssa = session.options.serverSideApply;
  const manager = ssa
    ? (fieldManagerOf(inputs.value) ?? old.fieldManager ?? newFieldManager())
    : "pulumi-kubernetes";
  // The state's name is the object's real one; the inputs of an imported or generated name may lack it.
  const name = textAt(inputs.value, "metadata", "name") ?? textAt(old.live, "metadata", "name");
  const body = bodyOf(put(inputs.value, ["metadata", "name"], name));
  const checkpoint = (live: JsonRecord): Properties =>
    saveCheckpoint({
      inputs: inputs.value,
      live,
      secrets: inputs.secrets,
      fieldManager: manager,
      initialApiVersion: old.initialApiVersion ?? textAt(old.inputs, "apiVersion"),
    });
  let change: Change;
  let written: Written;
  try {
    const cluster = await session.cluster();
    change = { cluster, reference: await referenceOf(cluster, body), body, manager, request };
    written = await (ssa ? apply(session, change) : merge(session, change, old));
    const former = old.fieldManager;
    if (ssa && !request.preview && former !== undefined && former !== manager)
      await relinquish(cluster, change.reference, body, former);
  } catch (error) {
    const passes = error instanceof NoKindError || isOutOfReach(error) || isForbidden(error);
    if (request.preview && passes) return request.news;
    throw explain(error, { request, manager });
  }
  if (request.preview) return checkpoint(written.object);
  for (const warning of written.warnings) session.log.warning(warning, request.urn);
  const live = await finish(session, {
    urn: request.urn,
    cluster: change.cluster,
    reference: change.reference,
    inputs: inputs.value,
    written: written.object,
    timeout: request.timeout,
    checkpoint,
    verb: "updated",
  });
  return checkpoint(live);
}
