// Boundary: speaks WebSocket to the API server; frames are bytes until this file has read them.
import { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { z } from "zod";
import { ApiError, parseStatus } from "./api.ts";
import { type Cluster, explain } from "./cluster.ts";
import { podView } from "./views.ts";

/**
 * Kubernetes' older protocol, one connection each: every frame begins with a byte that names its channel, and for the first port
 * channel 0 has the data, channel 1 errors. Each channel's first frame has the port, in two bytes. API servers pass it on to the
 * kubelet; the newer one tunnels SPDY, for which Node has no client.
 * https://github.com/kubernetes/kubelet/blob/master/pkg/cri/streaming/portforward/websocket.go
 */
const PROTOCOL = "v4.channel.k8s.io";
const DATA = 0;
const ERROR = 1;
const PORT_BYTES = 2;

/** A port of a pod. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/**
 * Opens a connection to a port of a pod, on the pod's own loopback: by the API server, which asks for the right to create (and get)
 * `pods/portforward`. That nobody listens is known only later: the connection then ends with an error.
 * @throws ApiError with the API server's answer, or the network's error
 */
export async function openPodPort(
  cluster: Cluster,
  { namespace, pod, port }: PodPort,
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number } = {},
): Promise<Duplex> {
  const { server, options: request } = cluster.credentials;
  const { auth, headers, ...tls } = await request();
  options.signal?.throwIfAborted();
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
  const url = new URL(server.href.replace(/\/$/, "") + path);
  url.searchParams.set("ports", String(port));
  url.protocol = server.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, [PROTOCOL], {
    ...tls,
    ...(typeof auth === "string" ? { auth } : {}),
    headers: { ...plain(headers), "user-agent": "mayfly" },
    handshakeTimeout: options.timeoutMs ?? 10_000,
    perMessageDeflate: false,
    followRedirects: false,
  });
  const stream = new PodStream(socket);
  // Whoever reads it has a listener of its own; an error before that must not end this process.
  stream.on("error", () => undefined);
  const abort = (): void => {
    socket.terminate();
  };
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    await opened(socket);
  } catch (error) {
    stream.destroy();
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
  return stream;
}

const PodList = z.object({ items: z.array(z.unknown()) });

/**
 * A connection to a port of the run's live coordinator pod, the newest one where there are several.
 * @throws UserError where the API server forbids it or can't be reached; Error where there is no such pod
 */
export async function coordinatorPort(cluster: Cluster, namespace: string, port: number): Promise<Duplex> {
  try {
    const list = PodList.parse(
      await cluster.api.get(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`, {
        query: { labelSelector: "mayfly.dev/role=coordinator" },
      }),
    );
    const live = list.items
      .map(podView)
      .filter(({ phase, deletionAskedAt }) => phase === "Running" && deletionAskedAt === undefined)
      .sort((one, other) => other.createdAt - one.createdAt);
    const pod = live[0]?.name;
    if (pod === undefined) throw new Error("its pod does not run");
    return await openPodPort(cluster, { namespace, pod, port });
  } catch (error) {
    throw error instanceof ApiError && (error.status === 401 || error.status === 403)
      ? explain(error, cluster)
      : error;
  }
}

const opened = async (socket: WebSocket): Promise<void> => {
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
    socket.once("close", () => {
      reject(Object.assign(new Error("closed while it was opened"), { code: "ECONNRESET" }));
    });
    socket.once("unexpected-response", (_request, response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        if (body.length < 4096) body += text;
      });
      response.once("close", () => {
        reject(parseStatus(response.statusCode ?? 0, body));
      });
    });
  });
};

function plain(headers: unknown): Record<string, string> {
  if (typeof headers !== "object" || headers === null) return {};
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** One connection's bytes. Node's HTTP client uses it as a socket, hence the methods of one. */
class PodStream extends Duplex {
  readonly #socket: WebSocket;
  /** Bytes of the port number that are still to come, by channel. */
  readonly #head = [PORT_BYTES, PORT_BYTES];

  constructor(socket: WebSocket) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    socket.binaryType = "nodebuffer";
    socket.on("message", (data) => {
      if (Buffer.isBuffer(data)) this.#frame(data);
    });
    socket.on("error", (error) => {
      this.destroy(error);
    });
    socket.on("close", () => {
      this.push(null);
      // A half-closed connection is of no use: the protocol can't say "end of data" in one direction.
      this.end();
    });
  }

  #frame(frame: Buffer): void {
    const channel = frame[0] ?? 0xff;
    const head = this.#head[channel];
    if (head === undefined) return;
    const skipped = Math.min(head, frame.length - 1);
    this.#head[channel] = head - skipped;
    const data = frame.subarray(1 + skipped);
    if (data.length === 0) return;
    if (channel === DATA) {
      if (!this.push(data)) this.#socket.pause();
    } else if (channel === ERROR) {
      const code = /refused/.test(data.toString("utf8")) ? "ECONNREFUSED" : "ECONNRESET";
      this.destroy(Object.assign(new Error(data.toString("utf8").trim()), { code }));
    }
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const frame = Buffer.allocUnsafe(chunk.length + 1);
    frame[0] = DATA;
    chunk.copy(frame, 1);
    this.#socket.send(frame, { binary: true }, done);
  }

  override _final(done: () => void): void {
    this.#socket.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Pauses would keep the closing frame from being read.
    this.#socket.terminate();
    done(error);
  }

  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
