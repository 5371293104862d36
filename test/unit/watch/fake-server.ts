import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Cluster, openCluster } from "../../../jobs/watch/cluster.ts";

export interface FakeServer {
  readonly cluster: Cluster;
  readonly url: string;
  /** For what is no plain request: upgrades. */
  readonly server: Server;
  /** Requests so far, as `GET /path?query`. */
  readonly requests: readonly string[];
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/** Answers one request of the test's script. */
export type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

/** An HTTP server in place of an API server: one that misbehaves as a test wants. */
export async function fakeServer(answer: Answer): Promise<FakeServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    answer(request, response, new URL(request.url ?? "", "http://localhost"));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const folder = await mkdtemp(join(tmpdir(), "mayfly-fake-"));
  const file = join(folder, "kubeconfig");
  await writeFile(file, kubeconfig(`http://127.0.0.1:${port}`, { token: "made-up-for-a-test" }));
  const cluster = await openCluster(file);
  return {
    cluster,
    url: `http://127.0.0.1:${port}`,
    server,
    requests,
    [Symbol.asyncDispose]: async () => {
      cluster.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const kubeconfig = (server: string, user: object, cluster: object = {}): string =>
  stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "lab",
    clusters: [{ name: "lab", cluster: { server, ...cluster } }],
    contexts: [{ name: "lab", context: { cluster: "lab", user: "helper" } }],
    users: [{ name: "helper", user }],
  });

export const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
};

export const failure = (response: ServerResponse, status: number, reason: string, message: string): void => {
  json(response, { kind: "Status", status: "Failure", code: status, reason, message }, status);
};
