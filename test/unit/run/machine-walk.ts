import {
  type DeadlineName,
  type MachineEvent,
  type NewRun,
  newRun,
  type RunState,
  reduce,
} from "../../../jobs/run/machine.ts";
import type { Outcome } from "../../../schema/outcome.ts";

export const OUTCOMES: readonly Outcome[] = [
  { kind: "succeeded" },
  { kind: "user-failure", exitCode: 1, message: "ValueError: bad" },
  {
    kind: "out-of-memory",
    pod: "worker-0",
    container: "worker",
    limitMib: 1024,
    message: "out of memory",
    advice: "more",
  },
  { kind: "infrastructure", message: "node lost" },
  { kind: "lost", message: "pod deleted" },
];

const DEADLINES: readonly DeadlineName[] = [
  "plan",
  "create",
  "pending",
  "image",
  "start",
  "run",
  "suspend",
  "recover",
  "logs",
  "destroy",
];

/** Every event there is, as an answer to the holder with this fence; attempts as given. */
export function eventsAt(fence: number, attempt: number): MachineEvent[] {
  return [
    { type: "submitted" },
    { type: "claimed" },
    { type: "retryDue", attempt },
    { type: "cancelRequested" },
    { type: "suspendRequested", trigger: "5f1c0e" },
    { type: "removalRequested" },
    { type: "helperRestarted" },
    { type: "leaseRefused" },
    { type: "leaseAcquired", fence },
    { type: "leaseLost", fence },
    { type: "planned", fence },
    ...OUTCOMES.slice(3, 4).map((outcome) => ({ type: "refused", fence, outcome }) as const),
    { type: "stackCreated", fence },
    { type: "objectsExist", fence },
    { type: "driverStarted", fence },
    { type: "steady", fence },
    { type: "savepointTaken", fence, savepoint: "s3://acme-state/savepoints/savepoint-1" },
    { type: "recovered", fence },
    { type: "logsSaved", fence },
    { type: "destroyed", fence, left: [] },
    { type: "destroyed", fence, left: ["Namespace acme-pi-1"] },
    { type: "stackRemoved", fence },
    ...OUTCOMES.map((outcome) => ({ type: "verdict", fence, outcome }) as const),
    ...(["plan", "createStack", "up", "watch"] as const).flatMap((step) =>
      OUTCOMES.slice(2, 4).map((outcome) => ({ type: "failed", fence, step, outcome }) as const),
    ),
    ...(["suspend", "recover", "saveLogs", "destroy", "removeStack"] as const).map(
      (step) => ({ type: "failed", fence, step, message: "API server away" }) as const,
    ),
    ...DEADLINES.map((name) => ({ type: "deadline", fence, name, limitSeconds: 60 }) as const),
  ];
}

/** Every event that may come in a state: of the present holder, of the one before, and of the next. */
export function eventsFor({ facts }: RunState): MachineEvent[] {
  const fences = [facts.fence, facts.fence - 1, facts.fence + 1];
  return fences.flatMap((fence) =>
    eventsAt(fence, fence === facts.fence ? facts.attempt : facts.attempt - 1),
  );
}

export const FACTS: NewRun = {
  run: "pi-1",
  budget: { user: 0, outOfMemory: 1, infrastructure: 1 },
  mode: { kind: "detached" },
  memoryFactor: 1.5,
};
/** With another budget: what failures of two classes do to each other is seen in detached runs. */
export const FOREGROUND: NewRun = {
  ...FACTS,
  budget: { user: 0, outOfMemory: 0, infrastructure: 2 },
  mode: { kind: "foreground", keep: false },
};
export const KEPT: NewRun = { ...FOREGROUND, mode: { kind: "foreground", keep: true } };

/** What makes two states the same for a walk: fences, tries and messages only count on. */
function likeness(state: RunState): string {
  const { facts } = state;
  const more = {
    outcome: "outcome" in state ? state.outcome?.kind : undefined,
    step: "step" in state ? state.step : undefined,
    was: "was" in state ? state.was : undefined,
    asked: "asked" in state ? state.asked : undefined,
    tries: state.phase === "recovering" ? state.tries : undefined,
    left: "left" in state ? state.left.length : undefined,
  };
  const { failed, cancelRequested, overdue, mode } = facts;
  return JSON.stringify([state.phase, more, failed.toSorted(), cancelRequested, overdue, mode]);
}

/** One of each kind of state that any order of events can lead to. */
export function reachable(facts = FACTS): RunState[] {
  const first = newRun(facts);
  const seen = new Map([[likeness(first), first]]);
  const open = [first];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const event of eventsFor(state)) {
      const next: RunState = reduce(state, event).state;
      if (next === state) continue;
      const key = likeness(next);
      if (seen.has(key)) continue;
      seen.set(key, next);
      open.push(next);
    }
  }
  return [...seen.values()];
}
