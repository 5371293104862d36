import { isRecord, type JsonRecord, put, recordAt, show, textAt } from "../../json.ts";
import { hasUnknown, reveal, revealRecord, UNKNOWN_VALUE } from "../../wire.ts";
import { type Comparison, compare, UNCHANGED } from "../compare.ts";
import { digest, parseUrn } from "../identity.ts";
import { type Existing, type Provider, refuse } from "../provider.ts";
import { served } from "./existing.ts";
import { isNamespaced, replacesOf } from "./kinds.ts";
import { clusterOf } from "./kubeconfig.ts";
import { checkRelease, isRelease, RELEASE_REPLACES, releaseId, releaseState } from "./release.ts";

const AUTONAMED = "pulumi.com/autonamed";

/** `kubernetes:apps/v1:Deployment` is `apps/v1` and `Deployment`; group `core` is the one without a name. */
function kindOf(urn: string): { readonly apiVersion: string; readonly kind: string } {
  const [, group = "", type = ""] = parseUrn(urn).type.split(":");
  return { apiVersion: group.replace(/^core\//, ""), kind: type.replace(/Patch$/, "") };
}

/** The stand-in for the kubernetes plugin: a cluster that takes everything. */
export function createKubernetesProvider(): Provider {
  let settings: JsonRecord = {};

  const flag = (name: string): boolean => show(settings[name]) === "true";

  const replaces = (urn: string, object: JsonRecord): readonly string[] => {
    const { apiVersion, kind } = kindOf(urn);
    return replacesOf(apiVersion, kind, object["immutable"] === true, {
      configMaps: flag("enableConfigMapMutable"),
      secrets: flag("enableSecretMutable"),
    });
  };

  return {
    diffConfig: compareClusters,
    configure: (config) => {
      settings = config;
    },
    check: (urn, olds, news) => {
      if (isRelease(urn)) return checkRelease(urn, olds, news);
      return checkObject(urn, olds, news, textAt(settings, "namespace") ?? "default");
    },
    diff: (urn, olds, news): Comparison => {
      const object = revealRecord(news);
      const paths = isRelease(urn) ? RELEASE_REPLACES : replaces(urn, object);
      const comparison = compare(olds, news, { replaces: paths });
      if (comparison.changes.length === 0) return UNCHANGED;
      // Two objects of one name can't be there at once.
      return {
        ...comparison,
        deleteBeforeReplace:
          comparison.changes.some((change) => change.replaces) &&
          idOf(urn, object) === idOf(urn, revealRecord(olds)),
      };
    },
    create: (urn, inputs, preview) => {
      const id = idOf(urn, revealRecord(inputs));
      return { id, properties: stateOf(urn, id, inputs, preview), inputs };
    },
    read: (urn, id, state, inputs): Existing => {
      if (Object.keys(inputs).length > 0) return { id, properties: state, inputs };
      const { apiVersion, kind } = kindOf(urn);
      return { id, properties: served({ apiVersion, kind, ...state }, id, kind), inputs: {} };
    },
    update: (urn, id, _state, _olds, news, preview) => stateOf(urn, id, news, preview),
    invoke: (token) => refuse("a function of package kubernetes")(token),
    construct: ({ type }) => refuse("rendered from a chart or manifest; use helm.v3.Release")(type),
  };
}

function idOf(urn: string, object: JsonRecord): string {
  if (isRelease(urn)) return releaseId(object);
  const name = textAt(object, "metadata", "name") ?? "";
  const namespace = textAt(object, "metadata", "namespace");
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function stateOf(urn: string, id: string, inputs: JsonRecord, preview: boolean): JsonRecord {
  if (isRelease(urn)) return releaseState(inputs, preview);
  const { kind } = kindOf(urn);
  if (!preview) return served(inputs, id, kind);
  // What a dry run of the API server can't know either.
  const metadata = recordAt(inputs, "metadata");
  return {
    ...inputs,
    metadata: { ...metadata, uid: UNKNOWN_VALUE, resourceVersion: UNKNOWN_VALUE },
    status: UNKNOWN_VALUE,
  };
}

/** Completes an object with kind, name and namespace. */
function checkObject(urn: string, olds: JsonRecord, news: JsonRecord, namespace: string): JsonRecord {
  const { apiVersion, kind } = kindOf(urn);
  const object: JsonRecord = { apiVersion, kind, ...news };
  const given = object["metadata"] ?? {};
  // A secret or unknown as a whole: nothing can be added to it.
  if (!isRecord(given) || hasUnknown(given["name"] ?? null)) return object;
  let result: JsonRecord = { ...object, metadata: given };
  if (given["name"] === undefined) {
    const old =
      textAt(olds, "metadata", "annotations", AUTONAMED) === "true"
        ? textAt(olds, "metadata", "name")
        : undefined;
    result = put(result, ["metadata", "name"], old ?? `${parseUrn(urn).name}-${digest(8, urn)}`);
    result = put(result, ["metadata", "annotations", AUTONAMED], "true");
  }
  if (isNamespaced(apiVersion, kind) && reveal(given["namespace"] ?? "") === "")
    result = put(result, ["metadata", "namespace"], namespace);
  return result;
}

/** Another cluster means that all that is in it is made anew; another way to the same one does not. */
function compareClusters(olds: JsonRecord, news: JsonRecord): Comparison {
  const comparison = compare(olds, news, { replaces: [] });
  const [before, after] = [clusterOf(olds), clusterOf(news)];
  if (before === after || before === undefined || after === undefined) return comparison;
  return {
    ...comparison,
    changes: comparison.changes.map((change) => ({
      ...change,
      replaces: ["kubeconfig", "context", "cluster", "clusterIdentifier"].includes(String(change.path[0])),
    })),
  };
}
