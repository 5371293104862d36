// Boundary: a kubeconfig is written by others; what is read here is checked by zod.
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";

const text = z.string().optional();

const ClusterEntry = z.object({
  server: z.url(),
  "certificate-authority": text,
  "certificate-authority-data": text,
  "insecure-skip-tls-verify": z.boolean().optional(),
  "tls-server-name": text,
  "proxy-url": text,
});

const UserEntry = z.object({
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  exec: z.unknown().optional(),
  "auth-provider": z.unknown().optional(),
});

const Kubeconfig = z.object({
  "current-context": text,
  clusters: z.array(z.object({ name: z.string(), cluster: ClusterEntry })).min(1),
  contexts: z
    .array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: text }) }))
    .min(1),
  users: z
    .array(z.object({ name: z.string(), user: UserEntry.nullish() }))
    .nullish()
    .transform((users) => users ?? []),
});

/** What a request to the API server needs. */
export interface Credentials {
  readonly server: URL;
  /** TLS options and headers for one request; asked for anew each time, since tokens change. */
  readonly options: () => Promise<RequestOptions>;
  /** When the client certificate or token in the file ends, where the file tells. */
  readonly validTo: Date | undefined;
  /** Path of the file, for messages. */
  readonly kubeconfig: string;
}

const invalid = (path: string, message: string, cause?: unknown): UserError =>
  new UserError("kubeconfig-invalid", message, {
    path,
    hint: "Check it with `kubectl --kubeconfig FILE config view`, or have it written anew: for the lab, `npx mayfly lab up`.",
    cause,
  });

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new UserError("kubeconfig-missing", "The kubeconfig, or a file that it names, can't be read.", {
      path,
      hint: "For the lab, `npx mayfly lab up` writes it; else name another one in the connection file.",
      exitCode: EXIT.missingInput,
      cause,
    });
  }
}

/** The `exp` of a JSON web token, without checking it; undefined for tokens of another kind. */
export function tokenExpiry(token: string): Date | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  try {
    const claims = z
      .object({ exp: z.number() })
      .safeParse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
    return claims.success ? new Date(claims.data.exp * 1000) : undefined;
  } catch {
    return undefined; // not a JSON web token: it says nothing of its end
  }
}

function certificateExpiry(pem: string): Date | undefined {
  try {
    return new X509Certificate(pem).validToDate;
  } catch {
    return undefined; // the API server will say what is wrong with it
  }
}

/**
 * Reads the parts of a kubeconfig that are plain files, certificates and tokens by ourselves: all of jobs/watch loads in 0.1 s, while
 * @kubernetes/client-node alone takes 0.7 s and 25 MB more (measured side by side on two busy cores, with a compile cache). Only what
 * runs programs for its credentials (exec, as on EKS), auth providers and proxies are left to that library, loaded then.
 * @throws UserError `kubeconfig-missing`, `kubeconfig-invalid`
 */
export async function readKubeconfig(path: string, contextName?: string): Promise<Credentials> {
  const content = await readText(path);
  let document: unknown;
  try {
    document = parse(content);
  } catch (cause) {
    throw invalid(path, "The kubeconfig is not YAML.", cause);
  }
  const parsed = Kubeconfig.safeParse(document);
  if (!parsed.success)
    throw invalid(path, `The kubeconfig does not validate: ${z.prettifyError(parsed.error)}`);
  const config = parsed.data;
  const wanted = contextName ?? config["current-context"] ?? "";
  const context = config.contexts.find(({ name }) => name === wanted)?.context;
  if (context === undefined) {
    const names = config.contexts.map(({ name }) => name).join(", ");
    throw invalid(path, `The kubeconfig has no context \`${wanted}\`; it has: ${names}.`);
  }
  const cluster = config.clusters.find(({ name }) => name === context.cluster)?.cluster;
  if (cluster === undefined) throw invalid(path, `The kubeconfig has no cluster \`${context.cluster}\`.`);
  const user = config.users.find(({ name }) => name === context.user)?.user ?? UserEntry.parse({});

  const server = new URL(cluster.server);
  if (user.exec !== undefined || user["auth-provider"] !== undefined || cluster["proxy-url"] !== undefined) {
    return {
      server,
      kubeconfig: path,
      validTo: undefined,
      options: await delegated(path, wanted, cluster["proxy-url"] !== undefined),
    };
  }

  const folder = dirname(path);
  const material = async (
    data: string | undefined,
    file: string | undefined,
  ): Promise<string | undefined> => {
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    return file === undefined ? undefined : await readText(resolve(folder, file));
  };
  const [ca, cert, key] = await Promise.all([
    material(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    material(user["client-certificate-data"], user["client-certificate"]),
    material(user["client-key-data"], user["client-key"]),
  ]);
  const token = async (): Promise<string | undefined> =>
    // Read each time: whoever made the file renews it.
    user.tokenFile === undefined ? user.token : (await readText(resolve(folder, user.tokenFile))).trim();
  const firstToken = await token();

  const fixed: RequestOptions = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(cluster["tls-server-name"] === undefined ? {} : { servername: cluster["tls-server-name"] }),
    ...(cluster["insecure-skip-tls-verify"] === true ? { rejectUnauthorized: false } : {}),
    ...(user.username === undefined ? {} : { auth: `${user.username}:${user.password ?? ""}` }),
  };
  return {
    server,
    kubeconfig: path,
    validTo:
      cert === undefined
        ? firstToken === undefined
          ? undefined
          : tokenExpiry(firstToken)
        : certificateExpiry(cert),
    options: async () => {
      const current = await token();
      return current === undefined ? fixed : { ...fixed, headers: { authorization: `Bearer ${current}` } };
    },
  };
}

async function delegated(path: string, context: string, proxied: boolean): Promise<Credentials["options"]> {
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
    config.setCurrentContext(context);
  } catch (cause) {
    throw invalid(path, "The kubeconfig can't be loaded.", cause);
  }
  return async () => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    // The library makes an agent for each call, hence a connection for each; only a proxy needs that.
    if (!proxied) delete options.agent;
    return options;
  };
}
