import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Observation } from "../../../jobs/watch/observe.ts";
import { verdict } from "../../../jobs/watch/verdict.ts";
import {
  at,
  bothWorkers,
  driverEnded,
  ended,
  event,
  judged,
  line,
  observe,
  plan,
  running,
  START,
  sawPod,
  underWay,
} from "./scenario.ts";

/** Facts of whole runs, each with the one kind of outcome that it must have long after the last fact. */
const runs: readonly {
  readonly name: string;
  readonly kind: string;
  readonly facts: readonly Observation[];
}[] = [
  { name: "success", kind: "succeeded", facts: [...underWay(), driverEnded(30, 0)] },
  {
    name: "success, then removed",
    kind: "succeeded",
    facts: [
      ...underWay(),
      driverEnded(30, 0),
      sawPod(32, "coordinator", { deletedAt: 32, phase: "Succeeded", state: { driver: ended(0, 30) } }),
      { type: "pod-gone", at: at(33), uid: "uid-coordinator-x7k2p" },
      { type: "namespace", at: at(33), uid: "uid-namespace", state: "gone", deletedAt: at(32) },
    ],
  },
  { name: "exit code", kind: "user-failure", facts: [...underWay(), driverEnded(30, 3)] },
  {
    name: "out of memory",
    kind: "out-of-memory",
    facts: [...underWay(), driverEnded(30, 137, { state: { driver: ended(137, 30, "OOMKilled") } })],
  },
  {
    name: "executor killed",
    kind: "out-of-memory",
    facts: [
      ...underWay(),
      line(12, 1, "ERROR TaskSchedulerImpl: Lost executor 0 on 10.244.0.22: Command exited with code 137"),
      line(29, 2, "org.apache.spark.SparkException: Master removed our application: FAILED"),
      driverEnded(30, 1),
    ],
  },
  {
    name: "evicted",
    kind: "lost",
    facts: [
      ...underWay(),
      sawPod(28, "coordinator", {
        conditions: [
          {
            type: "DisruptionTarget",
            status: "True",
            reason: "EvictionByEvictionAPI",
            lastTransitionTime: new Date(at(27)).toISOString(),
          },
        ],
        state: { master: running(), driver: running() },
      }),
      driverEnded(30, 143, {
        conditions: [
          {
            type: "DisruptionTarget",
            status: "True",
            reason: "EvictionByEvictionAPI",
            lastTransitionTime: new Date(at(27)).toISOString(),
          },
        ],
      }),
    ],
  },
  {
    name: "deleted, ended with 0 afterwards",
    kind: "lost",
    facts: [
      ...underWay(),
      sawPod(25, "coordinator", { deletedAt: 25, state: { driver: running() } }),
      driverEnded(30, 0, { deletedAt: 25 }),
    ],
  },
  {
    name: "gone",
    kind: "lost",
    facts: [...underWay(), { type: "pod-gone", at: at(25), uid: "uid-coordinator-x7k2p" }],
  },
  {
    name: "never pull",
    kind: "image",
    facts: [
      sawPod(3, "coordinator", {
        phase: "Pending",
        state: { master: { waiting: { reason: "ErrImageNeverPull", message: "not present" } } },
      }),
      ...bothWorkers(4, {
        state: { worker: { waiting: { reason: "ErrImageNeverPull", message: "not present" } } },
      }),
    ],
  },
  {
    name: "quota",
    kind: "refused",
    facts: [
      sawPod(3, "coordinator", { state: { master: running(), driver: running() } }),
      event(
        3,
        "FailedCreate",
        'create Pod workers-0 in StatefulSet workers failed error: pods "workers-0" is forbidden: exceeded quota: plan, requested: pods=1, used: pods=1, limited: pods=1',
        { kind: "StatefulSet", name: "workers" },
      ),
    ],
  },
];

const shuffled = (facts: readonly Observation[]) =>
  fc
    .tuple(
      fc.shuffledSubarray([...facts], { minLength: facts.length }),
      fc.array(fc.constantFrom(...facts), { maxLength: 10 }),
    )
    .map(([all, again]) => [...all, ...again]);

const END = 80;

describe("the reducer and the verdict", () => {
  it.each(runs)(
    "come to the same outcome in any order and with facts told twice: $name",
    ({ kind, facts }) => {
      expect(judged(facts, END)?.kind).toBe(kind);
      const expected = judged(facts, END);
      fc.assert(
        fc.property(shuffled(facts), (order) => {
          expect(judged(order, END)).toEqual(expected);
        }),
      );
    },
  );

  it.each(runs)("keep their outcome as time goes on: $name", ({ facts }) => {
    const known = observe(facts);
    const first = verdict(known, plan, START, at(END));
    fc.assert(
      fc.property(fc.integer({ min: END, max: 5000 }), (second) => {
        expect(verdict(known, plan, START, at(second))?.kind).toBe(first?.kind);
      }),
    );
  });

  it("never call a run succeeded without the driver's own exit code 0 from before its removal", () => {
    const anyFact = fc.oneof(
      fc.constantFrom(...runs.flatMap(({ facts }) => facts)),
      fc
        .record({
          second: fc.integer({ min: 1, max: 60 }),
          code: fc.constantFrom(0, 1, 52, 137, 143),
          deletedAt: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
          phase: fc.constantFrom("Succeeded", "Failed", "Running", "Unknown"),
        })
        .map(({ second, code, deletedAt, phase }) =>
          sawPod(second, "coordinator", {
            phase,
            ...(deletedAt === undefined ? {} : { deletedAt }),
            state: { master: ended(0, second), driver: ended(code, second) },
          }),
        ),
    );
    const clean = (facts: readonly Observation[]): boolean =>
      facts.some(
        (fact) =>
          fact.type === "pod" &&
          fact.pod.containers.some(({ name, ended: end }) => name === "driver" && end?.exitCode === 0) &&
          (fact.pod.deletionAskedAt ?? Number.POSITIVE_INFINITY) >
            (fact.pod.containers.find(({ name }) => name === "driver")?.ended?.finishedAt ?? 0),
      );
    fc.assert(
      fc.property(fc.array(anyFact, { maxLength: 20 }), fc.integer({ min: 0, max: 900 }), (facts, second) => {
        const outcome = judged(facts, second);
        if (outcome?.kind === "succeeded") expect(clean(facts)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("never fail on any log line", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 50 }), (texts) => {
        const facts = [
          ...underWay(),
          ...texts.map((text, index) => line(10, index + 1, text)),
          driverEnded(30, 1),
        ];
        expect(["user-failure", "out-of-memory"]).toContain(judged(facts, 30)?.kind);
      }),
    );
  });
});
