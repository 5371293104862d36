import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { followLog } from "../../../jobs/watch/logs.ts";
import { lines, watchCollection } from "../../../jobs/watch/stream.ts";
import { failure, fakeServer, json } from "./fake-server.ts";

const pod = (name: string, version: number): object => ({
  metadata: { name, resourceVersion: String(version) },
});
const send = (response: ServerResponse, type: string, object: object): void => {
  response.write(`${JSON.stringify({ type, object })}\n`);
};

/** Runs a watch until `enough` was told, and gives what was told. */
async function told(server: Awaited<ReturnType<typeof fakeServer>>, enough: number): Promise<string[]> {
  const seen: string[] = [];
  const stop = new AbortController();
  const say = (text: string): void => {
    seen.push(text);
    if (seen.length >= enough) stop.abort();
  };
  const names = (objects: readonly unknown[]): string =>
    objects
      .map((object) => JSON.stringify(object))
      .join()
      .match(/"name":"[^"]+"/g)
      ?.join() ?? "";
  await watchCollection(
    server.cluster,
    "/api/v1/namespaces/demo/pods",
    {},
    {
      onList: (objects) => {
        say(`list ${names(objects)}`);
      },
      onChange: (object, deleted) => {
        say(`${deleted ? "gone" : "change"} ${names([object])}`);
      },
      onReachable: () => undefined,
      onRefused: (error) => {
        say(`refused ${error.status}`);
      },
    },
    AbortSignal.any([stop.signal, AbortSignal.timeout(15_000)]),
  );
  return seen;
}

describe("watchCollection", () => {
  it("lists, then watches from the list's version, page by page", async () => {
    await using server = await fakeServer((_request, response, url) => {
      if (url.searchParams.get("watch") === "true") {
        send(response, "ADDED", pod("c", 12));
        send(response, "BOOKMARK", pod("", 15));
        send(response, "DELETED", pod("a", 16));
      } else if (url.searchParams.get("continue") === "next") {
        json(response, { metadata: { resourceVersion: "10" }, items: [pod("b", 2)] });
      } else json(response, { metadata: { resourceVersion: "10", continue: "next" }, items: [pod("a", 1)] });
    });
    expect(await told(server, 3)).toEqual([
      'list "name":"a","name":"b"',
      'change "name":"c"',
      'gone "name":"a"',
    ]);
    expect(server.requests[2]).toContain("resourceVersion=10");
  });

  it("goes on from the last version when the server ends a watch", async () => {
    let watches = 0;
    await using server = await fakeServer((_request, response, url) => {
      if (url.searchParams.get("watch") !== "true")
        json(response, { metadata: { resourceVersion: "10" }, items: [] });
      else if (++watches === 1) {
        send(response, "ADDED", pod("a", 12));
        send(response, "BOOKMARK", pod("", 20));
        response.end();
      } else send(response, "ADDED", pod("b", 21));
    });
    expect(await told(server, 3)).toEqual(["list ", 'change "name":"a"', 'change "name":"b"']);
    expect(server.requests.filter((request) => request.includes("watch=true"))[1]).toContain(
      "resourceVersion=20",
    );
  });

  it("lists again when its version is too old, told in the stream or as the answer", async () => {
    let watches = 0;
    await using server = await fakeServer((_request, response, url) => {
      if (url.searchParams.get("watch") !== "true")
        json(response, { metadata: { resourceVersion: "10" }, items: [pod("a", 1)] });
      else if (++watches === 1) {
        send(response, "ERROR", {
          kind: "Status",
          code: 410,
          reason: "Expired",
          message: "too old resource version",
        });
        response.end();
      } else if (watches === 2) failure(response, 410, "Expired", "too old resource version");
      else send(response, "ADDED", pod("b", 21));
    });
    expect(await told(server, 4)).toEqual([
      'list "name":"a"',
      'list "name":"a"',
      'list "name":"a"',
      'change "name":"b"',
    ]);
  });

  it("lists again after a torn connection and half a line", async () => {
    let watches = 0;
    await using server = await fakeServer((_request, response, url) => {
      if (url.searchParams.get("watch") !== "true")
        json(response, { metadata: { resourceVersion: "10" }, items: [] });
      else if (++watches === 1) {
        response.write('{"type":"ADDED","obj');
        setTimeout(() => response.destroy(), 20);
      } else send(response, "ADDED", pod("b", 21));
    });
    expect(await told(server, 3)).toEqual(["list ", "list ", 'change "name":"b"']);
  });

  it("waits out errors of the server and tells refusals", async () => {
    let lists = 0;
    await using server = await fakeServer((_request, response) => {
      lists++;
      if (lists <= 5) failure(response, 503, "ServiceUnavailable", "starting");
      else if (lists === 6) failure(response, 403, "Forbidden", "pods is forbidden");
      else json(response, { metadata: { resourceVersion: "10" }, items: [] });
    });
    expect(await told(server, 2)).toEqual(["refused 403", "list "]);
  });

  it("rejects for a defect of its listener instead of trying for ever", async () => {
    await using server = await fakeServer((_request, response) => {
      json(response, { metadata: { resourceVersion: "10" }, items: [] });
    });
    const nothing = (): void => undefined;
    const broken = watchCollection(
      server.cluster,
      "/api/v1/pods",
      {},
      {
        onList: () => {
          throw new TypeError("a defect");
        },
        onChange: nothing,
        onReachable: nothing,
        onRefused: nothing,
      },
      AbortSignal.timeout(5000),
    );
    await expect(broken).rejects.toThrow("a defect");
  });
});

