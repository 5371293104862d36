import { isAutonamed, replacesUnready } from "./annotations.ts";
import { readinessOf } from "./await/index.ts";
import { typeOf } from "./check.ts";
import { type Change, changes, formatPath, isWithin, parsePath } from "./diff.ts";
import { withoutServerFields } from "./drift.ts";
import { PluginError } from "./errors.ts";
import { isImmutable } from "./immutable.ts";
import { at, type JsonRecord, put, textAt } from "./json.ts";
import { isNamespaced, referenceOf, type Session } from "./session.ts";
import { loadCheckpoint, toApi } from "./state.ts";
import { judgeNow } from "./wait.ts";
import type { Properties } from "./wire.ts";

/** What a new set of inputs does to a resource. */
export interface Plan {
  readonly changes: readonly (Change & { readonly property: string; readonly replaces: boolean })[];
  /** Properties for which the object must be made anew. */
  readonly replaces: readonly string[];
  /** The new object has the name of the old one, so both can't exist. */
  readonly deleteBeforeReplace: boolean;
}

/** A resource's old state and the inputs that are to become true. */
export interface PlanRequest {
  readonly urn: string;
  readonly olds: Properties;
  readonly news: Properties;
  readonly ignoreChanges: readonly string[];
}

/** An object with the namespace it really has, so that an unset one and `default` compare equal. */
const inNamespace = (object: JsonRecord, namespaced: boolean): JsonRecord =>
  put(
    object,
    ["metadata", "namespace"],
    namespaced ? (at(object, "metadata", "namespace") ?? "default") : undefined,
  );

/** Whether a Job that asks to be replaced unless it is done is not done. Problems in asking count as done. */
async function isUnready(session: Session, live: JsonRecord, urn: string): Promise<boolean> {
  if (live["kind"] !== "Job") {
    session.log.warning("replaceUnready annotation is not supported for this resource", urn);
    return false;
  }
  try {
    const cluster = await session.cluster();
    const reference = await referenceOf(cluster, live);
    const current = await cluster.get(reference, session.cancel);
    const judge = readinessOf(current)?.judge;
    if (judge === undefined) return false;
    return (await judgeNow(cluster, reference, current, judge, session.cancel)).state !== "ready";
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    session.log.warning(`skipping the replaceUnready check: ${error.message}`, urn);
    return false;
  }
}

/**
 * Compares the inputs of the last update (or of the last refresh, which takes drift into them) with the new ones. Fields
 * that the program never set are not looked at: they belong to the server and to other managers.
 */
export async function planDiff(session: Session, request: PlanRequest): Promise<Plan> {
  const type = typeOf(request.urn);
  const old = loadCheckpoint(request.olds);
  const next = withoutServerFields(toApi(request.news).value);
  const namespaced = await isNamespaced(
    session,
    textAt(next, "apiVersion") ?? type.apiVersion,
    textAt(next, "kind") ?? type.kind,
  );
  const oldName = at(old.live, "metadata", "name");
  let before = inNamespace(withoutServerFields(old.inputs), namespaced);
  // A name that the server or an earlier run chose is the object's name all the same.
  if (at(before, "metadata", "name") === undefined) before = put(before, ["metadata", "name"], oldName);
  const after = inNamespace(next, namespaced);
  const ignored = request.ignoreChanges.map(parsePath);
  const found = changes(before, after)
    .filter(({ path }) => !ignored.some((prefix) => isWithin(path, prefix)))
    .map((change) => ({
      ...change,
      property: formatPath(change.path),
      replaces: type.patch
        ? change.path[0] === "metadata" && (change.path[1] === "name" || change.path[1] === "namespace")
        : isImmutable(after, change.path, session.mutability),
    }));
  const replaces = found.filter((change) => change.replaces).map(({ property }) => property);
  if (replacesUnready(after) && (await isUnready(session, old.live, request.urn)))
    replaces.push('metadata.annotations["pulumi.com/replaceUnready"]');
  return {
    changes: found,
    replaces,
    deleteBeforeReplace:
      replaces.length > 0 &&
      !isAutonamed(after) &&
      at(after, "metadata", "name") === oldName &&
      at(after, "metadata", "namespace") === at(inNamespace(old.live, namespaced), "metadata", "namespace"),
  };
}
