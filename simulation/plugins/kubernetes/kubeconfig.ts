import { parse } from "yaml";
import { z } from "zod";
import { type JsonRecord, textAt } from "../../json.ts";
import { isUnknown } from "../../wire.ts";

const Kubeconfig = z.object({
  "current-context": z.string().optional(),
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string() }) })),
  clusters: z.array(z.object({ name: z.string(), cluster: z.object({ server: z.string() }) })),
});

/** What tells one cluster from another in a provider's inputs; undefined where they don't say it (yet). */
export function clusterOf(config: JsonRecord): string | undefined {
  const identifier = textAt(config, "clusterIdentifier");
  if (identifier !== undefined) return isUnknown(identifier) ? undefined : identifier;
  const kubeconfig = config["kubeconfig"];
  if (kubeconfig === undefined || isUnknown(kubeconfig)) return undefined;
  const { success, data } = Kubeconfig.safeParse(
    typeof kubeconfig === "string" ? parsed(kubeconfig) : kubeconfig,
  );
  // A path: the file may have changed since, nobody knows.
  if (!success) return undefined;
  const context = textAt(config, "context") ?? data["current-context"];
  const name = data.contexts.find((entry) => entry.name === context)?.context.cluster;
  return data.clusters.find((entry) => entry.name === (textAt(config, "cluster") ?? name))?.cluster.server;
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
