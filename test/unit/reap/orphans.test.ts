import { describe, expect, test } from "vitest";
import { orphans } from "../../../jobs/reap/orphans.ts";
import type { ReapFacts } from "../../../jobs/reap/types.ts";
import {
  ago,
  factsOf,
  folderFact,
  GRACE,
  labelsOf,
  leaseFact,
  liveFact,
  lockFact,
  NOW,
  namespaceFact,
  runFact,
  stackFact,
  stackOf,
} from "./facts.ts";

const RUN = "orders-11240544-k3fqx";

const kinds = (parts: Partial<ReapFacts>): string[] => orphans(factsOf(parts)).map(({ kind }) => kind);

const ALL: Partial<ReapFacts> = {
  namespaces: [namespaceFact(RUN)],
  stacks: [stackFact(RUN)],
  leases: [leaseFact(RUN)],
  folders: [folderFact(RUN)],
};

test("all of an ended run is an orphan, its stack first", () => {
  const found = orphans(factsOf({ ...ALL, runs: [runFact(RUN)] }));
  expect(found.map(({ kind }) => kind)).toEqual(["stack", "namespace", "lease", "folder"]);
  expect(new Set(found.map(({ run }) => run))).toEqual(new Set([RUN]));
  expect(found[1]).toMatchObject({ ofRun: "ended", why: "its run has ended: succeeded", id: `uid-${RUN}` });
});

test("of a run that the ledger does not know it says so", () => {
  const found = orphans(factsOf(ALL)).filter(({ kind }) => kind !== "folder");
  expect(found.map(({ ofRun }) => ofRun)).toEqual(["unknown", "unknown", "unknown"]);
});

test.each(["queued", "planning", "creating", "running", "finishing", "destroying", "kept"] as const)(
  "nothing of a run that is %s is an orphan",
  (state) => {
    expect(kinds({ ...ALL, locks: [lockFact(RUN)], runs: [liveFact(RUN, { state })] })).toEqual([]);
  },
);

test("a run that was kept after its job's end is live", () => {
  expect(kinds({ ...ALL, runs: [liveFact(RUN, { state: "kept", endedAt: ago(60) })] })).toEqual([]);
});

test("a run is live by its row also where its plan is not in it yet, or the next attempt has begun", () => {
  const row = liveFact(RUN, { attempt: 0, stack: undefined });
  expect(
    kinds({
      stacks: [stackFact(RUN, { state: { objects: 0, run: undefined, environment: undefined } })],
      runs: [row],
    }),
  ).toEqual([]);
  const second = { stack: stackOf(RUN, 2), state: undefined };
  expect(kinds({ stacks: [stackFact(RUN, second)], runs: [liveFact(RUN)] })).toEqual([]);
});

test("an earlier attempt's namespace of a live run is left to its helper", () => {
  expect(
    kinds({
      namespaces: [namespaceFact(RUN)],
      runs: [liveFact(RUN, { attempt: 3, stack: stackOf(RUN, 3) })],
    }),
  ).toEqual([]);
});

test("a run that has ended within the grace time may still be at its end", () => {
  expect(kinds({ ...ALL, runs: [runFact(RUN, { endedAt: NOW - GRACE + 1 })] })).toEqual(["folder"]);
  expect(kinds({ namespaces: [namespaceFact(RUN)], runs: [runFact(RUN, { endedAt: NOW - GRACE })] })).toEqual(
    ["namespace"],
  );
});

describe("a namespace is not touched", () => {
  const without = (label: string) =>
    Object.fromEntries(Object.entries(labelsOf(RUN)).filter(([key]) => key !== label));
  test.each([
    "app.kubernetes.io/managed-by",
    "mayfly.dev/run",
    "mayfly.dev/tenant",
    "mayfly.dev/job",
    "mayfly.dev/attempt",
    "mayfly.dev/role",
    "mayfly.dev/environment",
  ])("without the label %s", (label) => {
    expect(kinds({ namespaces: [namespaceFact(RUN, { labels: without(label) })] })).toEqual([]);
  });
  test("of another manager, role or environment", () => {
    for (const other of [
      { "app.kubernetes.io/managed-by": "helm" },
      { "mayfly.dev/role": "tenant" },
      { "mayfly.dev/environment": "staging" },
    ])
      expect(kinds({ namespaces: [namespaceFact(RUN, { labels: { ...labelsOf(RUN), ...other } })] })).toEqual(
        [],
      );
  });
  test("with a name that Mayfly does not give to that run", () => {
    expect(kinds({ namespaces: [namespaceFact(RUN, { name: "acme-orders" })] })).toEqual([]);
    expect(kinds({ namespaces: [namespaceFact(RUN, { labels: labelsOf(RUN, 2) })] })).toEqual([]);
  });
  test("of a tenant, whatever its labels", () => {
    const name = stackOf(RUN);
    expect(kinds({ namespaces: [namespaceFact(RUN)], tenantNamespaces: [name] })).toEqual([]);
  });
  test("younger than the grace time, made in the future, or of unknown age", () => {
    for (const createdAt of [NOW - GRACE + 1, NOW + 1, undefined])
      expect(kinds({ namespaces: [namespaceFact(RUN, { createdAt })] })).toEqual([]);
  });
});

