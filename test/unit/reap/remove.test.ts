import { expect, onTestFinished, test } from "vitest";
import { EngineFailure } from "../../../jobs/engine/index.ts";
import { orphans } from "../../../jobs/reap/orphans.ts";
import { removeOrphan } from "../../../jobs/reap/remove.ts";
import type { Orphan, ReapFacts } from "../../../jobs/reap/types.ts";
import { containing } from "../../harness/expect.ts";
import { type Answer, failure, fakeServer, json } from "../watch/fake-server.ts";
import {
  factsOf,
  labelsOf,
  leaseFact,
  liveFact,
  lockFact,
  namespaceFact,
  runFact,
  stackFact,
  stackOf,
} from "./facts.ts";

const RUN = "orders-11240544-k3fqx";
const NAME = stackOf(RUN);
const ENDED = [runFact(RUN)];

/** Removes what `seen` lists first, in a world that is as `now` says. Returns what came of it and all that was done. */
async function removing(
  seen: Partial<ReapFacts>,
  now: Partial<ReapFacts> = seen,
  answer: Answer = (_request, response) => {
    failure(response, 404, "NotFound", "not found");
  },
  destroy: () => Promise<void> = () => Promise.resolve(),
) {
  const server = await fakeServer(answer);
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
  });
  const done: string[] = [];
  const note = (what: string) => async (name: string) => {
    done.push(`${what} ${name}`);
    if (what === "destroy") await destroy();
  };
  const [orphan] = orphans(factsOf({ runs: ENDED, ...seen }));
  if (orphan === undefined) throw new Error("the test plants no orphan");
  const { fate, problem } = await removeOrphan(orphan satisfies Orphan, {
    collect: () => Promise.resolve(factsOf({ runs: ENDED, ...now })),
    cluster: server.cluster,
    removeLock: note("unlock"),
    engine: () => ({ destroy: note("destroy"), remove: note("remove"), forget: note("forget") }),
  });
  const deleted = server.requests.filter((request) => request.startsWith("DELETE"));
  return { fate, problem, done, deleted };
}

test("a namespace is deleted as it was seen, with its pods, and waited for", async () => {
  const bodies: string[] = [];
  const result = await removing({ namespaces: [namespaceFact(RUN)] }, undefined, (request, response) => {
    if (request.method === "GET") failure(response, 404, "NotFound", "gone");
    else
      request
        .on("data", (chunk) => bodies.push(String(chunk)))
        .on("end", () => {
          json(response, {});
        });
  });
  expect(result).toMatchObject({ fate: "removed", problem: undefined });
  expect(result.deleted).toEqual([
    `DELETE /api/v1/namespaces/${NAME}`,
    `DELETE /api/v1/namespaces/${NAME}/pods`,
  ]);
  expect(JSON.parse(bodies[0] ?? "")).toMatchObject({
    preconditions: { uid: `uid-${RUN}`, resourceVersion: "1" },
  });
});

test.each<[string, Partial<ReapFacts>]>([
  ["its run lives again", { runs: [liveFact(RUN)] }],
  ["somebody renews its run's lease", { leases: [leaseFact(RUN, { renewedAt: factsOf({}).now })] }],
  [
    "a label was taken off it",
    { namespaces: [namespaceFact(RUN, { labels: { ...labelsOf(RUN), "mayfly.dev/role": "" } })] },
  ],
  [
    "its labels say another manager",
    {
      namespaces: [
        namespaceFact(RUN, { labels: { ...labelsOf(RUN), "app.kubernetes.io/managed-by": "helm" } }),
      ],
    },
  ],
])("a namespace stays where, looked at once more, %s", async (_, change) => {
  const seen = { namespaces: [namespaceFact(RUN)] };
  const result = await removing(seen, { ...seen, ...change });
  expect(result).toMatchObject({
    fate: "failed",
    deleted: [],
    problem: containing("no orphan any more"),
  });
});

