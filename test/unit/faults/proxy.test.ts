import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Certificate, makeCertificate } from "../../faults/certificate.ts";
import { type FaultProxy, startProxy } from "../../faults/proxy.ts";

let certificate: Certificate;
const seen: { method: string; url: string; authorization: string | undefined; body: string }[] = [];
/** Answers `{}`; a watch gets a line at once and then nothing more. */
const upstream = http.createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => {
    body += String(chunk);
  });
  request.on("end", () => {
    const { method = "", url = "", headers } = request;
    seen.push({ method, url, authorization: headers.authorization, body });
    if (url.includes("watch=")) response.write('{"type":"ADDED"}\n');
    else response.end(JSON.stringify({ from: "server", asked: seen.length }));
  });
});

// Says everything back, as a port-forward to an echo server would.
upstream.on("upgrade", ({ headers, url = "" }: http.IncomingMessage, socket) => {
  if (headers.authorization !== undefined || url.includes("refused")) {
    socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
    return;
  }
  socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n");
  socket.pipe(socket);
});

beforeAll(async () => {
  certificate = await makeCertificate();
  await new Promise<void>((resolve) => {
    upstream.listen(0, "127.0.0.1", resolve);
  });
});

afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

async function proxy(): Promise<FaultProxy> {
  const address: AddressInfo | string | null = upstream.address();
  if (address === null || typeof address === "string") throw new Error("the upstream does not listen");
  seen.length = 0;
  const started = await startProxy({
    upstream: { url: new URL(`http://127.0.0.1:${address.port}`), options: {} },
    certificate,
    holders: new Map([
      ["token-of-the-first", "first"],
      ["token-of-the-successor", "successor"],
    ]),
  });
  onTestFinished(async () => {
    await started.close();
  });
  return started;
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

async function ask(
  { url }: FaultProxy,
  path: string,
  { method = "GET", token = "token-of-the-first", body = "" } = {},
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const request = https.request(
      new URL(path, url),
      { method, ca: certificate.certificate, agent: false, headers: { authorization: `Bearer ${token}` } },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += String(chunk);
        });
        response.on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

const NAMESPACES = "/api/v1/namespaces";
const create = { method: "POST", body: '{"kind":"Namespace"}' };

test("a request goes through as it is, without the proxy's token, which the API server must not see", async () => {
  const subject = await proxy();
  const { status, body } = await ask(subject, `${NAMESPACES}?fieldManager=pulumi`, create);
  expect({ status, body }).toEqual({ status: 200, body: '{"from":"server","asked":1}' });
  expect(seen).toEqual([
    { method: "POST", url: `${NAMESPACES}?fieldManager=pulumi`, authorization: undefined, body: create.body },
  ]);
});

test("nobody without a token gets through: behind the proxy one is cluster administrator", async () => {
  const subject = await proxy();
  expect((await ask(subject, NAMESPACES, { token: "guessed" })).status).toBe(401);
  expect(seen).toEqual([]);
});

test("writes are counted and noted with holder and answer; reads, dry runs and access reviews are not", async () => {
  const subject = await proxy();
  await ask(subject, NAMESPACES);
  await ask(subject, `${NAMESPACES}?dryRun=All`, create);
  await ask(subject, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", create);
  await ask(subject, NAMESPACES, create);
  await ask(subject, `${NAMESPACES}/acme-1`, { method: "DELETE", token: "token-of-the-successor" });
  expect(
    subject.writes.map(({ writes, holder, method, path, status }) => [writes, holder, method, path, status]),
  ).toEqual([
    [1, "first", "POST", NAMESPACES, 200],
    [2, "successor", "DELETE", `${NAMESPACES}/acme-1`, 200],
  ]);
  expect(subject.requests()).toBe(5);
});

test("a rule refuses in the API server's form, with Retry-After", async () => {
  const subject = await proxy();
  subject.spoil(({ write }) => (write ? { do: "refuse", status: 429, retryAfterSeconds: 7 } : undefined));
  const { status, headers, body } = await ask(subject, NAMESPACES, create);
  expect(status).toBe(429);
  expect(headers["retry-after"]).toBe("7");
  expect(JSON.parse(body)).toMatchObject({ kind: "Status", reason: "TooManyRequests", code: 429 });
  expect((await ask(subject, NAMESPACES)).status).toBe(200);
  expect(seen.map(({ method }) => method)).toEqual(["GET"]);
});

test("cut: the second write never reaches the server; the connection is reset", async () => {
  const subject = await proxy();
  subject.spoil(({ write, writes }) => (write && writes === 2 ? { do: "cut" } : undefined));
  await ask(subject, NAMESPACES, create);
  await expect(ask(subject, NAMESPACES, create)).rejects.toThrow("hang up");
  expect(seen).toHaveLength(1);
  expect(subject.writes[1]?.status).toBeUndefined();
});

test("a lost answer: the server has done the write, its client hears nothing", async () => {
  const subject = await proxy();
  const order: string[] = [];
  subject.spoil(() => ({
    do: "lose-answer",
    reached: async () => {
      await sleep(20);
      order.push(`reached, seen by the server: ${seen.length}`);
    },
  }));
  await expect(ask(subject, NAMESPACES, create)).rejects.toThrow("hang up");
  expect(order).toEqual(["reached, seen by the server: 1"]);
  expect(subject.writes[0]?.status).toBe(200);
});

test("delay: the answer comes, later", async () => {
  const subject = await proxy();
  subject.spoil(() => ({ do: "delay", ms: 200 }));
  const since = performance.now();
  expect((await ask(subject, NAMESPACES)).status).toBe(200);
  expect(performance.now() - since).toBeGreaterThan(190);
});

test("an old list is served in place of today's", async () => {
  const subject = await proxy();
  const lists: string[] = [];
  subject.record(
    (path) => path.includes("/pods"),
    (body) => lists.push(body),
  );
  await ask(subject, "/api/v1/pods");
  subject.spoil(() => ({ do: "answer", body: lists[0] ?? "" }));
  expect((await ask(subject, "/api/v1/pods")).body).toBe('{"from":"server","asked":1}');
  expect(seen).toHaveLength(1);
});

test("a watch comes piece by piece, and is ended when told", async () => {
  const subject = await proxy();
  subject.spoil(({ watch }) => (watch ? { do: "end-after", ms: 150 } : undefined));
  const since = performance.now();
  expect((await ask(subject, "/api/v1/pods?watch=true")).body).toBe('{"type":"ADDED"}\n');
  expect(performance.now() - since).toBeGreaterThan(140);
});

test("down: refused, also what is under way; restored at the same address", async () => {
  const subject = await proxy();
  const { url } = subject;
  const watch = ask(subject, "/api/v1/pods?watch=true");
  watch.catch(() => undefined);
  await sleep(100);
  await subject.down();
  await expect(watch).rejects.toThrow();
  await expect(ask(subject, NAMESPACES)).rejects.toThrow("ECONNREFUSED");
  await subject.restore();
  expect(subject.url).toBe(url);
  expect((await ask(subject, NAMESPACES)).status).toBe(200);
});

test("hang: taken and not answered until it is restored", async () => {
  const subject = await proxy();
  subject.hang();
  let answered = false;
  const answer = ask(subject, NAMESPACES, create).then((got) => {
    answered = true;
    return got;
  });
  await sleep(200);
  expect({ answered, seen: seen.length }).toEqual({ answered: false, seen: 0 });
  await subject.restore();
  expect((await answer).status).toBe(200);
});

/** Asks for another protocol. @returns What came back to `ping`, or the status of a refusal. */
async function upgrade({ url }: FaultProxy, path: string, token = "token-of-the-first"): Promise<string> {
  return await new Promise((resolve, reject) => {
    const request = https.request(new URL(path, url), {
      ...{ ca: certificate.certificate, agent: false },
      headers: { authorization: `Bearer ${token}`, connection: "Upgrade", upgrade: "echo" },
    });
    request.on("error", reject);
    request.on("response", ({ statusCode = 0 }) => {
      resolve(String(statusCode));
    });
    request.on("upgrade", (_, socket) => {
      socket
        .on("error", () => undefined)
        .on("close", () => {
          resolve("closed");
        });
      socket.on("data", (chunk) => {
        resolve(String(chunk));
      });
      if (!path.includes("quiet")) socket.write("ping");
    });
    request.end();
  });
}

test("passes a port-forward on, both ways, without the holder's token", async () => {
  expect(await upgrade(await proxy(), "/portforward")).toBe("ping");
});

test("passes the server's refusal of a port-forward on, and refuses strangers itself", async () => {
  const at = await proxy();
  expect(await upgrade(at, "/portforward/refused")).toBe("403");
  expect(await upgrade(at, "/portforward", "token-of-nobody")).toBe("401");
});

test("a port-forward ends with the proxy", async () => {
  const at = await proxy();
  const quiet = upgrade(at, "/portforward/quiet");
  await sleep(100);
  await at.down();
  expect(await quiet).toBe("closed");
});
