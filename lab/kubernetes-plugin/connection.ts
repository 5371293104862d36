// Boundary: reads kubeconfig files and runs credential commands, whose content is untyped.
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { childEnv, execute } from "../../base/process.ts";
import { PluginError } from "./errors.ts";
import { at, isList, isRecord, type Json, textAt } from "./json.ts";
import {
  type Data,
  isContent,
  type Overrides,
  type Selected,
  type Source,
  selectCluster,
} from "./kubeconfig.ts";

/** Proof of identity: a bearer token, a client certificate, or a name with a password. */
export interface Credentials {
  readonly authorization?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** How to reach one API server. */
export interface Connection {
  readonly server: URL;
  readonly namespace: string;
  /** The kubeconfig's context, for messages. */
  readonly context: string;
  readonly ca: string | undefined;
  readonly insecure: boolean;
  readonly tlsServerName: string | undefined;
  readonly proxy: string | undefined;
  /** Credentials to use now. `refused` tells that the server did not take the last ones. */
  readonly credentials: (refused?: boolean) => Promise<Credentials>;
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

async function parse(text: string, where: string): Promise<Json> {
  try {
    // Loaded only where needed: most kubeconfigs that programs pass are JSON, and YAML costs 10 ms of start-up.
    const parsed: unknown = text.trimStart().startsWith("{")
      ? JSON.parse(text)
      : (await import("yaml")).parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Json;
  } catch {
    // The parser's message quotes the text, which holds credentials.
  }
  throw new PluginError(`${where} is not a kubeconfig`);
}

async function readSource(file: string): Promise<Source> {
  const path = file.startsWith("~/") ? join(homedir(), file.slice(2)) : file;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    throw new PluginError(`can't read the kubeconfig file ${path}`);
  }
  return { content: await parse(text, `the file ${path}`), folder: dirname(path) };
}

/**
 * The sources of a provider's `kubeconfig` input: content, the name of a file, or a list of names as in $KUBECONFIG
 * (the SDK passes that variable's value on). Without an input: $KUBECONFIG, else ~/.kube/config.
 *
 * @returns an empty list where there is none at all.
 * @throws PluginError where a named file can't be read; files of a list may be missing, as with kubectl.
 */
export async function loadSources(
  input: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<readonly Source[]> {
  const value = input === undefined || input === "" ? env["KUBECONFIG"] : input;
  if (value !== undefined && isContent(value))
    return [{ content: await parse(value, "the provider's `kubeconfig`"), folder: undefined }];
  const listed = (value ?? "").split(delimiter).filter((file) => file !== "");
  const [only] = listed;
  if (only !== undefined && listed.length === 1) return [await readSource(only)];
  const files = listed.length > 0 ? listed : [join(homedir(), ".kube", "config")];
  return await Promise.all(files.filter((file) => existsSync(file)).map(readSource));
}

async function bytesOf({ base64, file }: Data, what: string): Promise<string | undefined> {
  if (base64 !== undefined) return Buffer.from(base64, "base64").toString("utf8");
  if (file === undefined) return undefined;
  try {
    return await readFile(file, "utf8");
  } catch {
    throw new PluginError(`can't read ${what} ${file} that the kubeconfig names`);
  }
}

/** Credentials that a command printed, and until when they are good. */
interface Lasting {
  readonly credentials: Credentials;
  readonly until: number;
}

/** Variables that credential commands of the clouds need, beside the usual ones. */
const CLOUD_VARIABLES = /^(AWS|AZURE|ARM|GOOGLE|CLOUDSDK|KUBECONFIG|PULUMI_HOME)/;

async function runCredentialCommand(user: Json, folder: string | undefined): Promise<Lasting> {
  const spec = at(user, "exec");
  const command = textAt(spec, "command") ?? "";
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && CLOUD_VARIABLES.test(name)) variables[name] = value;
  const extra = at(spec, "env");
  for (const item of isList(extra) ? extra : []) {
    const name = textAt(item, "name");
    if (name !== undefined) variables[name] = textAt(item, "value") ?? "";
  }
  const apiVersion = textAt(spec, "apiVersion") ?? "client.authentication.k8s.io/v1";
  variables["KUBERNETES_EXEC_INFO"] = JSON.stringify({
    apiVersion,
    kind: "ExecCredential",
    spec: { interactive: false },
  });
  const args = at(spec, "args");
  const finished = await execute(command, (isList(args) ? args : []).map(String), {
    env: childEnv(variables),
    ...(folder === undefined ? {} : { cwd: folder }),
  }).catch((error: unknown) => {
    throw new PluginError(`can't run the kubeconfig's credential command "${command}": ${String(error)}`);
  });
  if (finished.code !== 0)
    throw new PluginError(
      `the kubeconfig's credential command "${command}" ended with code ${finished.code ?? "?"}: ${finished.stderr.trim().slice(0, 500)}`,
    );
  const status = at(await parse(finished.stdout, `what "${command}" printed`), "status");
  const token = textAt(status, "token");
  const cert = textAt(status, "clientCertificateData");
  const key = textAt(status, "clientKeyData");
  const expires = textAt(status, "expirationTimestamp");
  return {
    credentials: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
    // A minute early, for clocks differ.
    until: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires) - 60_000,
  };
}

