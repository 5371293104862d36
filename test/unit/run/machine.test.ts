import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import {
  deadlineMessage,
  deadlineOutcome,
  diagram,
  type Effect,
  type MachineEvent,
  type NewRun,
  newRun,
  type RunFacts,
  type RunState,
  reduce,
} from "../../../jobs/run/machine.ts";
import { Outcome } from "../../../schema/outcome.ts";
import { eventsAt, FACTS, FOREGROUND, KEPT, OUTCOMES } from "./machine-walk.ts";

const TERMINAL = new Set(["succeeded", "suspended", "failed", "cancelled", "lost", "refused"]);

/** The states and effects that events lead to, one after the other. */
function follow(events: readonly MachineEvent[], facts = FACTS) {
  let state = newRun(facts);
  const effects: Effect[][] = [];
  for (const event of events) {
    const step = reduce(state, event);
    ({ state } = step);
    effects.push([...step.effects]);
  }
  return { state, effects, last: (effects.at(-1) ?? []).map(({ type }) => type) };
}

const fence = 1;
const PLANNING: readonly MachineEvent[] = [
  { type: "submitted" },
  { type: "claimed" },
  { type: "leaseAcquired", fence },
];
const CREATING: readonly MachineEvent[] = [
  ...PLANNING,
  { type: "planned", fence },
  { type: "stackCreated", fence },
];
const RUNNING: readonly MachineEvent[] = [
  ...CREATING,
  { type: "objectsExist", fence },
  { type: "driverStarted", fence },
];
const DESTROYED: readonly MachineEvent[] = [
  { type: "logsSaved", fence },
  { type: "destroyed", fence, left: [] },
  { type: "stackRemoved", fence },
];

const verdict = (index: number): MachineEvent => ({
  type: "verdict",
  fence,
  outcome: OUTCOMES[index] ?? { kind: "succeeded" },
});

