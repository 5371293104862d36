// Boundary: an HTTPS server in front of the API server, which spoils requests on purpose.
//
// It ends TLS, since it has to see requests to count and spoil them. Its clients show a token of this proxy's, one for each holder, by
// which it knows whose request it is; only it has the identity that the API server trusts. HTTP/1.1 alone is offered; upgrades
// (port-forward to Flink's REST) are passed on and never spoiled, but end when the proxy goes down.
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Certificate } from "./certificate.ts";
import { passUpgrade, refuseUpgrade } from "./upgrade.ts";

/** A request as rules see it. */
export interface ProxyRequest {
  /** Whose token it came with. */
  readonly holder: string;
  /** Changes something. */
  readonly write: boolean;
  /** Which write it is of all that came through, from 1; of a read, how many came before it. */
  readonly writes: number;
  /** The same of all requests. */
  readonly requests: number;
  readonly watch: boolean;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly agent: string;
}

/** What is done to a request; nothing, where a rule gives nothing. */
export type Action =
  | { readonly do: "delay"; readonly ms: number }
  /** The connection goes before the server has seen it. */
  | { readonly do: "cut" }
  /** The server does it, its answer is lost. `reached` is called in between and awaited. */
  | { readonly do: "lose-answer"; readonly reached?: () => Promise<void> }
  /** Answered by the proxy in the API server's form. */
  | { readonly do: "refuse"; readonly status: number; readonly retryAfterSeconds?: number }
  | { readonly do: "answer"; readonly body: string }
  /** The answer's connection is closed in an orderly way after that time: what an API server does to old watches. */
  | { readonly do: "end-after"; readonly ms: number };

export type Rule = (request: ProxyRequest) => Action | undefined;

/** A write that came through. */
export interface Write extends ProxyRequest {
  /** When it came, and when it was answered, by the monotonic clock in milliseconds. */
  readonly at: number;
  /** Undefined where the server has not seen it. */
  status: number | undefined;
  /** Of the object that was to be made; undefined for other writes. */
  name: string | undefined;
}

export interface FaultProxy {
  readonly url: string;
  /** In place of the last one; `undefined`: pass everything. */
  readonly spoil: (rule: Rule | undefined) => void;
  /** Sees the bodies of the answers to reads (not of watches) whose path fits. */
  readonly record: (fits: (path: string) => boolean, seen: (body: string) => void) => void;
  /** Nobody listens, and all connections are cut: the API server's process died. */
  readonly down: () => Promise<void>;
  /** Everything is accepted and nothing is answered: it hangs. */
  readonly hang: () => void;
  /** Ends {@link down} and {@link hang}. */
  readonly restore: () => Promise<void>;
  readonly writes: readonly Write[];
  /** The writes for people, a line each; those that renew a Lease left out. */
  readonly log: () => string;
  readonly requests: () => number;
  readonly close: () => Promise<void>;
}

export interface ProxyOptions {
  readonly upstream: {
    readonly url: URL;
    /** TLS options: authority and identity. */
    readonly options: https.RequestOptions;
  };
  readonly certificate: Certificate;
  /** Token to holder. */
  readonly holders: ReadonlyMap<string, string>;
}

/** Reviews and token requests are posted, but change nothing. */
const ASKS = /\/(authorization|authentication)\.k8s\.io\/|\/token(\?|$)/;

const isWrite = (method: string, path: string): boolean =>
  ["POST", "PUT", "PATCH", "DELETE"].includes(method) && !ASKS.test(path) && !/[?&]dryRun=/.test(path);

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startProxy(options: ProxyOptions): Promise<FaultProxy> {
  const proxy = new Proxy(options);
  await proxy.restore();
  return proxy;
}

class Proxy implements FaultProxy {
  readonly writes: Write[] = [];
  readonly #options: ProxyOptions;
  readonly #server: https.Server;
  readonly #agent: http.Agent;
  readonly #sockets = new Set<Duplex>();
  readonly #answers = new Set<IncomingMessage>();
  readonly #recorders: { fits: (path: string) => boolean; seen: (body: string) => void }[] = [];
  #rule: Rule | undefined;
  #requests = 0;
  #port = 0;
  #hanging: { readonly until: Promise<void>; readonly end: () => void } | undefined;

