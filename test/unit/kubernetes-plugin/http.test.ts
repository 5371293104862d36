import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Connection } from "../../../lab/kubernetes-plugin/connection.ts";
import { createHttp, type Http } from "../../../lab/kubernetes-plugin/http.ts";

const connectionTo = (server: string, more: Partial<Connection> = {}): Connection => ({
  server: new URL(server),
  namespace: "default",
  context: "lab",
  ca: undefined,
  insecure: false,
  tlsServerName: undefined,
  proxy: undefined,
  credentials: () => Promise.resolve({ authorization: "Bearer token" }),
  ...more,
});

async function serve(
  listener: RequestListener,
  more: Partial<Connection> = {},
  timeout?: number,
): Promise<Http> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const http = createHttp(
    connectionTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, more),
    timeout,
  );
  onTestFinished(() => {
    http.close();
    server.closeAllConnections();
    server.close();
  });
  return http;
}

describe("calls of the API server", () => {
  it("carry credentials, query and body, and bring the body and the server's warnings back", async () => {
    const http = await serve((request, response) => {
      response.setHeader(
        "warning",
        '299 - "unknown field \\"spec.foo\\"", 299 - "would violate PodSecurity"',
      );
      response.end(JSON.stringify({ url: request.url, auth: request.headers.authorization }));
    });
    const answer = await http.call({
      method: "POST",
      path: "/api/v1/pods",
      query: { dryRun: "All" },
      body: {},
    });
    expect(answer.body).toEqual({ url: "/api/v1/pods?dryRun=All", auth: "Bearer token" });
    expect(answer.warnings).toEqual(['unknown field "spec.foo"', "would violate PodSecurity"]);
  });

  it("are tried again as long as the server is busy", async () => {
    let calls = 0;
    const http = await serve((_, response) => {
      response.statusCode = ++calls < 3 ? 429 : 200;
      response.setHeader("retry-after", "0");
      response.end("{}");
    });
    await http.call({ method: "POST", path: "/api/v1/pods", body: {} });
    expect(calls).toBe(3);
  });

  it("that write are tried again where the server failed and says when to come again, not where it only failed", async () => {
    let calls = 0;
    const http = await serve((request, response) => {
      response.statusCode = ++calls === 2 ? 200 : 500;
      if (request.url === "/again") response.setHeader("retry-after", "0");
      response.end("{}");
    });
    await http.call({ method: "POST", path: "/again", body: {} });
    expect(calls).toBe(2);
    await expect(http.call({ method: "POST", path: "/failed", body: {} })).rejects.toMatchObject({
      code: 500,
    });
    expect(calls).toBe(3);
  });

  it("that read are tried again where the connection broke, those that write are not", async () => {
    let calls = 0;
    const http = await serve((request, response) => {
      if (++calls === 1 || request.method === "POST") request.socket.destroy();
      else response.end("{}");
    });
    await http.call({ method: "GET", path: "/api/v1/pods" });
    expect(calls).toBe(2);
    const failure = await http.call({ method: "POST", path: "/", body: {} }).then(() => "", String);
    expect(failure).toContain("can't be reached");
    expect(calls).toBe(3);
  });

  it("end while they wait for the next try when they are cancelled", async () => {
    const http = await serve((_, response) => {
      response.statusCode = 429;
      response.setHeader("retry-after", "60");
      response.end("{}");
    });
    const signal = AbortSignal.timeout(50);
    await expect(http.call({ method: "GET", path: "/", signal })).rejects.toThrow("cancelled");
  });

  it("throw the server's own message and reason", async () => {
    const http = await serve((_, response) => {
      response.statusCode = 422;
      response.end(JSON.stringify({ code: 422, reason: "Invalid", message: "spec.ports: required" }));
    });
    await expect(http.call({ method: "GET", path: "/" })).rejects.toMatchObject({
      code: 422,
      reason: "Invalid",
      message: "spec.ports: required",
    });
  });

  it("renew credentials once where the server refuses them", async () => {
    const refusals: boolean[] = [];
    const credentials = (refused = false): Promise<{ authorization: string }> => {
      refusals.push(refused);
      return Promise.resolve({ authorization: refusals.includes(true) ? "Bearer new" : "Bearer old" });
    };
    const http = await serve(
      (request, response) => {
        response.statusCode = request.headers.authorization === "Bearer new" ? 200 : 401;
        response.end("{}");
      },
      { credentials },
    );
    await http.call({ method: "GET", path: "/" });
    expect(refusals).toContain(true);
  });

  it("say which context's credentials were refused, without showing them", async () => {
    const http = await serve((_, response) => {
      response.statusCode = 401;
      response.end("{}");
    });
    const failure = await http.call({ method: "GET", path: "/" }).then(() => "", String);
    expect(failure).toMatch(/refused the credentials of context "lab" \(401 Unauthorized\)/);
    expect(failure).not.toContain('token"');
  });

  it("say that nothing answers", async () => {
    const http = createHttp(connectionTo("http://127.0.0.1:1"));
    await expect(http.call({ method: "GET", path: "/" })).rejects.toMatchObject({
      name: "UnreachableError",
      message: expect.stringMatching(/127\.0\.0\.1:1 \(context "lab"\) can't be reached/) as string,
    });
  });

  it("give up on a server that says nothing", async () => {
    const http = await serve(() => undefined, {}, 100);
    await expect(http.call({ method: "GET", path: "/" })).rejects.toThrow("no answer within 0.1 s");
  });
});

describe("watches", () => {
  it("give each line as it comes, also one in pieces, and end with the stream", async () => {
    const http = await serve((_, response) => {
      response.write('{"type":"ADDED"}\n{"type":');
      setTimeout(() => {
        response.end('"DELETED"}\n');
      }, 20);
    });
    const types: unknown[] = [];
    for await (const event of http.stream({ method: "GET", path: "/" })) types.push(event);
    expect(types).toEqual([{ type: "ADDED" }, { type: "DELETED" }]);
  });

  it("end when they are stopped", async () => {
    const http = await serve((_, response) => {
      response.write('{"type":"ADDED"}\n');
    });
    const stop = new AbortController();
    const watch = async (): Promise<void> => {
      for await (const event of http.stream({ method: "GET", path: "/", signal: stop.signal }))
        if (event !== null) stop.abort();
    };
    await expect(watch()).rejects.toMatchObject({ name: "CancelledError" });
  });
});