describe("the life of a run", () => {
  test("that goes well", () => {
    const { state, effects } = follow([...RUNNING, verdict(0), ...DESTROYED]);
    expect(state).toMatchObject({ phase: "succeeded", left: [] });
    expect(effects.map((list) => list.map(({ type }) => type).join("+"))).toEqual([
      "",
      "acquireLease",
      "plan",
      "createStack",
      "up+watch",
      "",
      "",
      "stop+saveLogs",
      "destroy",
      "removeStack",
      "report+releaseLease",
    ]);
  });

  test("that is cancelled while its objects are made: stopped, destroyed, never a pod afterwards", () => {
    const cancelled: MachineEvent[] = [...CREATING, { type: "cancelRequested" }];
    expect(follow(cancelled).last).toEqual(["stop", "saveLogs"]);
    const ended = follow([...cancelled, { type: "driverStarted", fence }, verdict(0), ...DESTROYED]);
    expect(ended.state).toMatchObject({ phase: "cancelled" });
  });

  test("whose node is lost is tried again as often as the budget says, then has failed", () => {
    const attempts = (count: number): MachineEvent[] =>
      Array.from({ length: count }, (_, index): MachineEvent[] => {
        const at = index + 1;
        const again: MachineEvent = { type: "retryDue", attempt: at };
        const claim: MachineEvent = index === 0 ? { type: "claimed" } : again;
        const events: MachineEvent[] = [claim, { type: "leaseAcquired", fence: at }];
        const answers = [...RUNNING.slice(3), verdict(3), ...DESTROYED];
        return [...events, ...answers.map((event) => ({ ...event, fence: at }))];
      }).flat();
    const budget = { user: 0, outOfMemory: 0, infrastructure: 2 };
    const run = (count: number) => follow([{ type: "submitted" }, ...attempts(count)], { ...FACTS, budget });
    expect(run(1).state).toMatchObject({
      phase: "queued",
      facts: { attempt: 2, failed: ["infrastructure"] },
    });
    expect(run(1).last).toEqual(["report", "releaseLease", "scheduleRetry"]);
    expect(run(2).state).toMatchObject({ phase: "queued", facts: { attempt: 3 } });
    expect(run(3).state).toMatchObject({ phase: "failed", outcome: { kind: "infrastructure" } });
  });

  test("that waits for its further attempt is not woken by the timer of another one", () => {
    const { state } = follow([...RUNNING, verdict(3), ...DESTROYED]);
    expect(reduce(state, { type: "retryDue", attempt: 1 })).toEqual({ state, effects: [] });
    expect(reduce(state, { type: "retryDue", attempt: 2 }).effects).toEqual([
      { type: "acquireLease", knownFence: 1 },
    ]);
  });

  test("whose worker ran out of memory is planned with more for workers, if that is wanted", () => {
    const events: MachineEvent[] = [
      ...RUNNING,
      verdict(2),
      ...DESTROYED,
      { type: "retryDue", attempt: 2 },
      { type: "leaseAcquired", fence: 2 },
    ];
    const planned = (memory: { driver: number; workers: number }) => [{ type: "plan", attempt: 2, memory }];
    expect(follow(events).effects.at(-1)).toEqual(planned({ driver: 1, workers: 1.5 }));
    const same = follow(events, { ...FACTS, memoryFactor: 1 });
    expect(same.effects.at(-1)).toEqual(planned({ driver: 1, workers: 1 }));
  });

  test.each([
    ["driver", { driver: 1, workers: 0 }],
    ["worker", { driver: 0, workers: 1 }],
    ["master", { driver: 0, workers: 0 }],
  ])("whose %s ran out of memory remembers that", (container, counts) => {
    const outcome = { ...(OUTCOMES[2] ?? { kind: "succeeded" }), container };
    const { state } = follow([
      ...RUNNING,
      { type: "verdict", fence, outcome: Outcome.parse(outcome) },
      ...DESTROYED,
    ]);
    expect(state.facts.memory).toEqual({ factor: 1.5, ...counts });
  });

  test("of which something is left is over, whatever its budget, and its lease object stays", () => {
    const { state, effects } = follow([
      ...RUNNING,
      verdict(3),
      { type: "logsSaved", fence },
      { type: "destroyed", fence, left: ["Namespace acme-pi-1"] },
    ]);
    expect(state).toMatchObject({ phase: "failed", left: ["Namespace acme-pi-1"] });
    expect(effects.at(-1)).toContainEqual({ type: "releaseLease", fence, remove: false });
  });

  test("whose destroy fails is destroyed again, later and later, until the deadline tells what is left", () => {
    const away: MachineEvent = { type: "failed", fence, step: "destroy", message: "API server away" };
    const failing = [...RUNNING, verdict(0), { type: "logsSaved", fence } as const];
    const again = follow([...failing, away, away, away]);
    expect(again.state).toMatchObject({ phase: "destroying", tries: 3 });
    expect(again.last).toEqual(["destroy"]);
    const over = follow([...failing, away, { type: "deadline", fence, name: "destroy", limitSeconds: 600 }]);
    expect(over.state).toMatchObject({ phase: "succeeded", left: ["Run pi-1 (not proven gone)"] });
  });

  test("that is kept is left up without a holder, until someone wants it removed", () => {
    const facts = KEPT;
    const events = [...RUNNING, verdict(1), { type: "logsSaved", fence } as const];
    expect(follow(events, facts)).toMatchObject({
      state: { phase: "kept" },
      last: ["report", "releaseLease"],
    });
    const removal: MachineEvent[] = [...events, { type: "removalRequested" }];
    expect(follow(removal, facts).effects.at(-1)).toEqual([{ type: "acquireLease", knownFence: 1 }]);
    const recovered: MachineEvent[] = [
      ...removal,
      { type: "leaseAcquired", fence: 2 },
      { type: "recovered", fence: 2 },
    ];
    expect(follow(recovered, facts)).toMatchObject({ state: { phase: "destroying" }, last: ["destroy"] });
  });

  test("that is kept is so at its last attempt only", () => {
    const facts = KEPT;
    const again: MachineEvent[] = [...RUNNING, verdict(3), { type: "logsSaved", fence }];
    expect(follow(again, facts)).toMatchObject({ state: { phase: "destroying" }, last: ["destroy"] });
    const cancelled: MachineEvent[] = [
      ...RUNNING,
      verdict(3),
      { type: "cancelRequested" },
      { type: "logsSaved", fence },
    ];
    // It would have been tried again: who cancelled it sees it as cancelled, and has the cluster to look at.
    expect(follow(cancelled, facts).state).toMatchObject({ phase: "kept", outcome: { kind: "cancelled" } });
  });

  test("that was kept although it had a budget left is not tried again when its removal is done", () => {
    const { state } = follow(
      [
        ...RUNNING,
        verdict(3),
        { type: "deadline", fence, name: "run", limitSeconds: 90 },
        { type: "logsSaved", fence },
        { type: "removalRequested" },
        { type: "leaseAcquired", fence: 2 },
        { type: "recovered", fence: 2 },
        { type: "cancelRequested" },
        { type: "destroyed", fence: 2, left: [] },
        { type: "stackRemoved", fence: 2 },
      ],
      KEPT,
    );
    expect(state).toMatchObject({ phase: "failed", outcome: { kind: "infrastructure" } });
  });

  test("that can't be put in order is only destroyed, after five tries", () => {
    const away: MachineEvent = { type: "failed", fence: 2, step: "recover", message: "API server away" };
    const events: MachineEvent[] = [
      ...RUNNING,
      { type: "helperRestarted" },
      { type: "leaseAcquired", fence: 2 },
    ];
    expect(follow([...events, away, away, away, away])).toMatchObject({
      state: { phase: "recovering" },
      last: ["recover"],
    });
    expect(follow([...events, away, away, away, away, away])).toMatchObject({
      state: { phase: "destroying", outcome: { kind: "infrastructure" } },
      last: ["destroy"],
    });
  });

  test("that is over gives a lease back that came too late, with its object; one that waits keeps the object", () => {
    const late: MachineEvent = { type: "leaseAcquired", fence: 5 };
    const over = follow([{ type: "submitted" }, { type: "claimed" }, { type: "cancelRequested" }, late]);
    expect(over.effects.at(-1)).toEqual([{ type: "releaseLease", fence: 5, remove: true }]);
    const waits = follow([{ type: "submitted" }, late]);
    expect(waits.effects.at(-1)).toEqual([{ type: "releaseLease", fence: 5, remove: false }]);
  });

  test("whose helper died while it ran is put in order and watched on by the next", () => {
    const events: MachineEvent[] = [
      ...RUNNING,
      { type: "helperRestarted" },
      { type: "leaseAcquired", fence: 2 },
    ];
    expect(follow(events)).toMatchObject({ state: { phase: "recovering" }, last: ["recover"] });
    const on = follow([...events, { type: "recovered", fence: 2 }]);
    expect(on).toMatchObject({ state: { phase: "running", lease: 2 }, last: ["watch"] });
    // What the old one's watch says now is no news.
    expect(reduce(on.state, verdict(0)).state).toBe(on.state);
  });
});

