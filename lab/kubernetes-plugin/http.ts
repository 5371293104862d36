// Boundary: node:http(s) hands over untyped bodies and errors.
import { type IncomingMessage, request as plainRequest } from "node:http";
import { Agent, request as tlsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, type Credentials, expiryNote } from "./connection.ts";
import { ApiError, CancelledError, PluginError, UnreachableError } from "./errors.ts";
import type { Json } from "./json.ts";
import { MAX_RETRIES, retryAfterAnswer, retryAfterError } from "./retry.ts";

/** One call of the API server. */
export interface Call {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Json;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** A successful answer. */
export interface Answer {
  readonly status: number;
  readonly body: Json;
  /** What the server warns of, such as an unknown field or a pod that a policy will refuse. */
  readonly warnings: readonly string[];
}

/** Speaks HTTP with one API server over connections that are kept. */
export interface Http {
  readonly server: string;
  /**
   * @throws UnreachableError where nothing answers, ApiError for an answer of 400 and above, CancelledError when
   *   `signal` is aborted.
   */
  call: (call: Call) => Promise<Answer>;
  /** The lines of a watch, parsed; ends when the server ends it. Throws as {@link Http.call}. */
  stream: (call: Call) => AsyncGenerator<Json>;
  close: () => void;
}

/** Time for an answer to begin, in milliseconds; a watch may take as long as it likes. */
const DEFAULT_TIMEOUT = 30_000;
const USER_AGENT = "mayfly-kubernetes-plugin";

const TLS_PROBLEM: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not from the kubeconfig's certificate authority",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not from the kubeconfig's certificate authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not from the kubeconfig's certificate authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not from the kubeconfig's certificate authority",
};

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

/** The warning texts of RFC 7234 `299 - "text"` headers. */
const warningsOf = (header: string | undefined): readonly string[] =>
  [...(header ?? "").matchAll(/299 [^ ]+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replaceAll(/\\(.)/g, "$1"),
  );

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return { message: text.trim().slice(0, 500) };
  }
}

/** @param timeout Milliseconds that an answer may take to begin. */
export function createHttp(connection: Connection, timeout = DEFAULT_TIMEOUT): Http {
  const { server } = connection;
  const secure = server.protocol === "https:";
  const name = server.origin;
  const newAgent = (credentials: Credentials): Agent =>
    new Agent({
      keepAlive: true,
      maxSockets: 64,
      ca: connection.ca,
      cert: credentials.cert,
      key: credentials.key,
      rejectUnauthorized: !connection.insecure,
      servername: connection.tlsServerName,
      proxyEnv:
        connection.proxy === undefined
          ? process.env
          : { HTTPS_PROXY: connection.proxy, HTTP_PROXY: connection.proxy },
    });
  let agent: { readonly for: Credentials; readonly agent: Agent } | undefined;
  const agentFor = (credentials: Credentials): Agent => {
    if (agent?.for.cert !== credentials.cert || agent?.for.key !== credentials.key) {
      agent?.agent.destroy();
      agent = { for: credentials, agent: newAgent(credentials) };
    }
    return agent?.agent ?? newAgent(credentials);
  };

  const unreachable = (error: unknown): PluginError => {
    if (error instanceof PluginError) return error;
    const code = codeOf(error);
    const problem =
      TLS_PROBLEM[code] ?? (error instanceof Error && error.message !== "" ? error.message : code);
    return new UnreachableError(
      `the Kubernetes API server ${name} (context "${connection.context}") can't be reached: ${problem}`,
      { cause: error },
    );
  };

  const send = (
    { method, path, query, body, contentType, signal }: Call,
    credentials: Credentials,
  ): Promise<IncomingMessage> => {
    const url = new URL(server.pathname.replace(/\/$/, "") + path, server);
    for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value);
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers: Record<string, string | number> = { accept: "application/json", "user-agent": USER_AGENT };
    if (credentials.authorization !== undefined) headers["authorization"] = credentials.authorization;
    if (payload !== undefined) {
      headers["content-type"] = contentType ?? "application/json";
      headers["content-length"] = payload.length;
    }
    return new Promise((resolve, reject) => {
      const options = { method, headers, ...(signal === undefined ? {} : { signal }) };
      const request = secure
        ? tlsRequest(url, { ...options, agent: agentFor(credentials) }, resolve)
        : plainRequest(url, options, resolve);
      request.setTimeout(timeout, () => {
        request.destroy(new Error(`no answer within ${timeout / 1000} s`));
      });
      request.on("response", () => {
        request.setTimeout(0);
      });
      request.on("error", reject);
      request.end(payload);
    });
  };

  const refusal = (response: IncomingMessage, status: Json, credentials: Credentials): ApiError => {
    const code = response.statusCode ?? 0;
    if (code !== 401) return new ApiError(code, status);
    const note = expiryNote(credentials.cert) ?? "its token or certificate is wrong or expired";
    return new ApiError(
      code,
      status,
      `the Kubernetes API server ${name} refused the credentials of context "${connection.context}" (401 Unauthorized): ${note}. Get a new kubeconfig or log in again`,
    );
  };

  const open = async (call: Call): Promise<IncomingMessage> => {
    for (let attempt = 1; ; attempt++) {
      const credentials = await connection.credentials(false);
      let response: IncomingMessage;
      try {
        response = await send(call, credentials);
      } catch (error) {
        if (call.signal?.aborted === true) throw new CancelledError("the operation was cancelled");
        const seconds = retryAfterError(call.method, codeOf(error));
        if (seconds === undefined || attempt > MAX_RETRIES) throw unreachable(error);
        await pause(seconds, call.signal);
        continue;
      }
      const code = response.statusCode ?? 0;
      if (code < 400) return response;
      const status = parsed(await textOf(response));
      const seconds = retryAfterAnswer(code, response.headers["retry-after"]);
      if (seconds !== undefined && attempt <= MAX_RETRIES) {
        await pause(seconds, call.signal);
        continue;
      }
      if (code === 401 && attempt === 1) {
        const renewed = await connection.credentials(true);
        if (renewed.authorization !== credentials.authorization || renewed.cert !== credentials.cert)
          continue;
      }
      throw refusal(response, status, credentials);
    }
  };

  return {
    server: name,
    call: async (call) => {
      const response = await open(call);
      let text: string;
      try {
        text = await textOf(response);
      } catch (error) {
        if (call.signal?.aborted === true) throw new CancelledError("the operation was cancelled");
        throw unreachable(error);
      }
      const warning = response.headers["warning"];
      return {
        status: response.statusCode ?? 0,
        body: parsed(text),
        warnings: warningsOf(Array.isArray(warning) ? warning.join(", ") : warning),
      };
    },
    stream: async function* (call) {
      const response = await open(call);
      response.setEncoding("utf8");
      let rest = "";
      try {
        for await (const chunk of response) {
          const lines = (rest + String(chunk)).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) if (line !== "") yield parsed(line);
        }
      } catch (error) {
        if (call.signal?.aborted === true) throw new CancelledError("the operation was cancelled");
        throw unreachable(error);
      } finally {
        response.destroy();
      }
    },
    close: () => {
      agent?.agent.destroy();
    },
  };
}

/** @throws CancelledError */
async function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(seconds * 1000, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw new CancelledError("the operation was cancelled");
  }
}
