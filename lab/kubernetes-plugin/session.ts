import { type Cluster, createCluster, type Reference } from "./cluster.ts";
import { type Connection, connect } from "./connection.ts";
import { ConfigurationError, PluginError } from "./errors.ts";
import { createHttp, type Http } from "./http.ts";
import type { Mutability } from "./immutable.ts";
import { type JsonRecord, textAt } from "./json.ts";
import type { Options } from "./options.ts";

/** Where messages to the user go. */
export interface Log {
  readonly info: (message: string, urn?: string) => void;
  readonly warning: (message: string, urn?: string) => void;
  /** A passing message in the resource's status column. */
  readonly status: (message: string, urn: string) => void;
}

/** A configured provider: its options, its cluster, and the user's wish to stop. */
export interface Session {
  readonly options: Options;
  readonly mutability: Mutability;
  readonly log: Log;
  /** Aborted when the user cancels the operation. */
  readonly cancel: AbortSignal;
  /** The namespace for objects without one; undefined where the kubeconfig can't be read. */
  readonly defaultNamespace: () => Promise<string | undefined>;
  /** @throws PluginError where the configuration leads to no cluster. Does not talk to it. */
  readonly cluster: () => Promise<Cluster>;
  readonly close: () => void;
}

/** Makes a session. Nothing is read or asked before it is needed. */
export function createSession(options: Options, log: Log, cancel: AbortSignal): Session {
  let connection: Promise<Connection> | undefined;
  let cluster: Promise<Cluster> | undefined;
  let http: Http | undefined;
  const connected = (): Promise<Connection> => {
    connection ??= connect(options.kubeconfig, options).catch((error: unknown) => {
      if (!(error instanceof PluginError)) throw error;
      throw new ConfigurationError(`configured Kubernetes cluster is unreachable: ${error.message}`, {
        cause: error,
      });
    });
    return connection;
  };
  return {
    options,
    mutability: { configMaps: options.configMapMutable, secrets: options.secretMutable },
    log,
    cancel,
    defaultNamespace: async () => {
      try {
        return (await connected()).namespace;
      } catch (error) {
        // A preview may go without a cluster; whatever needs it reports the problem itself.
        if (error instanceof PluginError) return options.namespace;
        throw error;
      }
    },
    cluster: () => {
      cluster ??= connected().then((found) => {
        http = createHttp(found, options.timeout);
        return createCluster(http);
      });
      return cluster;
    },
    close: () => http?.close(),
  };
}

/** Where the API server has, or will have, `object`. */
export async function referenceOf(cluster: Cluster, object: JsonRecord): Promise<Reference> {
  const endpoint = await cluster.endpoint(textAt(object, "apiVersion") ?? "", textAt(object, "kind") ?? "");
  return {
    endpoint,
    namespace: endpoint.namespaced ? textAt(object, "metadata", "namespace") : undefined,
    name: textAt(object, "metadata", "name") ?? "",
  };
}

/** Whether a kind has namespaces: yes while nobody can tell, for its definition or its cluster may be still to come. */
export async function isNamespaced(session: Session, apiVersion: string, kind: string): Promise<boolean> {
  try {
    return (await (await session.cluster()).endpoint(apiVersion, kind)).namespaced;
  } catch (error) {
    if (error instanceof PluginError) return true;
    throw error;
  }
}