const userOf = (sources: readonly Source[], context: string): { user: Json; folder: string | undefined } => {
  const pick = (
    list: string,
    name: string | undefined,
  ): { entry: Json; folder: string | undefined } | undefined => {
    for (const { content, folder } of sources) {
      const items = at(content, list);
      const entry = (isList(items) ? items : []).find((item) => textAt(item, "name") === name);
      if (entry !== undefined) return { entry, folder };
    }
    return undefined;
  };
  const found = pick("users", textAt(pick("contexts", context)?.entry, "context", "user"));
  return { user: at(found?.entry, "user") ?? {}, folder: found?.folder };
};

function commandCredentials(sources: readonly Source[], selected: Selected): Connection["credentials"] {
  const { user, folder } = userOf(sources, selected.context);
  if (!isRecord(at(user, "exec")))
    throw new PluginError(
      "the kubeconfig's user has an auth-provider, which Kubernetes removed in 1.26: make a kubeconfig with `exec` instead",
    );
  let current: Promise<Lasting> | undefined;
  return async (refused = false) => {
    const known = refused ? undefined : await current?.catch(() => undefined);
    if (known === undefined || known.until < Date.now()) current = runCredentialCommand(user, folder);
    return (await (current ?? runCredentialCommand(user, folder))).credentials;
  };
}

async function plainCredentials(selected: Selected): Promise<Connection["credentials"]> {
  const cert = await bytesOf(selected.cert, "the client certificate");
  const key = await bytesOf(selected.key, "the client key");
  const certificate = cert === undefined || key === undefined ? {} : { cert, key };
  const { token, tokenFile, basic } = selected;
  if (basic !== undefined) {
    const text = Buffer.from(`${basic.username}:${basic.password}`).toString("base64");
    return () => Promise.resolve({ ...certificate, authorization: `Basic ${text}` });
  }
  // A mounted token is replaced before it expires, so the file is read each time.
  if (tokenFile !== undefined)
    return async () => {
      const read = await bytesOf({ file: tokenFile }, "the token file");
      return { ...certificate, authorization: `Bearer ${(read ?? "").trim()}` };
    };
  return () =>
    Promise.resolve(token === undefined ? certificate : { ...certificate, authorization: `Bearer ${token}` });
}

/** The server that a pod of its own cluster talks to; undefined outside of one. */
async function insideCluster(namespace: string | undefined): Promise<Connection | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  if (host === undefined || !existsSync(`${SERVICE_ACCOUNT}/token`)) return undefined;
  const own = await readFile(`${SERVICE_ACCOUNT}/namespace`, "utf8").catch(() => "default");
  return {
    server: new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port ?? "443"}`),
    namespace: namespace ?? own.trim(),
    context: "in-cluster",
    ca: await readFile(`${SERVICE_ACCOUNT}/ca.crt`, "utf8"),
    insecure: false,
    tlsServerName: undefined,
    proxy: undefined,
    credentials: async () => ({
      authorization: `Bearer ${(await readFile(`${SERVICE_ACCOUNT}/token`, "utf8")).trim()}`,
    }),
  };
}

/**
 * Finds the API server that a provider's configuration points to, without talking to it.
 *
 * @throws PluginError where the configuration can't be used: missing files, contexts, credentials.
 */
export async function connect(input: string | undefined, overrides: Overrides): Promise<Connection> {
  const sources = await loadSources(input);
  if (sources.length === 0) {
    const inside = await insideCluster(overrides.namespace);
    if (inside !== undefined) return inside;
    throw new PluginError(
      "no kubeconfig: set the provider's `kubeconfig`, or $KUBECONFIG, or make ~/.kube/config",
    );
  }
  const selected = selectCluster(sources, overrides);
  return {
    server: new URL(selected.server),
    namespace: selected.namespace,
    context: selected.context,
    ca: await bytesOf(selected.ca, "the certificate authority"),
    insecure: selected.insecure,
    tlsServerName: selected.tlsServerName,
    proxy: selected.proxy,
    credentials: selected.needsHelper
      ? commandCredentials(sources, selected)
      : await plainCredentials(selected),
  };
}

/** Says when a client certificate ended, for the message on a refusal; undefined while it is valid. */
export function expiryNote(cert: string | undefined): string | undefined {
  if (cert === undefined) return undefined;
  try {
    const { validToDate } = new X509Certificate(cert);
    return validToDate.getTime() < Date.now()
      ? `its client certificate expired on ${validToDate.toISOString()}`
      : undefined;
  } catch {
    return "its client certificate can't be read";
  }
}
