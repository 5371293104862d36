// How a new holder shuts earlier ones out, against an API server that is made up; the real one is in test/e2e/fence.test.ts.
import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { fenceRules } from "../../../components/platform/fence-rules.ts";
import { refusalReason } from "../../../jobs/engine/errors.ts";
import { LeaseLost } from "../../../jobs/lease/index.ts";
import { ApiError } from "../../../jobs/watch/api.ts";
import { isFencedOff, outdated, raiseFence } from "../../../jobs/watch/fence.ts";
import { checkFence } from "../../../jobs/watch/fence-check.ts";
import { containing } from "../../harness/expect.ts";
import { type FakeServer, failure, fakeServer, json } from "./fake-server.ts";

const RUN = "nightly-orders-11240600-aaaaa";
const NOTE = `fence.mayfly.dev/${RUN}`;
const fenced = { run: RUN, namespace: `acme-${RUN}`, tenantNamespace: "tenant-acme" };

const Patch = z.object({
  metadata: z.object({
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string().nullable()).optional(),
  }),
});
type Patch = z.infer<typeof Patch>["metadata"];

async function bodyOf(request: IncomingMessage): Promise<Patch> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return Patch.parse(JSON.parse(text)).metadata;
}

interface Given {
  /** Annotations of the tenant's namespace. */
  readonly noted?: Record<string, string>;
  /** Fence of the run's namespace; there is none where left out. */
  readonly fence?: number;
  /** The label that the namespace has in place of the run's. */
  readonly of?: string;
  readonly terminating?: boolean;
  /** So many writes of the note find that somebody else wrote before. */
  readonly conflicts?: number;
  /** What others write meanwhile. */
  readonly meanwhile?: string;
  readonly refuse?: string;
}

/** A tenant's namespace and a run's, and what was written to them. */
async function cluster(given: Given): Promise<FakeServer & { readonly written: [string, Patch][] }> {
  const written: [string, Patch][] = [];
  let version = 1;
  let conflicts = given.conflicts ?? 0;
  const annotations: Record<string, string> = { ...given.noted };
  const server = await fakeServer((request, response, url) => {
    const name = url.pathname.split("/").at(-1) ?? "";
    if (name !== fenced.tenantNamespace && given.fence === undefined) {
      failure(response, 404, "NotFound", `namespaces "${name}" not found`);
      return;
    }
    if (request.method === "GET") {
      const metadata =
        name === fenced.tenantNamespace
          ? { name, uid: "t-1", resourceVersion: String(version), annotations }
          : {
              name,
              uid: "n-1",
              labels: {
                "mayfly.dev/tenant": "acme",
                "mayfly.dev/job": "nightly-orders",
                "mayfly.dev/run": given.of ?? RUN,
                "mayfly.dev/fence": String(given.fence),
              },
              ...(given.terminating === true ? { deletionTimestamp: "2026-11-24T06:00:00Z" } : {}),
            };
      json(response, { metadata });
      return;
    }
    void bodyOf(request).then((body) => {
      if (name !== fenced.tenantNamespace && given.refuse !== undefined) {
        failure(response, 403, "Forbidden", given.refuse);
      } else if (name === fenced.tenantNamespace && body.resourceVersion !== String(version)) {
        failure(response, 409, "Conflict", "the object has been modified");
      } else if (name === fenced.tenantNamespace && conflicts > 0) {
        conflicts--;
        version++;
        if (given.meanwhile !== undefined) annotations[NOTE] = given.meanwhile;
        failure(response, 409, "Conflict", "the object has been modified");
      } else {
        written.push([name, body]);
        json(response, {});
      }
    });
  });
  return { ...server, written };
}

const note = (fence: number): unknown =>
  expect.stringMatching(new RegExp(`^${fence} 2\\d{3}-\\d\\d-\\d\\dT`));

describe("a new holder", () => {
  test("first notes its fence at the tenant, then raises the namespace's", async () => {
    await using server = await cluster({ fence: 1 });
    await raiseFence(server.cluster, fenced, 2);
    expect(server.written).toEqual([
      ["tenant-acme", { resourceVersion: "1", annotations: { [NOTE]: note(2) } }],
      [fenced.namespace, { uid: "n-1", labels: { "mayfly.dev/fence": "2" } }],
    ]);
  });

  test("notes it where there is no namespace yet, which a stale holder may be about to make", async () => {
    await using server = await cluster({});
    await raiseFence(server.cluster, fenced, 2);
    expect(server.written.map(([name]) => name)).toEqual(["tenant-acme"]);
  });

  test.each<[string, Given]>([
    ["another run's", { fence: 1, of: "nightly-orders-11230600-bbbbb" }],
    ["on its way out", { fence: 1, terminating: true }],
  ])("leaves a namespace alone that is %s", async (_what, given) => {
    await using server = await cluster(given);
    await raiseFence(server.cluster, fenced, 2);
    expect(server.written.map(([name]) => name)).toEqual(["tenant-acme"]);
  });

  test("that raises again, as after an answer that was lost, notes nothing twice", async () => {
    await using server = await cluster({ fence: 1, noted: { [NOTE]: "2 2026-11-24T06:00:00.000Z" } });
    await raiseFence(server.cluster, fenced, 2);
    expect(server.written.map(([name]) => name)).toEqual([fenced.namespace]);
  });

  test("writes over what others note for their runs, one after the other", async () => {
    await using server = await cluster({ fence: 1, conflicts: 3 });
    await raiseFence(server.cluster, fenced, 2);
    expect(server.written[0]).toEqual([
      "tenant-acme",
      { resourceVersion: "4", annotations: { [NOTE]: note(2) } },
    ]);
  });
});

