import type { Propagation } from "./annotations.ts";
import { ApiError, isNotFound, NoKindError } from "./errors.ts";
import type { Http } from "./http.ts";
import { isRecord, type Json, type JsonRecord, listAt, recordAt, textAt } from "./json.ts";
import { builtinEndpoint, type Endpoint, pathOf } from "./kinds.ts";

/** Names one object, or all of a kind in a namespace. */
export interface Reference {
  readonly endpoint: Endpoint;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** How an object is written. */
export interface Writing {
  readonly manager: string;
  readonly dryRun: boolean;
  /** Take fields over that other managers own. Server-side apply only. */
  readonly force?: boolean;
}

/** Which objects of a collection to look at. */
export interface Selection {
  readonly endpoint: Endpoint;
  readonly namespace: string | undefined;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** An object as the server returned it, and what it warned of. */
export interface Written {
  readonly object: JsonRecord;
  readonly warnings: readonly string[];
}

/** What the provider does with an API server. Every call throws the errors of {@link Http.call}. */
export interface Cluster {
  readonly server: string;
  /** @throws NoKindError where the server has no such kind. */
  endpoint: (apiVersion: string, kind: string) => Promise<Endpoint>;
  get: (reference: Reference, signal?: AbortSignal) => Promise<JsonRecord>;
  list: (selection: Selection, signal?: AbortSignal) => Promise<JsonRecord>;
  watch: (selection: Selection, resourceVersion: string, signal: AbortSignal) => AsyncGenerator<Json>;
  // Writes take no signal: stopped half-way, nobody would know whether the server has done them.
  create: (reference: Reference, object: JsonRecord, writing: Writing) => Promise<Written>;
  apply: (reference: Reference, object: JsonRecord, writing: Writing) => Promise<Written>;
  /** An RFC 7386 merge patch (a record) or an RFC 6902 patch (a list). */
  patch: (reference: Reference, patch: Json, writing: Writing) => Promise<Written>;
  /** The object where it is still going, undefined where it is gone already. */
  delete: (reference: Reference, propagation: Propagation) => Promise<JsonRecord | undefined>;
  /** Asks only whether anything answers. */
  ping: () => Promise<void>;
  /** Takes in a CustomResourceDefinition of the program, whose kind the server may not serve yet. */
  learn: (definition: Json) => void;
}

const asRecord = (body: Json): JsonRecord => (isRecord(body) ? body : {});

function writingQuery({ manager, dryRun, force }: Writing): Record<string, string> {
  return {
    fieldManager: manager,
    fieldValidation: "Warn",
    ...(dryRun ? { dryRun: "All" } : {}),
    ...(force === true ? { force: "true" } : {}),
  };
}

const selectionQuery = ({ fieldSelector, labelSelector }: Selection): Record<string, string> => ({
  ...(fieldSelector === undefined ? {} : { fieldSelector }),
  ...(labelSelector === undefined ? {} : { labelSelector }),
});

const stopping = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };

/** Kinds of one API version that the server serves. */
async function discover(http: Http, apiVersion: string): Promise<readonly Endpoint[]> {
  const path = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { body } = await http.call({ method: "GET", path }).catch((error: unknown) => {
    if (error instanceof NoKindError || isNotFound(error)) return { body: {} };
    throw error;
  });
  return listAt(body, "resources").flatMap((resource) => {
    const plural = textAt(resource, "name") ?? "";
    const kind = textAt(resource, "kind") ?? "";
    return plural === "" || plural.includes("/")
      ? []
      : [{ apiVersion, kind, plural, namespaced: asRecord(resource)["namespaced"] === true }];
  });
}

/** Endpoints that a CustomResourceDefinition will add. */
function endpointsOf(definition: Json): readonly Endpoint[] {
  const group = textAt(definition, "spec", "group");
  const kind = textAt(definition, "spec", "names", "kind");
  const plural = textAt(definition, "spec", "names", "plural");
  if (group === undefined || kind === undefined || plural === undefined) return [];
  const namespaced = textAt(definition, "spec", "scope") !== "Cluster";
  return listAt(definition, "spec", "versions").flatMap((version) => {
    const name = textAt(version, "name");
    return name === undefined ? [] : [{ apiVersion: `${group}/${name}`, kind, plural, namespaced }];
  });
}

/** The HTTP of `http`, with a path that the server does not have told from an object that is not there. */
function knowingKinds(http: Http): Http {
  const told = (error: unknown): unknown =>
    error instanceof ApiError && error.code === 404 && error.reason === ""
      ? new NoKindError(`${NO_KIND} at this path. ${DEFINE}`, { cause: error })
      : error;
  return {
    ...http,
    call: (call) =>
      http.call(call).catch((error: unknown) => {
        throw told(error);
      }),
  };
}

const NO_KIND = "the Kubernetes API server has no such kind";
const DEFINE = "Verify that any required CustomResourceDefinitions have been created";

export function createCluster(raw: Http): Cluster {
  const http = knowingKinds(raw);
  const known = new Map<string, Endpoint>();
  const keyOf = (apiVersion: string, kind: string): string => `${apiVersion}/${kind}`;
  const asked = new Map<string, Promise<readonly Endpoint[]>>();

  const write = async (
    method: "POST" | "PATCH",
    reference: Reference,
    body: Json,
    contentType: string,
    writing: Writing,
  ): Promise<Written> => {
    const { endpoint, namespace, name } = reference;
    const answer = await http.call({
      method,
      path: pathOf(endpoint, namespace, method === "POST" ? undefined : name),
      query: writingQuery(writing),
      body,
      contentType,
    });
    return { object: asRecord(answer.body), warnings: answer.warnings };
  };

  return {
    server: http.server,
    endpoint: async (apiVersion, kind) => {
      const found = builtinEndpoint(apiVersion, kind) ?? known.get(keyOf(apiVersion, kind));
      if (found !== undefined) return found;
      const pending = asked.get(apiVersion) ?? discover(http, apiVersion);
      asked.set(apiVersion, pending);
      try {
        for (const endpoint of await pending) known.set(keyOf(apiVersion, endpoint.kind), endpoint);
      } finally {
        // Shared by those who ask at the same time only: a definition may be made in a moment.
        asked.delete(apiVersion);
      }
      const discovered = known.get(keyOf(apiVersion, kind));
      if (discovered === undefined)
        throw new NoKindError(`${NO_KIND} as "${kind}" in version "${apiVersion}". ${DEFINE}`);
      return discovered;
    },
    get: async ({ endpoint, namespace, name }, signal) =>
      asRecord(
        (await http.call({ method: "GET", path: pathOf(endpoint, namespace, name), ...stopping(signal) }))
          .body,
      ),
    list: async (selection, signal) => {
      const path = pathOf(selection.endpoint, selection.namespace, undefined);
      const query = selectionQuery(selection);
      return asRecord((await http.call({ method: "GET", path, query, ...stopping(signal) })).body);
    },
    watch: (selection, resourceVersion, signal) =>
      http.stream({
        method: "GET",
        path: pathOf(selection.endpoint, selection.namespace, undefined),
        query: { ...selectionQuery(selection), watch: "true", resourceVersion, timeoutSeconds: "300" },
        signal,
      }),
    create: (reference, object, writing) => write("POST", reference, object, "application/json", writing),
    // JSON is YAML, and the content type that every server since 1.16 takes.
    apply: (reference, object, writing) =>
      write("PATCH", reference, object, "application/apply-patch+yaml", writing),
    patch: (reference, patch, writing) =>
      write(
        "PATCH",
        reference,
        patch,
        Array.isArray(patch) ? "application/json-patch+json" : "application/merge-patch+json",
        writing,
      ),
    delete: async ({ endpoint, namespace, name }, propagation) => {
      const { body } = await http.call({
        method: "DELETE",
        path: pathOf(endpoint, namespace, name),
        body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: propagation },
      });
      const object = asRecord(body);
      return textAt(recordAt(object, "metadata"), "deletionTimestamp") === undefined ? undefined : object;
    },
    ping: async () => {
      await http.call({ method: "GET", path: "/version" });
    },
    learn: (definition) => {
      for (const endpoint of endpointsOf(definition))
        known.set(keyOf(endpoint.apiVersion, endpoint.kind), endpoint);
    },
  };
}
