import fc from "fast-check";
import { expect, test } from "vitest";
import { RunStateName, TERMINAL_STATES } from "../../../jobs/ledger/index.ts";
import { isOurs, LEASE_LIVES_MS, orphans } from "../../../jobs/reap/orphans.ts";
import type { ReapFacts } from "../../../jobs/reap/types.ts";
import {
  factsOf,
  folderFact,
  labelsOf,
  leaseFact,
  lockFact,
  NOW,
  namespaceFact,
  runFact,
  stackFact,
  stackOf,
} from "./facts.ts";

const RUNS = ["orders-11240544-aaaaa", "orders-11240544-bbbbb", "clicks-11240544-ccccc"];

const aRun = fc.constantFrom(...RUNS);
const anAttempt = fc.integer({ min: 1, max: 3 });
const aTime = fc.integer({ min: NOW - 3_600_000, max: NOW + 120_000 });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const labels = fc
  .record({
    run: aRun,
    attempt: anAttempt,
    spoil: fc.option(
      fc.record({
        key: fc.constantFrom(
          "app.kubernetes.io/managed-by",
          "mayfly.dev/run",
          "mayfly.dev/role",
          "mayfly.dev/environment",
        ),
        value: fc.constantFrom("helm", "tenant", "staging", RUNS[0] ?? ""),
      }),
      { nil: undefined, freq: 3 },
    ),
  })
  .map(({ run, attempt, spoil }) => ({
    run,
    attempt,
    labels: { ...labelsOf(run, attempt), ...(spoil === undefined ? {} : { [spoil.key]: spoil.value }) },
  }));

const facts: fc.Arbitrary<ReapFacts> = fc
  .record({
    graceMs: fc.integer({ min: 1000, max: 3_600_000 }),
    runs: fc.uniqueArray(
      fc
        .record({ run: aRun, state: fc.constantFrom(...RunStateName.options), attempt: anAttempt, at: aTime })
        .map(({ run, state, attempt, at }) =>
          runFact(run, {
            state,
            attempt,
            stack: stackOf(run, attempt),
            endedAt: TERMINAL_STATES.some((terminal) => terminal === state) ? at : undefined,
          }),
        ),
      { selector: ({ run }) => run },
    ),
    namespaces: fc.uniqueArray(
      fc
        .record({ of: labels, createdAt: maybe(aTime), terminating: fc.boolean() })
        .map(({ of, createdAt, terminating }) =>
          namespaceFact(of.run, {
            ...{ name: stackOf(of.run, of.attempt), uid: `uid-${of.run}-${of.attempt}` },
            ...{ labels: of.labels, createdAt, terminating },
          }),
        ),
      { selector: ({ name }) => name },
    ),
    leases: fc.uniqueArray(
      fc
        .record({
          of: labels,
          createdAt: aTime,
          renewedAt: maybe(aTime),
          holder: fc.constantFrom("", "h/1/ab"),
        })
        .map(({ of, ...rest }) => leaseFact(of.run, { labels: of.labels, ...rest })),
      { selector: ({ name }) => name },
    ),
    stacks: fc.uniqueArray(
      fc
        .record({
          ...{ run: aRun, attempt: anAttempt, changedAt: aTime },
          state: maybe(
            fc.record({
              objects: fc.integer({ min: 0, max: 3 }),
              run: maybe(aRun),
              environment: fc.constantFrom("prod", "staging", undefined),
            }),
          ),
        })
        .map(({ run, attempt, ...rest }) => stackFact(run, { stack: stackOf(run, attempt), ...rest })),
      { selector: ({ stack }) => stack },
    ),
    locks: fc.array(
      fc
        .record({ run: aRun, changedAt: aTime, ownerLives: fc.constantFrom(true, false, undefined) })
        .map(({ run, ...rest }) => lockFact(run, rest)),
    ),
    folders: fc.array(
      fc
        .record({ run: aRun, changedAt: aTime, inUse: fc.constantFrom(true, false, undefined) })
        .map(({ run, ...rest }) => folderFact(run, rest)),
    ),
  })
  .map(factsOf);

const check = (property: (facts: ReapFacts) => void): void => {
  fc.assert(fc.property(facts, property), { numRuns: 2000 });
};

test("nothing of a live run is ever an orphan, by its labels or by the name of any of its attempts", () => {
  check((given) => {
    const live = given.runs.filter(({ endedAt }) => endedAt === undefined);
    const names = live.flatMap(({ run, attempt }) =>
      Array.from({ length: attempt + 1 }, (_, index) => stackOf(run, index + 1)),
    );
    for (const { kind, run, name } of orphans(given)) {
      expect(live.map((row) => row.run)).not.toContain(run);
      if (kind !== "folder") expect(names).not.toContain(name);
    }
  });
});

test("every namespace that is one was made by Mayfly for this environment, and is as old as the grace time", () => {
  check((given) => {
    for (const { id } of orphans(given).filter(({ kind }) => kind === "namespace")) {
      const namespace = given.namespaces.find(({ uid }) => uid === id);
      expect(namespace !== undefined && isOurs(namespace, given)).toBe(true);
      expect(given.now - (namespace?.createdAt ?? given.now)).toBeGreaterThanOrEqual(given.graceMs);
    }
  });
});

test("nothing is one whose run somebody's lease was renewed for in the last two minutes", () => {
  check((given) => {
    const held = given.leases
      .filter(
        ({ holder, renewedAt, createdAt }) =>
          holder !== "" && NOW - (renewedAt ?? createdAt ?? NOW) < LEASE_LIVES_MS,
      )
      .map(({ labels: { "mayfly.dev/run": run } }) => run);
    for (const { kind, run } of orphans(given))
      if (kind !== "folder" && run !== undefined) expect(held).not.toContain(run);
  });
});

test("more grace, or one more live run, only ever makes the list shorter", () => {
  const keys = (given: ReapFacts): string[] => orphans(given).map(({ kind, id }) => `${kind} ${id}`);
  check((given) => {
    const before = new Set(keys(given));
    const patient = keys({ ...given, graceMs: given.graceMs * 2 });
    expect(patient.filter((key) => !before.has(key))).toEqual([]);
    const runs = given.runs.map((row) => (row.run === RUNS[0] ? { ...row, state: "running" as const } : row));
    expect(keys({ ...given, runs }).filter((key) => !before.has(key))).toEqual([]);
  });
});

test("each thing is listed at most once, and only what was looked at", () => {
  check((given) => {
    const ids = orphans(given).map(({ kind, id, name }) => `${kind} ${name} ${id}`);
    const all =
      given.namespaces.length +
      given.leases.length +
      given.stacks.length +
      given.locks.length +
      given.folders.length;
    expect(ids.length).toBeLessThanOrEqual(all);
    const stacks = orphans(given).filter(({ kind }) => kind === "stack" || kind === "state");
    expect(new Set(stacks.map(({ name }) => name)).size).toBe(stacks.length);
  });
});

test("what is planted among live and foreign things is found, all of it", () => {
  fc.assert(
    fc.property(fc.subarray(RUNS, { minLength: 1 }), fc.constantFrom(...TERMINAL_STATES), (ended, state) => {
      const given = factsOf({
        runs: RUNS.map((run) =>
          ended.includes(run)
            ? runFact(run, { state })
            : runFact(run, { state: "running", endedAt: undefined }),
        ),
        namespaces: RUNS.map((run) => namespaceFact(run)),
      });
      expect(
        orphans(given)
          .map(({ run }) => run)
          .toSorted(),
      ).toEqual(ended.toSorted());
    }),
  );
});