describe("a stale holder that comes late", () => {
  test("changes nothing, and is told that its lease is lost", async () => {
    await using server = await cluster({ fence: 3, noted: { [NOTE]: "3 2026-11-24T06:00:00.000Z" } });
    await expect(raiseFence(server.cluster, fenced, 2)).rejects.toBeInstanceOf(LeaseLost);
    expect(server.written).toEqual([]);
  });

  test("never lowers what was noted between its look and its write", async () => {
    await using server = await cluster({
      fence: 1,
      conflicts: 1,
      meanwhile: "3 2026-11-24T06:00:00.000Z",
    });
    await expect(raiseFence(server.cluster, fenced, 2)).rejects.toMatchObject({
      code: "lease-lost",
      reason: "taken",
    });
    expect(server.written).toEqual([]);
  });

  test("is told so by the admission policy too", async () => {
    const refuse =
      "namespaces is forbidden: ValidatingAdmissionPolicy 'mayfly-lab-fence-namespaces' with binding 'mayfly-lab-fence-namespaces' denied request: another helper works on this run: the fence of its namespace is 3 and only grows";
    await using server = await cluster({ fence: 3, refuse });
    await expect(raiseFence(server.cluster, fenced, 2)).rejects.toBeInstanceOf(LeaseLost);
  });

  test("is not mixed up with somebody who lacks the right", async () => {
    await using server = await cluster({ fence: 1, refuse: 'User "ci" cannot patch resource "namespaces"' });
    await expect(raiseFence(server.cluster, fenced, 2)).rejects.toMatchObject({ code: "cluster-forbidden" });
  });
});

describe("the words of the policies", () => {
  const messages = Object.values(fenceRules("lab")).flatMap(({ spec }) =>
    z
      .array(z.object({ messageExpression: z.string().optional() }))
      .parse(spec.validations)
      .flatMap(({ messageExpression }) => (messageExpression === undefined ? [] : [messageExpression])),
  );

  test("are known as those of a lost lease by the engine and by the watch", () => {
    expect(messages).toHaveLength(3);
    for (const message of messages) {
      expect([message, refusalReason(message)]).toEqual([message, "fenced"]);
      expect([message, isFencedOff(new ApiError(403, "Forbidden", message))]).toEqual([message, true]);
    }
  });
});

describe("notes at the tenant", () => {
  const now = new Date("2026-11-24T06:00:00Z");
  const at = (days: number): string => `1 ${new Date(now.getTime() - days * 86_400_000).toISOString()}`;

  test("are removed after a month, with those that say no time, and nobody else's annotations are", () => {
    const annotations = {
      "fence.mayfly.dev/a": at(29),
      "fence.mayfly.dev/b": at(31),
      "fence.mayfly.dev/c": "1",
      "example.com/owner": at(400),
    };
    expect(outdated(annotations, now)).toEqual({ "fence.mayfly.dev/b": null, "fence.mayfly.dev/c": null });
  });

  test("never become more than a thousand: the oldest go", () => {
    const annotations = Object.fromEntries(
      Array.from({ length: 1005 }, (_, index) => [`fence.mayfly.dev/r${index}`, at(index / 1000)]),
    );
    const gone = Object.keys(outdated(annotations, now));
    // With the one that is about to be written there are a thousand.
    expect(gone).toEqual([999, 1000, 1001, 1002, 1003, 1004].map((index) => `fence.mayfly.dev/r${index}`));
  });
});

describe("the look whether the fence is there", () => {
  const policy = "mayfly-lab-fence-objects";
  const whole = {
    validatingadmissionpolicies: { spec: { failurePolicy: "Fail" } },
    validatingadmissionpolicybindings: { spec: { policyName: policy, validationActions: ["Deny"] } },
  };
  const looked = async (parts: Partial<Record<keyof typeof whole, object>>): Promise<unknown> => {
    await using server = await fakeServer((_request, response, url) => {
      const [, resource] = /v1\/(\w+)\//.exec(url.pathname) ?? [];
      const part = Object.entries(parts).find(([kind]) => kind === resource)?.[1];
      if (part === undefined) failure(response, 404, "NotFound", "not found");
      else json(response, part);
    });
    return await checkFence(server.cluster, [policy]).catch((error: unknown) => error);
  };

  test("is content with a policy that is bound and refuses", async () => {
    expect(await looked(whole)).toBeUndefined();
  });

  const { validatingadmissionpolicies, validatingadmissionpolicybindings } = whole;
  test.each<[string, Parameters<typeof looked>[0], string]>([
    ["no policy", { validatingadmissionpolicybindings }, "is not there"],
    ["no binding", { validatingadmissionpolicies }, "is not bound"],
    [
      "a binding that only warns",
      {
        ...whole,
        validatingadmissionpolicybindings: { spec: { policyName: policy, validationActions: ["Warn"] } },
      },
      "refuses nothing",
    ],
    [
      "a policy that fails open",
      { ...whole, validatingadmissionpolicies: { spec: { failurePolicy: "Ignore" } } },
      "lets pass",
    ],
  ])("refuses %s, and says how to get it back", async (_what, parts, message) => {
    expect(await looked(parts)).toMatchObject({
      name: "UserError",
      code: "fence-missing",
      message: containing(message),
      hint: containing("pulumi up"),
    });
  });
});
