// Boundary: speaks HTTP to the API server; answers are `unknown` until a zod schema has read them.
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Credentials } from "./kubeconfig.ts";

/** The API server answered, but not with success. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** Kubernetes' own reason such as `NotFound`, `Forbidden`, `Expired`. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const Status = z.object({ message: z.string().default(""), reason: z.string().default("") });

export interface Query {
  readonly [name: string]: string | number | boolean | undefined;
}

interface Call {
  readonly query?: Query;
  readonly signal?: AbortSignal | undefined;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Until the answer's head is there; default 10 s. */
  readonly timeoutMs?: number;
}

/** A thin client: paths in, JSON or streams out. Retries what is safe to retry and transient. */
export interface Api {
  readonly get: (path: string, call?: Call) => Promise<unknown>;
  readonly send: (method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, call?: Call) => Promise<unknown>;
  /** The open body of a GET; the caller destroys it. */
  readonly stream: (path: string, call?: Call) => Promise<IncomingMessage>;
  readonly text: (path: string, call?: Call) => Promise<string>;
  readonly close: () => void;
}

const TRANSIENT = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ECONNREFUSED",
  "EAI_AGAIN",
  "UND_ERR_SOCKET",
]);

/** The system's code of an error, such as `ECONNREFUSED`. */
export const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Whether the same call may well work a moment later. */
export const isTransient = (error: unknown): boolean =>
  error instanceof ApiError ? error.status === 429 || error.status >= 500 : TRANSIENT.has(errorCode(error));

/** Whether the API server says that there is no such object. */
export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

async function readAll(message: IncomingMessage): Promise<string> {
  message.setEncoding("utf8");
  let body = "";
  for await (const chunk of message) body += String(chunk);
  return body;
}

/** What a body of an answer without success says. */
export function parseStatus(code: number, body: string): ApiError {
  try {
    const status = Status.safeParse(JSON.parse(body));
    if (status.success && status.data.message !== "") {
      return new ApiError(code, status.data.reason, status.data.message);
    }
  } catch {
    // Not JSON: a proxy in between, or an old path. The text itself is the message.
  }
  return new ApiError(code, "", body.slice(0, 200).trim());
}

/** Delays between tries of a call: full jitter, so that many helpers don't come back in step. */
const RETRY_MS = [150, 400, 1000] as const;

export function createApi(credentials: Credentials): Api {
  const secure = credentials.server.protocol === "https:";
  const agent = secure
    ? new https.Agent({ keepAlive: true, maxSockets: 64 })
    : new http.Agent({ keepAlive: true, maxSockets: 64 });

  const open = async (method: string, path: string, call: Call): Promise<IncomingMessage> => {
    const url = new URL(credentials.server.href.replace(/\/$/, "") + path);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const { headers, ...tls } = await credentials.options();
    const given = new Headers();
    if (headers !== undefined && !Array.isArray(headers)) {
      for (const [name, value] of Object.entries(headers))
        if (value !== undefined) given.set(name, String(value));
    }
    call.signal?.throwIfAborted();
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    return await new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(url, {
        agent,
        ...tls,
        method,
        headers: {
          ...Object.fromEntries(given),
          accept: call.accept ?? "application/json",
          "user-agent": "mayfly",
          ...(body === undefined
            ? {}
            : {
                "content-type": call.contentType ?? "application/json",
                "content-length": Buffer.byteLength(body),
              }),
        },
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
      const limit = call.timeoutMs ?? 10_000;
      const timer = setTimeout(() => {
        const late = Object.assign(new Error(`no answer within ${limit / 1000} s`), { code: "ETIMEDOUT" });
        request.destroy(late);
      }, limit);
      request.on("socket", (socket) => socket.setKeepAlive(true, 15_000));
      request.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      request.on("response", (message) => {
        clearTimeout(timer);
        const code = message.statusCode ?? 0;
        if (code >= 200 && code < 300) resolve(message);
        else
          readAll(message).then((text) => {
            reject(parseStatus(code, text));
          }, reject);
      });
      request.end(body);
    });
  };

  const retried = async <T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
    for (const limit of RETRY_MS) {
      try {
        return await work();
      } catch (error) {
        // A refused connection is told at once: nobody listens, and loops above us have their own patience.
        if (!isTransient(error) || errorCode(error) === "ECONNREFUSED") throw error;
        await sleep(Math.random() * limit, undefined, signal === undefined ? {} : { signal });
      }
    }
    return await work();
  };

  const parsed = (text: string): unknown => {
    try {
      return text === "" ? undefined : JSON.parse(text);
    } catch {
      throw new ApiError(200, "", "the answer is not JSON: something else than Kubernetes listens there");
    }
  };
  const text = (path: string, call: Call = {}): Promise<string> =>
    retried(async () => await readAll(await open("GET", path, call)), call.signal);
  return {
    text,
    get: async (path, call) => parsed(await text(path, call)),
    send: async (method, path, call = {}) =>
      parsed(await retried(async () => await readAll(await open(method, path, call)), call.signal)),
    stream: (path, call = {}) => open("GET", path, call),
    close: () => {
      agent.destroy();
    },
  };
}
