import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { openFlink } from "../../../jobs/flink/open.ts";
import { coordinatorPort, openPodPort } from "../../../jobs/watch/portforward.ts";
import { containing } from "../../harness/expect.ts";
import { planOf, stream } from "../plan/flink-sample.ts";
import { type FakeServer, failure, fakeServer, json } from "./fake-server.ts";

const plan = planOf(stream());
const PORT = Buffer.from([0x91, 0x1f]);

const pod = (name: string, created: string, more: object = {}): object => ({
  metadata: {
    name,
    uid: name,
    creationTimestamp: created,
    labels: { "mayfly.dev/role": "coordinator" },
    ...more,
  },
  spec: {},
  status: { phase: "Running" },
});

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** An API server whose port-forwards a test answers, and of which pods it has. */
async function apiServer(
  onForward: (socket: WebSocket, request: { url: string; authorization: string }) => void,
  pods: readonly object[] = [pod("coordinator-x", "2026-11-24T09:00:00Z")],
): Promise<FakeServer> {
  const fake = await fakeServer((_request, response, url) => {
    if (url.pathname.endsWith("/pods")) json(response, { items: pods });
    else failure(response, 403, "Forbidden", "pods is forbidden: may not create pods/portforward");
  });
  cleanups.push(() => fake[Symbol.asyncDispose]());
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (protocols) => (protocols.has("v4.channel.k8s.io") ? "v4.channel.k8s.io" : false),
  });
  fake.server.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => {
      onForward(opened, { url: request.url ?? "", authorization: request.headers.authorization ?? "" });
    });
  });
  return fake;
}

/** Flink's REST as it would be on the pod's loopback. */
async function flink(answer: Parameters<typeof createServer>[1]): Promise<number> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** What a kubelet does: heads of both channels, then bytes to and fro. @param cut Largest frame */
function bridge(socket: WebSocket, port: number, cut = 100_000): void {
  socket.send(Buffer.concat([Buffer.from([0]), PORT]));
  socket.send(Buffer.concat([Buffer.from([1]), PORT]));
  const tcp = connect(port, "127.0.0.1");
  socket.on("message", (data) => {
    if (Buffer.isBuffer(data) && data[0] === 0) tcp.write(data.subarray(1));
  });
  tcp.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += cut) {
      socket.send(Buffer.concat([Buffer.from([0]), chunk.subarray(at, at + cut)]));
    }
  });
  tcp.on("close", () => {
    socket.close();
  });
  tcp.on("error", () => undefined);
  socket.on("close", () => {
    tcp.destroy();
  });
}

const METRICS = [{ id: "numRestarts", value: "3" }];

describe("Flink's REST through the API server", () => {
  test("is asked on the coordinator's port 8081, with our credentials, over one connection for many questions", async () => {
    const port = await flink((_request, response) => {
      json(response, METRICS);
    });
    const seen: string[] = [];
    const api = await apiServer((socket, { url, authorization }) => {
      seen.push(`${url} ${authorization}`);
      bridge(socket, port);
    });
    const rest = openFlink(api.cluster, plan);
    for (let count = 0; count < 3; count++) {
      expect(await rest.jobMetrics(["numRestarts"])).toEqual({ numRestarts: 3 });
    }
    rest.close();
    expect(seen).toEqual([
      `/api/v1/namespaces/${plan.namespace}/pods/coordinator-x/portforward?ports=8081 Bearer made-up-for-a-test`,
    ]);
  });

  test("comes whole in frames of any size", async () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({
      id: `metric-${index}`,
      value: String(index),
    }));
    const port = await flink((_request, response) => {
      json(response, many);
    });
    const api = await apiServer((socket) => {
      bridge(socket, port, 7);
    });
    const rest = openFlink(api.cluster, plan);
    expect(Object.keys(await rest.jobMetrics([]))).toHaveLength(5000);
    rest.close();
  });

  test("is away where nobody listens yet, which the kubelet tells on the channel for errors", async () => {
    const api = await apiServer((socket) => {
      socket.send(Buffer.concat([Buffer.from([0]), PORT]));
      socket.send(Buffer.concat([Buffer.from([1]), PORT]));
      socket.send(
        Buffer.from(
          "\u0001error forwarding port 8081: dial tcp4 127.0.0.1:8081: connect: connection refused",
        ),
      );
    });
    const rest = openFlink(api.cluster, plan);
    await expect(rest.job()).rejects.toMatchObject({
      kind: "away",
      message: containing("connection refused"),
    });
    rest.close();
  });

  test("is away where the connection ends in the middle, or no pod runs, or nothing comes in time", async () => {
    const api = await apiServer((socket) => {
      socket.terminate();
    });
    const rest = openFlink(api.cluster, plan);
    await expect(rest.job()).rejects.toMatchObject({ kind: "away" });
    rest.close();

    const empty = await apiServer(
      () => undefined,
      [pod("coordinator-x", "2026-11-24T09:00:00Z", { deletionTimestamp: "2026-11-24T09:01:00Z" })],
    );
    const none = openFlink(empty.cluster, plan);
    await expect(none.job()).rejects.toMatchObject({ kind: "away", message: containing("pod does not run") });
    none.close();

    const silent = await apiServer(() => undefined);
    const slow = openFlink(silent.cluster, plan);
    await expect(slow.job({ timeoutMs: 100 })).rejects.toMatchObject({
      kind: "away",
      message: containing("within 0.1 s"),
    });
    slow.close();
  });

  test("goes to the newest pod where an older one is still on its way out", async () => {
    const seen: string[] = [];
    const api = await apiServer(
      (socket, { url }) => {
        seen.push(url);
        socket.close();
      },
      [pod("coordinator-a", "2026-11-24T09:00:00Z"), pod("coordinator-b", "2026-11-24T09:10:00Z")],
    );
    await coordinatorPort(api.cluster, plan.namespace, 8081).catch(() => undefined);
    expect(seen[0]).toContain("/pods/coordinator-b/portforward");
  });

  test("that the API server forbids says so at once: waiting does not help", async () => {
    const fake = await fakeServer((_request, response, url) => {
      if (url.pathname.endsWith("/pods"))
        json(response, { items: [pod("coordinator-x", "2026-11-24T09:00:00Z")] });
      else failure(response, 403, "Forbidden", 'cannot create resource "pods/portforward"');
    });
    cleanups.push(() => fake[Symbol.asyncDispose]());
    const rest = openFlink(fake.cluster, plan);
    await expect(rest.job()).rejects.toMatchObject({
      kind: "refused",
      status: 403,
      message: containing("pods/portforward"),
    });
    rest.close();
  });

  test("is given up when its signal says so, with the signal's reason", async () => {
    const api = await apiServer(() => undefined);
    const rest = openFlink(api.cluster, plan);
    const asked = rest.job({ signal: AbortSignal.timeout(50) });
    await expect(asked).rejects.toMatchObject({ name: "TimeoutError" });
    rest.close();
  });
});

test("a port of a pod that is not there is the API server's answer", async () => {
  const fake = await fakeServer((_request, response) => {
    failure(response, 404, "NotFound", 'pods "none" not found');
  });
  cleanups.push(() => fake[Symbol.asyncDispose]());
  const opening = openPodPort(fake.cluster, { namespace: "acme", pod: "none", port: 8081 });
  await expect(opening).rejects.toMatchObject({
    status: 404,
    reason: "NotFound",
    message: 'pods "none" not found',
  });
});