test("a namesake of another UID is not deleted in its place", async () => {
  const seen = { namespaces: [namespaceFact(RUN)] };
  const result = await removing(seen, { namespaces: [namespaceFact(RUN, { uid: "uid-new" })] });
  expect(result).toMatchObject({ fate: "removed", deleted: [] });
});

test("what the API server refuses, since it changed in the last moment, stays and says so", async () => {
  const result = await removing({ namespaces: [namespaceFact(RUN)] }, undefined, (_request, response) => {
    failure(response, 409, "Conflict", "the ResourceVersion in the precondition does not match");
  });
  expect(result).toMatchObject({ fate: "failed", problem: containing("has changed") });
  expect(result.deleted).toEqual([`DELETE /api/v1/namespaces/${NAME}`]);
});

test("a right that is missing is one orphan's problem, not the end", async () => {
  const result = await removing({ namespaces: [namespaceFact(RUN)] }, undefined, (_request, response) => {
    failure(response, 403, "Forbidden", "namespaces is forbidden");
  });
  expect(result).toMatchObject({ fate: "failed", problem: containing("forbids it") });
});

test("a stack is destroyed before it is removed; an empty one has nothing to destroy", async () => {
  expect((await removing({ stacks: [stackFact(RUN)] })).done).toEqual([`destroy ${NAME}`, `remove ${NAME}`]);
  const state = { objects: 0, run: undefined, environment: undefined };
  expect((await removing({ stacks: [stackFact(RUN, { state })] })).done).toEqual([`remove ${NAME}`]);
});

test("a stack that can't be destroyed is not removed from the state", async () => {
  const result = await removing({ stacks: [stackFact(RUN)] }, undefined, undefined, () =>
    Promise.reject(new EngineFailure({ kind: "unreachable", message: "no route to host" })),
  );
  expect(result).toMatchObject({ fate: "failed", problem: "no route to host", done: [`destroy ${NAME}`] });
});

test("a stack stays while a namespace of its name is not Mayfly's", async () => {
  const result = await removing({ stacks: [stackFact(RUN)] }, undefined, (_request, response) => {
    json(response, { metadata: { name: NAME, uid: "u", labels: { "mayfly.dev/run": RUN } } });
  });
  expect(result).toMatchObject({
    fate: "failed",
    done: [],
    problem: containing("not Mayfly's"),
  });
});

test.each([
  [true, "a process works on it"],
  [undefined, "a process of another machine"],
])("a stack's lock whose owner lives (%s) is not broken", async (ownerLives, problem) => {
  const result = await removing({ stacks: [stackFact(RUN)], locks: [lockFact(RUN, { ownerLives })] });
  expect(result).toMatchObject({ fate: "failed", done: [], problem: containing(problem) });
});

test("a dead owner's lock is broken first; a state that can't be read is forgotten", async () => {
  const seen = { stacks: [stackFact(RUN, { state: undefined })], locks: [lockFact(RUN)] };
  expect((await removing(seen)).done).toEqual([`unlock /locks/${NAME}/1.json`, `forget ${NAME}`]);
});

test("a stack that was written to meanwhile stays", async () => {
  const result = await removing(
    { stacks: [stackFact(RUN)] },
    { stacks: [stackFact(RUN, { changedAt: factsOf({}).now })] },
  );
  expect(result).toMatchObject({ fate: "failed", done: [] });
});

test("a lease that was renewed meanwhile stays", async () => {
  const seen = { leases: [leaseFact(RUN, { holder: "" })] };
  const result = await removing(seen, { leases: [leaseFact(RUN, { resourceVersion: "2", holder: "" })] });
  expect(result).toMatchObject({ fate: "failed", deleted: [] });
});

test("what went with something else is removed", async () => {
  expect(await removing({ namespaces: [namespaceFact(RUN)] }, {})).toMatchObject({
    fate: "removed",
    deleted: [],
  });
});
