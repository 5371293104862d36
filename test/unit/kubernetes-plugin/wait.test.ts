import { describe, expect, it } from "vitest";
import { judgeClaim, judgeService } from "../../../lab/kubernetes-plugin/await/others.ts";
import { judgeJob } from "../../../lab/kubernetes-plugin/await/workloads.ts";
import type { Cluster } from "../../../lab/kubernetes-plugin/cluster.ts";
import { ApiError, UnreachableError } from "../../../lab/kubernetes-plugin/errors.ts";
import type { JsonRecord } from "../../../lab/kubernetes-plugin/json.ts";
import {
  type Waiting,
  waitUntilGone,
  waitUntilReady,
  whatHoldsBack,
} from "../../../lab/kubernetes-plugin/wait.ts";
import { endpointOf, fakeCluster, watching } from "./fake-cluster.ts";

const job = (status: JsonRecord, metadata: JsonRecord = {}): JsonRecord => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "driver", namespace: "shop", uid: "1", resourceVersion: "7", ...metadata },
  status,
});
const COMPLETE = job({ conditions: [{ type: "Complete", status: "True" }] });
const NEW = job({});

const waiting = (
  cluster: Partial<Cluster>,
  more: Partial<Waiting> = {},
): Waiting & { readonly said: string[] } => {
  const said: string[] = [];
  return {
    cluster: fakeCluster(cluster),
    reference: { endpoint: endpointOf("batch/v1", "Job"), namespace: "shop", name: "driver" },
    timeout: 5000,
    cancel: new AbortController().signal,
    onStatus: (text) => said.push(text),
    said,
    ...more,
  };
};

describe("waiting until an object is ready", () => {
  it("goes on from what the write returned, and ends with the event that makes it ready", async () => {
    let from = "";
    const surroundings = waiting({
      watch: (_, resourceVersion, signal) => {
        from = resourceVersion;
        return watching(signal, ["MODIFIED", job({ startTime: "now" })], ["MODIFIED", COMPLETE]);
      },
    });
    const waited = await waitUntilReady(surroundings, NEW, judgeJob);
    expect(waited).toMatchObject({ outcome: "ready", object: COMPLETE });
    expect(from).toBe("7");
    expect(surroundings.said[0]).toBe("waiting for the Job to start");
  });

  it("fails with the object's own reason", async () => {
    const failed = job({ conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded" }] });
    const waited = await waitUntilReady(
      waiting({ watch: (_, __, signal) => watching(signal, ["MODIFIED", failed]) }),
      NEW,
      judgeJob,
    );
    expect(waited).toMatchObject({ outcome: "failed", reason: "[BackoffLimitExceeded]" });
  });

  it("survives a server that goes away, and a watch that is too old", async () => {
    const watches = [
      () => {
        throw new UnreachableError("the server is away");
      },
      () => {
        throw new ApiError(410, { reason: "Expired" });
      },
    ];
    let lists = 0;
    const surroundings = waiting({
      watch: (_, __, signal) => {
        watches.shift()?.();
        return watching(signal);
      },
      list: () => {
        lists++;
        return Promise.resolve({ metadata: { resourceVersion: "9" }, items: [lists < 2 ? NEW : COMPLETE] });
      },
    });
    expect(await waitUntilReady(surroundings, NEW, judgeJob)).toMatchObject({ outcome: "ready" });
    expect(surroundings.said).toContain("the server is away");
  });

  it("throws what no time will mend", async () => {
    const surroundings = waiting({
      watch: () => {
        throw new ApiError(403, { reason: "Forbidden", message: "no rights" });
      },
    });
    await expect(waitUntilReady(surroundings, NEW, judgeJob)).rejects.toThrow("no rights");
  });

  it("says what was missing at the deadline", async () => {
    const surroundings = waiting({ watch: (_, __, signal) => watching(signal) }, { timeout: 50 });
    expect(await waitUntilReady(surroundings, NEW, judgeJob)).toMatchObject({
      outcome: "timeout",
      reason: "waiting for the Job to start",
      object: NEW,
    });
  });

  it("ends at once when the user cancels", async () => {
    const cancel = new AbortController();
    const surroundings = waiting({ watch: (_, __, signal) => watching(signal) }, { cancel: cancel.signal });
    const waited = waitUntilReady(surroundings, NEW, judgeJob);
    cancel.abort();
    expect(await waited).toMatchObject({ outcome: "cancelled", object: NEW });
  });

  it("has a claim ready whose storage class comes after it and waits for the first consumer", async () => {
    const claim: JsonRecord = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "data", namespace: "shop", uid: "1", resourceVersion: "7" },
      spec: { storageClassName: "late" },
      status: { phase: "Pending" },
    };
    const late = { metadata: { name: "late" }, volumeBindingMode: "WaitForFirstConsumer" };
    const surroundings = waiting({
      list: () => Promise.resolve({ metadata: { resourceVersion: "3" }, items: [] }),
      watch: ({ endpoint }, _, signal) =>
        endpoint.kind === "StorageClass" ? watching(signal, ["ADDED", late]) : watching(signal),
    });
    const reference = {
      endpoint: endpointOf("v1", "PersistentVolumeClaim"),
      namespace: "shop",
      name: "data",
    };
    expect(await waitUntilReady({ ...surroundings, reference }, claim, judgeClaim)).toMatchObject({
      outcome: "ready",
    });
  });

  it("goes on without other objects that it may not see", async () => {
    const service: JsonRecord = { ...NEW, apiVersion: "v1", kind: "Service", spec: { type: "ExternalName" } };
    const surroundings = waiting({
      list: () => Promise.reject(new ApiError(403, { reason: "Forbidden", message: "no rights" })),
      watch: (_, __, signal) => watching(signal),
    });
    const reference = { endpoint: endpointOf("v1", "Service"), namespace: "shop", name: "driver" };
    const waited = await waitUntilReady({ ...surroundings, reference }, service, judgeService);
    expect(waited).toMatchObject({ outcome: "ready" });
  });

  it("notices that the object was deleted", async () => {
    const waited = await waitUntilReady(
      waiting({ watch: (_, __, signal) => watching(signal, ["DELETED", NEW]) }),
      NEW,
      judgeJob,
    );
    expect(waited).toMatchObject({ outcome: "gone", object: undefined });
  });
});

describe("waiting until an object is gone", () => {
  it("ends when it is deleted, or when another one has its name", async () => {
    for (const event of [["DELETED", NEW] as const, ["MODIFIED", job({}, { uid: "2" })] as const]) {
      const surroundings = waiting({ watch: (_, __, signal) => watching(signal, event) });
      expect(await waitUntilGone(surroundings, NEW)).toMatchObject({ outcome: "gone" });
    }
  });

  it("says at the deadline what holds it back", async () => {
    const held = job({}, { finalizers: ["example.com/hold"] });
    const surroundings = waiting({ watch: (_, __, signal) => watching(signal) }, { timeout: 50 });
    expect(await waitUntilGone(surroundings, held)).toMatchObject({
      outcome: "timeout",
      reason: "finalizers might be preventing deletion (example.com/hold)",
    });
  });

  it("knows what a namespace still holds", () => {
    const namespace = {
      spec: { finalizers: ["kubernetes"] },
      status: {
        conditions: [
          { type: "NamespaceContentRemaining", status: "True", message: "pods. has 1 resource instances" },
          { type: "NamespaceDeletionContentFailure", status: "False", message: "fine" },
        ],
      },
    };
    expect(whatHoldsBack(namespace)).toBe(
      "finalizers might be preventing deletion (kubernetes)\npods. has 1 resource instances",
    );
  });
});