  constructor(options: ProxyOptions) {
    this.#options = options;
    const { key, certificate } = options.certificate;
    const secure = options.upstream.url.protocol === "https:";
    this.#agent = new (secure ? https : http).Agent({ keepAlive: true });
    this.#server = https.createServer({ key, cert: certificate }, (request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
    // Node.js would end watches that nothing happens on.
    this.#server.requestTimeout = 0;
    this.#server.on("upgrade", (request, socket, head) => {
      if (this.#holder(request) === undefined) {
        refuseUpgrade(socket);
        return;
      }
      const { url, options: tls } = this.#options.upstream;
      const headers = without(request.headers, ["authorization", "host"]);
      passUpgrade(request, socket, head, {
        url: new URL(request.url ?? "/", url),
        options: tls,
        headers,
      });
    });
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
    });
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  requests = (): number => this.#requests;

  spoil = (rule: Rule | undefined): void => {
    this.#rule = rule;
  };

  log = (): string => {
    const [first] = this.writes;
    return this.writes
      .filter(({ method, path }) => method !== "PUT" || !path.includes("/leases/"))
      .map(({ at, holder, agent, method, path, name, status }) => {
        const seconds = ((at - (first?.at ?? at)) / 1000).toFixed(2);
        return `${seconds} s ${holder} (${agent}): ${method} ${path} ${name ?? ""} ${status ?? "not answered"}`;
      })
      .join("\n");
  };

  record = (fits: (path: string) => boolean, seen: (body: string) => void): void => {
    this.#recorders.push({ fits, seen });
  };

  down = async (): Promise<void> => {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  };

  hang = (): void => {
    if (this.#hanging !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#hanging = {
      until: promise,
      end: () => {
        resolve(undefined);
      },
    };
    for (const answer of this.#answers) answer.pause();
  };

  restore = async (): Promise<void> => {
    this.#hanging?.end();
    this.#hanging = undefined;
    for (const answer of this.#answers) answer.resume();
    if (this.#server.listening) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, "127.0.0.1", () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    const address: AddressInfo | string | null = this.#server.address();
    if (address !== null && typeof address !== "string") this.#port = address.port;
  };

  close = async (): Promise<void> => {
    if (this.#server.listening) await this.down();
    this.#agent.destroy();
  };

  #holder(request: IncomingMessage): string | undefined {
    return this.#options.holders.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "");
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const holder = this.#holder(request);
    if (holder === undefined) {
      refuse(response, 401, "not a client of this fault proxy");
      return;
    }
    const seen = this.#see(request, holder);
    await this.#hanging?.until;
    const action = this.#rule?.(seen);
    switch (action?.do) {
      case "cut":
        request.socket.destroy();
        return;
      case "refuse":
        if (action.retryAfterSeconds !== undefined)
          response.setHeader("retry-after", String(action.retryAfterSeconds));
        refuse(response, action.status, "the fault proxy says so");
        return;
      case "answer":
        response.setHeader("content-type", "application/json").end(action.body);
        return;
      case "delay":
        await sleep(action.ms);
        break;
      case "lose-answer":
      case "end-after":
      case undefined:
    }
    const entry = this.writes.find((write) => write.requests === seen.requests);
    const answer = await this.#forward(request, response, entry);
    if (entry !== undefined) entry.status = answer.statusCode;
    if (action?.do === "lose-answer") {
      answer.resume();
      await action.reached?.();
      request.socket.destroy();
      return;
    }
    await this.#hanging?.until;
    this.#answer(answer, response, seen);
    if (action?.do === "end-after") {
      await sleep(action.ms);
      answer.unpipe(response);
      answer.destroy();
      response.end();
    }
  }

  #see(request: IncomingMessage, holder: string): ProxyRequest {
    const { method = "GET", url: path = "/" } = request;
    const write = isWrite(method, path);
    this.#requests += 1;
    const seen: ProxyRequest = {
      holder,
      write,
      writes: this.writes.length + (write ? 1 : 0),
      requests: this.#requests,
      watch: /[?&]watch=(true|1)/.test(path),
      method,
      path,
      agent: request.headers["user-agent"] ?? "",
    };
    if (write) this.writes.push({ ...seen, at: performance.now(), status: undefined, name: undefined });
    return seen;
  }

  /** Settles with the head of the server's answer. */
  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    entry: Write | undefined,
  ): Promise<IncomingMessage> {
    const { url, options } = this.#options.upstream;
    const headers = without(request.headers, ["authorization", "host", "connection"]);
    const target = new URL(request.url ?? "/", url);
    return await new Promise((resolve, reject) => {
      const call = (url.protocol === "https:" ? https : http).request(
        target,
        { ...options, agent: this.#agent, method: request.method, headers },
        resolve,
      );
      call.on("error", (error) => {
        reject(error);
        response.destroy();
      });
      // A client that went away does not want its answer any more; what it asked for is done all the same.
      response.on("close", () => {
        if (request.complete && !response.writableFinished && isStream(request)) call.destroy();
      });
      if (request.method === "POST" && entry !== undefined) {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          entry.name = nameIn(Buffer.concat(chunks).toString("utf8"));
        });
      }
      request.pipe(call);
    });
  }

  #answer(answer: IncomingMessage, response: ServerResponse, { path, watch }: ProxyRequest): void {
    response.writeHead(
      answer.statusCode ?? 502,
      without(answer.headers, ["connection", "transfer-encoding"]),
    );
    response.flushHeaders();
    this.#answers.add(answer);
    answer.on("close", () => this.#answers.delete(answer));
    answer.on("error", () => response.destroy());
    const recorders = watch ? [] : this.#recorders.filter(({ fits }) => fits(path));
    if (recorders.length > 0) {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        for (const { seen } of recorders) seen(Buffer.concat(chunks).toString("utf8"));
      });
    }
    answer.pipe(response);
  }
}

/** The name in an object's JSON. */
function nameIn(text: string): string | undefined {
  try {
    return z.object({ metadata: z.object({ name: z.string() }) }).safeParse(JSON.parse(text)).data?.metadata
      .name;
  } catch {
    return undefined; // not JSON: the server will refuse it
  }
}

const isStream = ({ method, url = "" }: IncomingMessage): boolean =>
  method === "GET" && /[?&](watch|follow)=/.test(url);

const without = (headers: http.IncomingHttpHeaders, names: readonly string[]): http.OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
function refuse(response: ServerResponse, code: number, message: string): void {
  const reason = code === 429 ? "TooManyRequests" : code === 401 ? "Unauthorized" : "InternalError";
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
  response.statusCode = code;
  response.setHeader("content-type", "application/json").end(JSON.stringify(body));
}