describe("lines", () => {
  const from = async (...chunks: (string | Buffer)[]): Promise<string[]> => {
    const found: string[] = [];
    for await (const line of lines(toAsync(chunks), 8)) found.push(line);
    return found;
  };
  // eslint-disable-next-line @typescript-eslint/require-await -- stands for a stream
  async function* toAsync(chunks: (string | Buffer)[]): AsyncGenerator<string | Buffer> {
    yield* chunks;
  }

  it("joins what chunks tear apart, letters of several bytes too", async () => {
    const euro = Buffer.from("1 €\nend");
    expect(await from(euro.subarray(0, 3), euro.subarray(3))).toEqual(["1 €", "end"]);
    expect(await from("a\r\n\n", "b")).toEqual(["a", "", "b"]);
  });

  it("cuts a line that has no end in sight", async () => {
    expect(await from("0123456789abcdef", "ghij\nnext\n")).toEqual(["01234567", "next"]);
  });
});

describe("followLog", () => {
  const stamp = (second: number, text: string): string =>
    `2026-11-24T06:00:${String(second).padStart(2, "0")}.000000001Z ${text}\n`;

  it("takes up after a break without a gap or a line twice", async () => {
    let streams = 0;
    let since: string | null | undefined;
    await using server = await fakeServer((_request, response, url) => {
      streams++;
      if (streams === 1) {
        failure(response, 400, "BadRequest", "container driver is waiting to start: PodInitializing");
      } else if (streams === 2) {
        response.write(stamp(1, "one") + stamp(2, "two") + stamp(2, "two again"));
        setTimeout(() => response.destroy(), 30);
      } else {
        since ??= url.searchParams.get("sinceTime");
        response.end(stamp(2, "two") + stamp(2, "two again") + stamp(3, "three"));
      }
    });
    const found: string[] = [];
    const target = { namespace: "demo", pod: "coordinator-1", container: "driver" };
    await followLog(
      server.cluster,
      target,
      (line) => found.push(line),
      AbortSignal.timeout(10_000),
      () => streams >= 3,
    );
    expect(found).toEqual(["one", "two", "two again", "three"]);
    expect(since).toBe("2026-11-24T06:00:02.000000001Z");
  });

  it("rejects where it may not read", async () => {
    await using server = await fakeServer((_request, response) => {
      failure(response, 403, "Forbidden", "pods/log is forbidden");
    });
    const target = { namespace: "demo", pod: "coordinator-1", container: "driver" };
    const following = followLog(
      server.cluster,
      target,
      () => undefined,
      AbortSignal.timeout(5000),
      () => false,
    );
    await expect(following).rejects.toMatchObject({ code: "cluster-forbidden" });
  });
});
