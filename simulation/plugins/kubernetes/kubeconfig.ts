// Boundary: kubeconfigs are YAML that anyone may have written.
import { createRequire } from "node:module";
import type yamlTypes from "yaml";
import { type Json, type JsonRecord, listAt, parseJson, recordAt, textAt } from "../../json.ts";
import { isUnknown } from "../../wire.ts";

/** What tells one cluster from another in a provider's inputs; undefined where they don't say it (yet). */
export function clusterOf(config: JsonRecord): string | undefined {
  const identifier = textAt(config, "clusterIdentifier");
  if (identifier !== undefined) return isUnknown(identifier) ? undefined : identifier;
  const kubeconfig = contentOf(config["kubeconfig"]);
  // A path, say: the file may have changed since, nobody knows.
  if (kubeconfig === undefined) return undefined;
  const named = (list: string, name: string | undefined): Json | undefined =>
    listAt(kubeconfig, list).find((entry) => textAt(entry, "name") === name);
  const context = named("contexts", textAt(config, "context") ?? textAt(kubeconfig, "current-context"));
  const cluster = named("clusters", textAt(config, "cluster") ?? textAt(context, "context", "cluster"));
  return textAt(cluster, "cluster", "server");
}

function contentOf(value: Json | undefined): JsonRecord | undefined {
  if (value === undefined || isUnknown(value)) return undefined;
  const content = typeof value === "string" ? (parseJson(value) ?? parseYaml(value)) : value;
  return recordAt({ content }, "content");
}

/** Loaded when it is needed, which is seldom: it takes longer than all else that a preview asks of this plugin. */
function parseYaml(text: string): Json {
  if (!text.includes("\n")) return null;
  const yaml = createRequire(import.meta.url)("yaml") as typeof yamlTypes;
  try {
    return yaml.parse(text) as Json;
  } catch {
    return null;
  }
}