describe("a stream", () => {
  const SUSPENDING: readonly MachineEvent[] = [...RUNNING, { type: "suspendRequested", trigger: "5f1c0e" }];
  const savepoint = "s3://acme-state/savepoints/savepoint-1";

  test("that is suspended is stopped with a savepoint, then destroyed as any run", () => {
    const { state, effects } = follow([
      ...SUSPENDING,
      // Its own stop, seen by the watch.
      verdict(0),
      { type: "savepointTaken", fence, savepoint },
      ...DESTROYED,
    ]);
    expect(state).toMatchObject({ phase: "suspended", outcome: { kind: "suspended", savepoint }, left: [] });
    expect(effects.slice(RUNNING.length).map((list) => list.map(({ type }) => type).join("+"))).toEqual([
      "suspend",
      "",
      "stop+saveLogs",
      "destroy",
      "removeStack",
      "report+releaseLease",
    ]);
  });

  test("that could not be suspended runs on", () => {
    const { state, last } = follow([
      ...SUSPENDING,
      { type: "failed", fence, step: "suspend", message: "S3" },
    ]);
    expect(state.phase).toBe("running");
    expect(last).toEqual(["watch", "notSuspended"]);
  });

  test("whose JobManager is lost while it is suspended is tried again; cancelled, it is cancelled", () => {
    expect(follow([...SUSPENDING, verdict(4), ...DESTROYED]).state).toMatchObject({
      phase: "queued",
      facts: { attempt: 2 },
    });
    expect(follow([...SUSPENDING, { type: "cancelRequested" }, ...DESTROYED]).state.phase).toBe("cancelled");
  });

  test("that has run for long may fail as often again", () => {
    const facts: NewRun = { ...FACTS, budget: { ...FACTS.budget, infrastructure: 1 } };
    const again: readonly MachineEvent[] = [
      { type: "retryDue", attempt: 2 },
      { type: "leaseAcquired", fence: 2 },
      { type: "planned", fence: 2 },
      { type: "stackCreated", fence: 2 },
      { type: "objectsExist", fence: 2 },
      { type: "driverStarted", fence: 2 },
    ];
    const { state } = follow(
      [...RUNNING, verdict(3), ...DESTROYED, ...again, { type: "steady", fence: 2 }],
      facts,
    );
    expect(state).toMatchObject({ phase: "running", facts: { attempt: 2, failed: [] } });
  });

  test("that waits in the queue, or has not begun to run, is not suspended: the wish waits", () => {
    for (const events of [PLANNING, CREATING]) {
      const { state } = follow(events);
      expect(reduce(state, { type: "suspendRequested", trigger: "5f1c0e" }).state).toBe(state);
    }
  });
});

