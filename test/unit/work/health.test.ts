import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { Health, withHealth } from "../../../jobs/work/health.ts";

function healthAt(): { readonly health: Health; readonly after: (ms: number) => void } {
  let now = 1_000_000;
  const health = new Health(() => now);
  return {
    health,
    after: (ms) => {
      now += ms;
    },
  };
}

describe("a worker", () => {
  test("is alive from its start, and ready once it has looked at its ledger", () => {
    const { health } = healthAt();
    expect([health.alive, health.ready]).toEqual([true, false]);
    health.turned(true);
    expect([health.alive, health.ready]).toEqual([true, true]);
  });

  test("whose ledger is away is not ready after 15 s, and alive for as long as its loop turns", () => {
    const { health, after } = healthAt();
    health.turned(true);
    for (let seconds = 0; seconds < 600; seconds += 5) {
      after(5000);
      health.turned(false);
    }
    expect([health.alive, health.ready]).toEqual([true, false]);
    health.turned(true);
    expect(health.ready).toBe(true);
  });

  test("whose loop has not turned for a minute is not alive", () => {
    const { health, after } = healthAt();
    health.turned(true);
    after(60_000);
    expect(health.alive).toBe(true);
    after(1);
    expect([health.alive, health.ready]).toEqual([false, false]);
  });
});

describe("its probes", () => {
  const ask = async (port: number | undefined, path: string, method = "GET"): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port ?? 0}${path}`, { method })).status;

  test("are answered for as long as it works, and no longer", async () => {
    const served = await withHealth(0, async (health, port) => {
      expect(await ask(port, "/livez")).toBe(200);
      expect(await ask(port, "/readyz")).toBe(503);
      health.turned(true);
      expect(await ask(port, "/readyz")).toBe(200);
      expect(await ask(port, "/metrics")).toBe(404);
      expect(await ask(port, "/livez", "POST")).toBe(405);
      return port;
    });
    await expect(ask(served, "/livez")).rejects.toThrow();
  });

  test("on a port that is taken are refused by name, before any work", async () => {
    await using taken = createServer().listen(0);
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    let worked = false;
    const failure = withHealth(port, async () => {
      worked = true;
      return Promise.resolve();
    });
    await expect(failure).rejects.toMatchObject({ code: "health-port", path: "--health" });
    expect(worked).toBe(false);
  });

  test("are not there where nobody asked for them", async () => {
    expect(await withHealth(undefined, async (_health, port) => Promise.resolve(port))).toBeUndefined();
  });
});
