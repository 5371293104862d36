import { PluginError } from "./errors.ts";
import { at, isRecord, type Json, listAt, textAt } from "./json.ts";

/** What the program or its surroundings say about which part of a kubeconfig to use. */
export interface Overrides {
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly namespace?: string | undefined;
}

/** One file of a kubeconfig, or its text where the program passed that. */
export interface Source {
  readonly content: Json;
  /** What relative file names in it are relative to; undefined where it came as text. */
  readonly folder: string | undefined;
}

/** Bytes as the kubeconfig has them: in place, or the name of a file. */
export interface Data {
  readonly base64?: string | undefined;
  readonly file?: string | undefined;
}

/** The cluster, user and namespace that a kubeconfig's context selects. */
export interface Selected {
  readonly context: string;
  readonly server: string;
  readonly namespace: string;
  readonly ca: Data;
  readonly insecure: boolean;
  readonly tlsServerName: string | undefined;
  readonly proxy: string | undefined;
  readonly cert: Data;
  readonly key: Data;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly basic: { readonly username: string; readonly password: string } | undefined;
  /** Credentials come from a command or an old auth provider. */
  readonly needsHelper: boolean;
}

/** Whether a `kubeconfig` value is the content itself rather than the name of a file. */
export const isContent = (value: string): boolean =>
  value.includes("\n") ||
  value.trimStart().startsWith("{") ||
  /^\s*(apiVersion|kind|clusters|contexts)\s*:/.test(value);

interface Found {
  readonly value: Json;
  readonly folder: string | undefined;
}

/** The first source wins, as with kubectl. */
function named(sources: readonly Source[], list: string, member: string, name: string): Found | undefined {
  for (const { content, folder } of sources) {
    const entry = listAt(content, list).find((item) => textAt(item, "name") === name);
    const value = at(entry, member);
    if (isRecord(value)) return { value, folder };
  }
  return undefined;
}

function dataOf({ value, folder }: Found, key: string): Data {
  const base64 = textAt(value, `${key}-data`);
  if (base64 !== undefined && base64 !== "") return { base64 };
  const file = textAt(value, key);
  if (file === undefined || file === "") return {};
  return { file: file.startsWith("/") || folder === undefined ? file : `${folder}/${file}` };
}

/**
 * The cluster and user that the kubeconfig's context (or the one of `overrides`) selects.
 *
 * @throws PluginError where a context, cluster or user is not there.
 */
export function selectCluster(sources: readonly Source[], overrides: Overrides): Selected {
  const current = sources
    .map(({ content }) => textAt(content, "current-context"))
    .find((name) => name !== undefined && name !== "");
  const context = overrides.context ?? current;
  if (context === undefined)
    throw new PluginError("the kubeconfig has no current-context; set the provider's `context`");
  const selected = named(sources, "contexts", "context", context);
  if (selected === undefined) throw new PluginError(`the kubeconfig has no context "${context}"`);
  const clusterName = overrides.cluster ?? textAt(selected.value, "cluster") ?? "";
  const cluster = named(sources, "clusters", "cluster", clusterName);
  if (cluster === undefined) throw new PluginError(`the kubeconfig has no cluster "${clusterName}"`);
  const server = textAt(cluster.value, "server");
  if (server === undefined || !URL.canParse(server))
    throw new PluginError(`the kubeconfig's cluster "${clusterName}" has no server URL`);
  const userName = textAt(selected.value, "user") ?? "";
  const user = named(sources, "users", "user", userName);
  if (user === undefined && userName !== "")
    throw new PluginError(`the kubeconfig has no user "${userName}"`);
  const credentials: Found = user ?? { value: {}, folder: undefined };
  const username = textAt(credentials.value, "username");
  return {
    context,
    server,
    namespace: overrides.namespace ?? textAt(selected.value, "namespace") ?? "default",
    ca: dataOf(cluster, "certificate-authority"),
    insecure: at(cluster.value, "insecure-skip-tls-verify") === true,
    tlsServerName: textAt(cluster.value, "tls-server-name"),
    proxy: textAt(cluster.value, "proxy-url"),
    cert: dataOf(credentials, "client-certificate"),
    key: dataOf(credentials, "client-key"),
    token: textAt(credentials.value, "token"),
    tokenFile: dataOf(credentials, "tokenFile").file,
    basic:
      username === undefined
        ? undefined
        : { username, password: textAt(credentials.value, "password") ?? "" },
    needsHelper: isRecord(at(credentials.value, "exec")) || isRecord(at(credentials.value, "auth-provider")),
  };
}