describe("a run in the foreground", () => {
  const again = [...RUNNING, verdict(3), ...DESTROYED];

  test("keeps its lease while it waits for its next attempt, and then goes on at once", () => {
    const waits = follow(again, FOREGROUND);
    expect(waits.state).toMatchObject({ phase: "waiting", lease: 1, facts: { attempt: 2 } });
    expect(waits.last).toEqual(["report", "scheduleRetry"]);
    const due = follow([...again, { type: "retryDue", attempt: 2 }], FOREGROUND);
    expect(due).toMatchObject({ state: { phase: "planning", lease: 1 }, last: ["plan"] });
  });

  test("that is cancelled while it waits is over", () => {
    const { state, last } = follow([...again, { type: "cancelRequested" }], FOREGROUND);
    expect(state).toMatchObject({ phase: "cancelled" });
    expect(last).toEqual(["stop", "report", "releaseLease"]);
  });

  test("that is refused before anything is made is forgotten; a later attempt has failed", () => {
    const outcome: Outcome = { kind: "infrastructure", message: "The API server is away." };
    const first = follow([...CREATING.slice(0, 4), { type: "refused", fence, outcome }], FOREGROUND);
    expect(first).toMatchObject({ state: { phase: "refused" }, last: ["stop", "forget", "releaseLease"] });
    const second = follow(
      [
        ...again,
        { type: "retryDue", attempt: 2 },
        { type: "planned", fence },
        { type: "refused", fence, outcome },
      ],
      { ...FOREGROUND, budget: { user: 0, outOfMemory: 0, infrastructure: 1 } },
    );
    expect(second.state).toMatchObject({ phase: "failed", outcome });
    const detached = follow([...CREATING.slice(0, 4), { type: "refused", fence, outcome }]);
    expect(detached.state).toMatchObject({ phase: "queued", facts: { attempt: 2 } });
  });

  test("whose lease can't be had never was", () => {
    const { state, last } = follow([...PLANNING.slice(0, 2), { type: "leaseRefused" }], FOREGROUND);
    expect(state).toMatchObject({ phase: "refused" });
    expect(last).toEqual(["stop", "forget"]);
  });

  test("whose lease went wants it back, and is watched on", () => {
    const lost = follow([...RUNNING, { type: "leaseLost", fence }], FOREGROUND);
    expect(lost.last).toEqual(["stop", "acquireLease"]);
    const back: MachineEvent[] = [
      ...RUNNING,
      { type: "leaseLost", fence },
      { type: "leaseAcquired", fence: 2 },
      { type: "recovered", fence: 2 },
    ];
    expect(follow(back, FOREGROUND)).toMatchObject({ state: { phase: "running" }, last: ["watch"] });
  });

  test.each([
    ["before it had its lease", PLANNING.slice(0, 2)],
    ["while it planned", PLANNING],
    ["while it was made", CREATING],
    ["while it ran", RUNNING],
  ])("whose helper died %s is destroyed, and was lost", (_when, before) => {
    const after: MachineEvent[] = [
      ...before,
      { type: "helperRestarted" },
      { type: "leaseAcquired", fence: 2 },
      { type: "recovered", fence: 2 },
      { type: "logsSaved", fence: 2 },
    ];
    expect(follow(after, KEPT)).toMatchObject({ state: { phase: "destroying" }, last: ["destroy"] });
    const ended = follow(
      [...after, { type: "destroyed", fence: 2, left: [] }, { type: "stackRemoved", fence: 2 }],
      KEPT,
    );
    expect(ended.state).toMatchObject({ phase: "lost", outcome: { kind: "lost" } });
  });

  test("whose helper died between two attempts was lost, and there is nothing to destroy", () => {
    const events: MachineEvent[] = [
      ...again,
      { type: "helperRestarted" },
      { type: "leaseAcquired", fence: 2 },
    ];
    expect(follow(events, FOREGROUND)).toMatchObject({
      state: { phase: "lost" },
      last: ["report", "releaseLease"],
    });
  });

  test("whose helper died after the verdict keeps that", () => {
    const events: MachineEvent[] = [
      ...RUNNING,
      verdict(0),
      { type: "helperRestarted" },
      { type: "leaseAcquired", fence: 2 },
    ];
    expect(follow(events, FOREGROUND).state).toMatchObject({ outcome: { kind: "succeeded" } });
  });
});

