import { createServer, type Server } from "node:http";
import { EXIT, UserError } from "../../base/errors.ts";

/** A worker whose loop has not turned for so long is stuck: nothing but another process helps. */
const ALIVE_MS = 60_000;
/** A worker that could not look at its ledger for so long takes no runs. */
const READY_MS = 15_000;

/** What a worker says of itself to whoever keeps it running. */
export class Health {
  readonly #monotonic: () => number;
  #turnedAt: number;
  #workedAt = Number.NEGATIVE_INFINITY;

  /** @param monotonic Milliseconds, by a clock that never jumps. */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
    this.#turnedAt = monotonic();
  }

  /** The worker's loop has turned; `worked`: it could look at its ledger. */
  turned(worked: boolean): void {
    this.#turnedAt = this.#monotonic();
    if (worked) this.#workedAt = this.#turnedAt;
  }

  /** That it is not stuck. */
  get alive(): boolean {
    return this.#monotonic() - this.#turnedAt <= ALIVE_MS;
  }

  /** That it would take a run now. */
  get ready(): boolean {
    return this.#monotonic() - this.#workedAt <= READY_MS;
  }
}

/**
 * Answers the kubelet's probes while `work` is at it: `GET /livez` and `GET /readyz`, 200 or 503. Says nothing else to anybody.
 * @param port 0 for any free one; undefined for none.
 * @throws UserError `health-port`
 */
export async function withHealth<T>(
  port: number | undefined,
  work: (health: Health, port: number | undefined) => Promise<T>,
): Promise<T> {
  const health = new Health(() => performance.now());
  if (port === undefined) return await work(health, undefined);
  const server = createServer({ requestTimeout: 5000 }, ({ method, url }, response) => {
    const fine = url === "/livez" ? health.alive : url === "/readyz" ? health.ready : undefined;
    const code = method !== "GET" ? 405 : fine === undefined ? 404 : fine ? 200 : 503;
    response.writeHead(code, { "content-type": "text/plain" }).end(fine === true ? "ok\n" : "no\n");
  });
  try {
    return await work(health, await listen(server, port));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new UserError("health-port", `Port ${port} can't be listened on: ${cause.message}`, {
          path: "--health",
          hint: "Give a port that is free.",
          exitCode: EXIT.unavailable,
          cause,
        }),
      );
    });
    server.listen(port, resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}
