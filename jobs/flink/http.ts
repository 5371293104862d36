// Boundary: speaks HTTP to Flink; answers are `unknown` until answers.ts has read them.
import http from "node:http";
import { EXIT, UserError } from "../../base/errors.ts";
import { FlinkRestError } from "./types.ts";

/** One answer of Flink's REST, whatever its status. */
export interface Answer {
  readonly status: number;
  /** Undefined where it is no JSON. */
  readonly body: unknown;
}

export type Ask = (
  method: "GET" | "POST" | "PUT",
  path: string,
  call?: {
    readonly body?: object;
    readonly signal?: AbortSignal | undefined;
    readonly timeoutMs?: number | undefined;
  },
) => Promise<Answer>;

/** More than this is no answer that is used here. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * @param agent Opens the connections: through the API server, or plain ones in tests.
 * @param port Of the address `localhost`, for agents that do not know their own.
 */
export const requests = (agent: http.Agent, port: number): Ask => {
  return async (method, path, { body, signal, timeoutMs = 10_000 } = {}) => {
    signal?.throwIfAborted();
    const text = body === undefined ? undefined : JSON.stringify(body);
    let settled: (() => void) | undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const request = http.request({
          agent,
          host: "127.0.0.1",
          port,
          method,
          path,
          headers: {
            accept: "application/json",
            ...(text === undefined
              ? {}
              : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          },
        });
        // A request that has no connection yet says nothing when it is destroyed: nobody may wait for that.
        const end = (reason: Error): void => {
          request.destroy();
          reject(reason);
        };
        const timer = setTimeout(() => {
          end(new Error(`no answer within ${timeoutMs / 1000} s`));
        }, timeoutMs);
        const abort = (): void => {
          end(new Error("aborted"));
        };
        signal?.addEventListener("abort", abort, { once: true });
        settled = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", abort);
        };
        request.on("error", reject);
        request.on("response", (response) => {
          let bytes = 0;
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > MAX_BYTES) end(new Error("an answer of more than 16 MiB"));
            else chunks.push(chunk);
          });
          response.on("error", reject);
          response.on("end", () => {
            resolve({
              status: response.statusCode ?? 0,
              body: parsed(Buffer.concat(chunks).toString("utf8")),
            });
          });
        });
        request.end(text);
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof UserError && error.exitCode === EXIT.denied) {
        throw new FlinkRestError("refused", error.message, { status: 403, cause: error });
      }
      const why = error instanceof Error ? error.message : String(error);
      throw new FlinkRestError("away", `Flink's JobManager does not answer: ${why}`, { cause: error });
    } finally {
      settled?.();
    }
  };
};

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