test("a run that someone wants gone is destroyed, not carried on; what it left is removed under its outcome", () => {
  const gone: MachineEvent[] = [
    ...RUNNING,
    { type: "helperRestarted" },
    { type: "removalRequested" },
    { type: "leaseAcquired", fence: 2 },
    { type: "recovered", fence: 2 },
  ];
  expect(follow(gone)).toMatchObject({
    state: { phase: "finishing", outcome: { kind: "lost" } },
    last: ["saveLogs"],
  });
  const left: MachineEvent[] = [
    ...RUNNING,
    verdict(0),
    { type: "logsSaved", fence },
    { type: "destroyed", fence, left: ["Namespace acme-pi-1"] },
    { type: "removalRequested" },
    { type: "leaseAcquired", fence: 2 },
    { type: "recovered", fence: 2 },
    { type: "destroyed", fence: 2, left: [] },
    { type: "stackRemoved", fence: 2 },
  ];
  expect(follow(left)).toMatchObject({ state: { phase: "succeeded", left: [] } });
});

describe("deadlines", () => {
  const names = ["plan", "create", "pending", "image", "start", "run", "recover", "logs", "destroy"] as const;

  test("each has its own message, with its limit", () => {
    const messages = names.map((name) => deadlineMessage(name, 90));
    expect(new Set(messages).size).toBe(names.length);
    for (const message of messages) expect(message).toContain("90 s");
  });

  test.each([
    ["pending", "deadline"],
    ["image", "deadline"],
    ["start", "deadline"],
    ["run", "deadline"],
    ["create", "infrastructure"],
  ] as const)("%s, while objects are made, ends the attempt as %s", (name, kind) => {
    const { state, last } = follow([...CREATING, { type: "deadline", fence, name, limitSeconds: 90 }]);
    expect(state).toMatchObject({ phase: "finishing", outcome: { kind } });
    expect(last).toEqual(["stop", "saveLogs"]);
    expect(deadlineOutcome(name, 90)).toMatchObject(
      kind === "deadline" ? { phase: name, limitSeconds: 90 } : {},
    );
  });

  test("those of a phase that is over are no news", () => {
    const { state } = follow(RUNNING);
    for (const name of ["plan", "create", "start", "logs", "destroy", "recover"] as const) {
      expect(reduce(state, { type: "deadline", fence, name, limitSeconds: 90 }).state).toBe(state);
    }
  });

  test("the run's own, while it is destroyed, takes the further attempt away but not the outcome", () => {
    const { state } = follow([
      ...RUNNING,
      verdict(3),
      { type: "deadline", fence, name: "run", limitSeconds: 90 },
      ...DESTROYED,
    ]);
    expect(state).toMatchObject({ phase: "failed", outcome: { kind: "infrastructure" } });
  });
});