describe("a stack", () => {
  test("whose state can't be read is told apart", () => {
    const [found] = orphans(
      factsOf({ stacks: [stackFact(RUN, { state: undefined })], runs: [runFact(RUN)] }),
    );
    expect(found).toMatchObject({
      kind: "state",
      run: RUN,
      why: "its run has ended: succeeded; its state can't be read",
    });
  });
  test("of another environment is left: its things are in a cluster that is not looked at", () => {
    const state = { objects: 3, run: RUN, environment: "staging" };
    expect(kinds({ stacks: [stackFact(RUN, { state })] })).toEqual([]);
    expect(kinds({ stacks: [stackFact(RUN)], runs: [runFact(RUN, { environment: "staging" })] })).toEqual([]);
  });
  test("with things that say nothing of their environment is left", () => {
    expect(
      kinds({ stacks: [stackFact(RUN, { state: { objects: 1, run: undefined, environment: undefined } })] }),
    ).toEqual([]);
  });
  test("stays while its namespace is younger than the grace time", () => {
    expect(
      kinds({ stacks: [stackFact(RUN)], namespaces: [namespaceFact(RUN, { createdAt: ago(1) })] }),
    ).toEqual([]);
  });
  test("whose name says one run and whose labels another is live when either is", () => {
    const other = "orders-11240544-zzzzz";
    const runs = [runFact(RUN), liveFact(other)];
    expect(
      kinds({ runs, stacks: [stackFact(RUN, { state: { objects: 1, run: other, environment: "prod" } })] }),
    ).toEqual([]);
  });
});

describe("a lease", () => {
  test("that was renewed in the last two minutes protects all of its run, whatever ledger and grace say", () => {
    const leases = [leaseFact(RUN, { renewedAt: NOW - 119_000 })];
    for (const runs of [[], [runFact(RUN)]])
      expect(kinds({ ...ALL, leases, runs, graceMs: 1000, folders: [] })).toEqual([]);
  });
  test("of a holder whose clock is ahead protects too", () => {
    expect(kinds({ ...ALL, leases: [leaseFact(RUN, { renewedAt: NOW + 3_600_000 })], folders: [] })).toEqual(
      [],
    );
  });
  test("that was given back protects nothing, and goes once it is old enough", () => {
    expect(kinds({ leases: [leaseFact(RUN, { holder: "" })], runs: [runFact(RUN)] })).toEqual(["lease"]);
    expect(
      kinds({ leases: [leaseFact(RUN, { holder: "", renewedAt: ago(1) })], runs: [runFact(RUN)] }),
    ).toEqual([]);
  });
  test("of another name than its run, or outside of tenants' namespaces, is not Mayfly's", () => {
    expect(kinds({ leases: [leaseFact(RUN, { name: "leader" })] })).toEqual([]);
    expect(kinds({ leases: [leaseFact(RUN, { namespace: "kube-system" })] })).toEqual([]);
  });
});

describe("a lock", () => {
  test("without a stack is an orphan, unless its process lives", () => {
    expect(kinds({ locks: [lockFact(RUN)] })).toEqual(["lock"]);
    expect(kinds({ locks: [lockFact(RUN, { ownerLives: undefined })] })).toEqual(["lock"]);
    expect(kinds({ locks: [lockFact(RUN, { ownerLives: true })] })).toEqual([]);
  });
  test("of a stack that is there goes with it", () => {
    expect(kinds({ locks: [lockFact(RUN)], stacks: [stackFact(RUN)] })).toEqual(["stack"]);
  });
});

describe("a work folder", () => {
  test("in which a process works, or nobody can tell, stays", () => {
    for (const inUse of [true, undefined])
      expect(kinds({ folders: [folderFact(RUN, { inUse })] })).toEqual([]);
  });
});
