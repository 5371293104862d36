import { waitForOf } from "./annotations.ts";
import { parseWaitFor } from "./await/wait-for.ts";
import { withoutServerFields } from "./drift.ts";
import { isOutOfReach, PluginError } from "./errors.ts";
import { at, isRecord, type JsonRecord, put, recordAt, textAt } from "./json.ts";
import { type Autonaming, autoname } from "./names.ts";
import { isNamespaced, type Session } from "./session.ts";
import { secretPaths, toApi, toSdk } from "./state.ts";
import { parseUrn, type ResourceType } from "./urn.ts";
import { hasUnknown, type Properties } from "./wire.ts";

/** An input that can't work. */
export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** Checked inputs, complete with name and namespace. */
export interface Checked {
  readonly inputs: Properties;
  readonly failures: readonly Failure[];
}

/** What a program says of a resource, and what it said the last time. */
export interface CheckRequest {
  readonly urn: string;
  readonly olds: Properties;
  readonly news: Properties;
  readonly seed: Uint8Array;
  readonly autonaming: Autonaming | undefined;
}

const MANAGED_BY = ["metadata", "labels", "app.kubernetes.io/managed-by"];

/** @throws PluginError for types that the stand-in does not have. */
export function typeOf(urn: string): ResourceType {
  const type = parseUrn(urn);
  if (type !== undefined) return type;
  const token = urn.split("::")[2]?.split("$").at(-1) ?? urn;
  throw new PluginError(
    `${token} is not supported by Mayfly's stand-in for the Kubernetes provider plugin (the official one can't be had here)`,
  );
}

/** Values that must be text: the API server's own message for a number here is hard to read. */
function textFailures(object: JsonRecord, field: "labels" | "annotations"): readonly Failure[] {
  return Object.entries(recordAt(object, "metadata", field))
    .filter(([, value]) => typeof value !== "string" && !hasUnknown(value))
    .map(([key, value]) => ({
      property: `metadata.${field}["${key}"]`,
      reason: `must be a string, is ${JSON.stringify(value)}; quote it`,
    }));
}

function failuresOf(object: JsonRecord): readonly Failure[] {
  const failures: Failure[] = [];
  for (const property of ["apiVersion", "kind"])
    if (textAt(object, property) === undefined)
      failures.push({ property, reason: "is required and must be a string" });
  const name = at(object, "metadata", "name");
  if (name !== undefined && (typeof name !== "string" || name === "" || /[/%]/.test(name) || name === ".."))
    failures.push({ property: "metadata.name", reason: `${JSON.stringify(name)} is not a name` });
  if (textAt(object, "metadata", "generateName") !== undefined && name === undefined)
    failures.push({
      property: "metadata.generateName",
      reason: "the `.metadata.generateName` field is not supported in Server-Side Apply mode",
    });
  failures.push(...textFailures(object, "labels"), ...textFailures(object, "annotations"));
  const waitFor = waitForOf(object);
  const parsed = waitFor === undefined || hasUnknown(waitFor) ? undefined : parseWaitFor(waitFor);
  if (parsed !== undefined && "failure" in parsed)
    failures.push({ property: 'metadata.annotations["pulumi.com/waitFor"]', reason: parsed.failure });
  return failures;
}

/** Checks a resource's inputs and completes them: name, namespace, and the defaults of the type. */
export async function check(session: Session, request: CheckRequest): Promise<Checked> {
  const type = typeOf(request.urn);
  if (/.List$/.test(type.kind) && at(request.news.value, "items") !== undefined)
    throw new PluginError(
      "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created directly. Use the underlying resource type instead",
    );
  if (await isSkipped(session, request)) return { inputs: request.olds, failures: [] };
  const news = toApi(request.news);
  const olds = toApi(request.olds).value;
  const known = Object.keys(olds).length > 0;
  let object: JsonRecord = {
    apiVersion: type.apiVersion,
    kind: type.kind,
    ...withoutServerFields(news.value),
  };
  if (!isRecord(object["metadata"]) && !hasUnknown(object["metadata"])) object = { ...object, metadata: {} };

  if (type.patch && at(object, "metadata", "name") === undefined)
    throw new PluginError("patch resources require the `.metadata.name` field to be set");
  if (type.patch && !session.options.serverSideApply)
    throw new PluginError("patch resources require Server-Side Apply mode, see `enableServerSideApply`");
  const named = autoname(object, known ? olds : undefined, type.name, request.seed, request.autonaming);
  if ("failure" in named)
    return { inputs: news, failures: [{ property: "metadata.name", reason: named.failure }] };
  object = named.object;

  const labelled = known ? at(olds, ...MANAGED_BY) !== undefined : !session.options.serverSideApply;
  if (labelled && at(object, ...MANAGED_BY) === undefined) object = put(object, MANAGED_BY, "pulumi");

  const { apiVersion, kind } = object;
  if (typeof apiVersion === "string" && typeof kind === "string") {
    if (kind === "CustomResourceDefinition" && !hasUnknown(object)) await learn(session, object);
    object = await withNamespace(session, object, apiVersion, kind);
  }
  const secrets = secretPaths(object, news.secrets);
  return { inputs: toSdk({ value: object, secrets }), failures: failuresOf(object) };
}

/** Whether the program wants resources of a cluster that does not answer left as they are. */
async function isSkipped(session: Session, { olds, urn }: CheckRequest): Promise<boolean> {
  if (!session.options.skipUpdateUnreachable || Object.keys(olds.value).length === 0) return false;
  try {
    await (await session.cluster()).ping();
    return false;
  } catch (error) {
    if (!isOutOfReach(error)) return false;
    session.log.warning(`${error.message}; skipUpdateUnreachable leaves the resource as it is`, urn);
    return true;
  }
}

async function learn(session: Session, definition: JsonRecord): Promise<void> {
  try {
    (await session.cluster()).learn(definition);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
  }
}

async function withNamespace(
  session: Session,
  object: JsonRecord,
  apiVersion: string,
  kind: string,
): Promise<JsonRecord> {
  if (!isRecord(object["metadata"])) return object;
  if ((at(object, "metadata", "namespace") ?? "") !== "") return object;
  const namespace = await session.defaultNamespace();
  if (namespace === undefined || !(await isNamespaced(session, apiVersion, kind))) return object;
  return put(object, ["metadata", "namespace"], namespace);
}