/** A random life: any events in any order, those that belong to the state more often, late and twice. */
const life = fc
  .record({
    budget: fc.record({
      user: fc.nat(2),
      outOfMemory: fc.nat(2),
      infrastructure: fc.nat(2),
    }),
    mode: fc.constantFrom<NewRun["mode"]>(
      { kind: "detached" },
      { kind: "foreground", keep: false },
      { kind: "foreground", keep: true },
    ),
    picks: fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 0, 0, 0, -1, 1), fc.boolean()), {
      minLength: 50,
      maxLength: 400,
    }),
  })
  .map(({ budget, mode, picks }) => {
    const facts: NewRun = { run: "pi-1", budget, mode, memoryFactor: 1.5 };
    const events: MachineEvent[] = [];
    const states: RunState[] = [newRun(facts)];
    const effects: (readonly Effect[])[] = [];
    for (const [number, shift, fitting] of picks) {
      const state = states.at(-1) ?? newRun(facts);
      const all = eventsAt(Math.max(0, state.facts.fence + shift), state.facts.attempt);
      // Cancelling, dying and losing the lease too often would end every life early.
      const rare = new Set([
        "cancelRequested",
        "leaseLost",
        "leaseRefused",
        "helperRestarted",
        "refused",
        "deadline",
      ]);
      const forward = all.filter((event) => reduce(state, event).state !== state && !rare.has(event.type));
      const from = fitting && forward.length > 0 ? forward : all;
      const event = from[number % from.length];
      if (event === undefined) continue;
      const step = reduce(state, event);
      events.push(event);
      states.push(step.state);
      effects.push(step.effects);
    }
    return { facts, events, states, effects };
  });

