import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../base/errors.ts";
import type { LeaseDraft, LeaseRecord } from "../../../jobs/lease/types.ts";
import { leasePort } from "../../../jobs/watch/lease-api.ts";
import { type Answer, fakeServer } from "../watch/fake-server.ts";

const LABELS = { "app.kubernetes.io/managed-by": "mayfly", "mayfly.dev/run": "pi-1" };
const DRAFT: LeaseDraft = {
  holder: "node-7/12/ab",
  transitions: 3,
  acquireTime: "2026-11-24T09:00:00.000001Z",
  renewTime: "2026-11-24T09:00:10.000002Z",
  durationSeconds: 30,
};
const RECORD: LeaseRecord = {
  uid: "u-1",
  resourceVersion: "41",
  holder: "node-7/12/ab",
  transitions: 3,
  renewTime: DRAFT.renewTime,
  durationSeconds: 30,
};
const OBJECT = {
  metadata: { name: "pi-1", uid: "u-1", resourceVersion: "41", labels: LABELS },
  spec: {
    holderIdentity: RECORD.holder,
    leaseTransitions: 3,
    renewTime: RECORD.renewTime,
    leaseDurationSeconds: 30,
  },
};

const send = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
};
const says = (status: number, reason: string, message: string): Answer => {
  return (_request, response) => {
    send(response, status, { kind: "Status", reason, message });
  };
};
const never = new AbortController().signal;

async function portOf(answer: Answer) {
  const server = await fakeServer(answer);
  const port = leasePort(server.cluster, { namespace: "acme", run: "pi-1", labels: LABELS });
  return { port, requests: server.requests, [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
}

describe("a lease in the cluster", () => {
  test("is written over exactly the version that was read, with labels, by PUT", async () => {
    let body = "";
    await using lease = await portOf((request, response) => {
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on("end", () => {
        send(response, 200, OBJECT);
      });
    });
    expect(await lease.port.replace(RECORD, DRAFT, never)).toEqual({ kind: "lease", lease: RECORD });
    expect(lease.requests).toEqual(["PUT /apis/coordination.k8s.io/v1/namespaces/acme/leases/pi-1"]);
    expect(JSON.parse(body)).toMatchObject({
      metadata: { name: "pi-1", namespace: "acme", uid: "u-1", resourceVersion: "41", labels: LABELS },
      spec: { ...OBJECT.spec, acquireTime: DRAFT.acquireTime },
    });
  });

  test("without a spec is one that nobody holds", async () => {
    await using lease = await portOf((_request, response) => {
      send(response, 200, { metadata: OBJECT.metadata });
    });
    expect(await lease.port.get(never)).toMatchObject({ lease: { holder: "", transitions: 0 } });
  });

  test.each([
    [404, "NotFound", "absent"],
    [409, "Conflict", "conflict"],
    [500, "InternalError", "unanswered"],
    [429, "TooManyRequests", "unanswered"],
  ])("%i %s is %s", async (status, reason, kind) => {
    await using lease = await portOf(says(status, reason, "as it is"));
    expect(await lease.port.replace(RECORD, DRAFT, never)).toMatchObject({ kind });
    expect(await lease.port.get(never)).toMatchObject({ kind });
  });

  test("whose answer does not come is given up when the caller says so", async () => {
    await using lease = await portOf(() => undefined);
    const late = new AbortController();
    const asked = lease.port.replace(RECORD, DRAFT, late.signal);
    setTimeout(() => {
      late.abort(new Error("no answer within 5 s"));
    }, 50);
    expect(await asked).toMatchObject({ kind: "unanswered" });
  });

  test("that may not be had says so, and names what is missing", async () => {
    await using lease = await portOf(says(403, "Forbidden", "leases is forbidden"));
    await expect(lease.port.get(never)).rejects.toMatchObject({ code: "cluster-forbidden" });
    await using gone = await portOf(says(404, "NotFound", 'namespaces "acme" not found'));
    await expect(gone.port.create(DRAFT, never)).rejects.toMatchObject({ code: "lease-namespace-missing" });
  });

  test("of somebody else under the run's name is neither used nor written", async () => {
    await using lease = await portOf((_request, response) => {
      send(response, 200, { ...OBJECT, metadata: { ...OBJECT.metadata, labels: { app: "their-operator" } } });
    });
    await expect(lease.port.get(never)).rejects.toBeInstanceOf(UserError);
    await expect(lease.port.get(never)).rejects.toMatchObject({ code: "lease-foreign", path: "acme/pi-1" });
  });

  test("at an address where nobody listens is unanswered: the server may come back", async () => {
    const lease = await portOf(() => undefined);
    await lease[Symbol.asyncDispose]();
    expect(await lease.port.get(never)).toMatchObject({ kind: "unanswered" });
  });
});
