import { describe, expect, it } from "vitest";
import { get, mergePatch, namespace, RUNNING, setPodStatuses } from "./api.ts";
import { kubernetes as k8s, openStack, timed } from "./harness.ts";
import { deployment, job, of, waits } from "./programs.ts";

describe("pulumi.com/waitFor", () => {
  const settings = (ns: string, waitFor: string, create = "20s"): void => {
    new k8s.core.v1.ConfigMap(
      "settings",
      {
        metadata: { namespace: ns, name: "settings", annotations: { "pulumi.com/waitFor": waitFor } },
        data: { a: "1" },
      },
      { customTimeouts: { create }, ignoreChanges: ["data"] },
    );
  };
  const path = (ns: string): string => `/api/v1/namespaces/${ns}/configmaps/settings`;

  it("waits until a JSONPath has a value", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        settings(ns, "jsonpath={.data.phase}=Running");
      }),
    );
    await expect.poll(() => get(path(ns)), { timeout: 10_000 }).toBeDefined();
    await mergePatch(path(ns), { data: { phase: "Starting" } });
    expect(await waits(up)).toBe(true);
    await mergePatch(path(ns), { data: { phase: "Running" } });
    await up;
  });

  it("waits until all of a list hold", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        settings(ns, '["jsonpath={.data.one}=yes", "jsonpath={.data.two}"]');
      }),
    );
    await expect.poll(() => get(path(ns)), { timeout: 10_000 }).toBeDefined();
    await mergePatch(path(ns), { data: { one: "yes" } });
    expect(await waits(up)).toBe(true);
    await mergePatch(path(ns), { data: { two: "anything" } });
    await up;
  });

  it("waits for a condition, instead of what the kind is waited for otherwise", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const up = stack.up(
      of(() => {
        job(ns, { "pulumi.com/waitFor": "condition=Suspended=False" });
      }),
    );
    up.catch(() => undefined);
    await setPodStatuses(ns, 1, RUNNING);
    expect(await waits(up)).toBe(true);
    await mergePatch(`/apis/batch/v1/namespaces/${ns}/jobs/driver/status`, {
      status: { conditions: [{ type: "Suspended", status: "False" }] },
    });
    await up;
  });

  it("refuses an expression that is neither", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await expect(
      stack.up(
        of(() => {
          settings(ns, "phase=Running");
        }),
      ),
    ).rejects.toThrow(/expected a "jsonpath=" or "condition=" prefix/);
  });
});

describe("stopping", () => {
  it("ends a wait at once when the user cancels, and keeps the object in the state", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const stop = new AbortController();
    const up = stack.up(
      of(() => {
        deployment(ns);
      }),
      stop.signal,
    );
    up.catch(() => undefined);
    await setPodStatuses(ns, 2, { phase: "Pending" });
    stop.abort();
    const [time] = await timed(up.catch(() => undefined));
    expect(time).toBeLessThan(5000);
    expect((await stack.objects()).map(({ id }) => id)).toEqual([`${ns}/web`]);
  });
});