describe("whatever happens, in whatever order, late or twice", () => {
  test("never two terminal states, never at work without a lease that was given and not lost", () => {
    fc.assert(
      fc.property(life, ({ events, states, effects }) => {
        let lease: number | undefined;
        let newest = 0;
        for (const [index, event] of events.entries()) {
          if (event.type === "leaseAcquired" && event.fence > newest) lease = newest = event.fence;
          if (event.type === "leaseLost" && event.fence === lease) lease = undefined;
          if (event.type === "helperRestarted") lease = undefined;
          const released = effects[index]?.find((effect) => effect.type === "releaseLease");
          if (released !== undefined) expect(released).toMatchObject({ fence: lease });
          if (released !== undefined) lease = undefined;
          const state = states[index + 1];
          if (state !== undefined && "lease" in state) expect(state.lease).toBe(lease);
        }
        const ends = states.filter(({ phase }) => TERMINAL.has(phase)).map(({ phase }) => phase);
        expect(new Set(ends).size).toBeLessThanOrEqual(1);
        const first = states.findIndex(({ phase }) => TERMINAL.has(phase));
        const cleared = events.findIndex(({ type }, index) => type === "removalRequested" && index >= first);
        const until = cleared < 0 ? states.length : cleared;
        if (first >= 0) for (const { phase } of states.slice(first, until)) expect(phase).toBe(ends[0]);
      }),
      { numRuns: 2000 },
    );
  });

  test("what may exist is destroyed before a further attempt and before the end", () => {
    let ends = 0;
    fc.assert(
      fc.property(life, ({ events, states, effects }) => {
        let mayExist = false;
        let told = false;
        for (const [index, event] of events.entries()) {
          const state = states[index + 1];
          const types = (effects[index] ?? []).map(({ type }) => type);
          if (types.includes("createStack")) [mayExist, told] = [true, false];
          if (types.includes("destroy")) told = true;
          const over = state !== undefined && [...TERMINAL, "queued", "waiting"].includes(state.phase);
          if (!over || !mayExist) continue;
          // Refused: the helper says that nothing is left.
          if (event.type === "refused") {
            mayExist = false;
            continue;
          }
          ends++;
          expect(told).toBe(true);
          // By its answer, or by its deadline, which says what may be left.
          const clean = !("left" in state) || state.left.length === 0;
          if (clean) expect(event.type).toBe("stackRemoved");
          mayExist = false;
        }
      }),
      { numRuns: 2000 },
    );
    expect(ends).toBeGreaterThan(100);
  });

  test("no class of failure has more further attempts than its budget", () => {
    const classes: Record<string, keyof RunFacts["budget"]> = {
      "user-failure": "user",
      "out-of-memory": "outOfMemory",
      infrastructure: "infrastructure",
      lost: "infrastructure",
    };
    let retries = 0;
    fc.assert(
      fc.property(life, ({ facts, events, states, effects }) => {
        const last = states.at(-1);
        if (last === undefined) return;
        const used = { user: 0, outOfMemory: 0, infrastructure: 0 };
        for (const kind of last.facts.failed) {
          const name = classes[kind];
          if (name === undefined) throw new Error(`tried again after ${kind}`);
          used[name]++;
        }
        expect(used.user).toBeLessThanOrEqual(facts.budget.user);
        expect(used.outOfMemory).toBeLessThanOrEqual(facts.budget.outOfMemory);
        expect(used.infrastructure).toBeLessThanOrEqual(facts.budget.infrastructure);
        // Failures before a steady time count no more.
        if (events.some(({ type }) => type === "steady")) return;
        const scheduled = effects.flat().filter(({ type }) => type === "scheduleRetry").length;
        expect(scheduled).toBe(last.facts.attempt - 1);
        retries += scheduled;
      }),
      { numRuns: 2000 },
    );
    expect(retries).toBeGreaterThan(100);
  });
});

test("docs/state-machine.md has the diagram of the table (after a change: MAYFLY_UPDATE=1 npx vitest run --project unit test/unit/run/machine.test.ts)", async () => {
  const file = join(projectDir, "docs", "state-machine.md");
  const page = await readFile(file, "utf8");
  const block = /```mermaid\n[\s\S]*?\n```/;
  const wanted = page.replace(block, () => `\`\`\`mermaid\n${diagram()}\n\`\`\``);
  if (process.env["MAYFLY_UPDATE"] === "1") await writeFile(file, wanted);
  else expect(page).toBe(wanted);
  expect(page).toMatch(block);
});
