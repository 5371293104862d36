import type { Outcome } from "../../schema/outcome.ts";
import { PHASES, type Phase } from "../../schema/report.ts";

/** Points in time that a report measures from the submission. */
export type Milestone = "objectsExist" | "driverStarted" | "result" | "gone";

/** What is known of an attempt while it goes on. Plain data. */
export interface AttemptState {
  /** Entered phases, in order. */
  readonly phases: readonly { readonly phase: Phase; readonly at: Date }[];
  readonly milestones: Readonly<Partial<Record<Milestone, Date>>>;
  readonly outcome: Outcome | undefined;
  /** s3:// locations of saved logs. */
  readonly logs: readonly string[];
  /** What could not be removed. */
  readonly left: readonly string[];
}

/** Something that happened to an attempt. */
export type AttemptStep =
  | { readonly type: "entered"; readonly phase: Phase; readonly at: Date }
  | { readonly type: "reached"; readonly milestone: Milestone; readonly at: Date }
  | { readonly type: "decided"; readonly outcome: Outcome; readonly at: Date }
  | { readonly type: "saved"; readonly log: string }
  | { readonly type: "left"; readonly objects: readonly string[] };

export const NEW_ATTEMPT: AttemptState = {
  phases: [],
  milestones: {},
  outcome: undefined,
  logs: [],
  left: [],
};

/**
 * Pure: what is known after `step`. Facts reach the helper from several sides at once (engine, watch, signals), so the rules are
 * here: phases only go forward, each milestone is its first time, and the first verdict stays, whatever happens in the clean-up.
 */
export function reduceAttempt(state: AttemptState, step: AttemptStep): AttemptState {
  switch (step.type) {
    case "entered": {
      const current = state.phases.at(-1)?.phase;
      const goesForward = current === undefined || PHASES.indexOf(step.phase) > PHASES.indexOf(current);
      return goesForward
        ? { ...state, phases: [...state.phases, { phase: step.phase, at: step.at }] }
        : state;
    }
    case "reached":
      return state.milestones[step.milestone] === undefined
        ? { ...state, milestones: { ...state.milestones, [step.milestone]: step.at } }
        : state;
    case "decided":
      return state.outcome === undefined
        ? reduceAttempt(
            { ...state, outcome: step.outcome },
            { type: "reached", milestone: "result", at: step.at },
          )
        : state;
    case "saved":
      return { ...state, logs: [...state.logs, step.log] };
    case "left":
      return { ...state, left: step.objects };
  }
}

/** How often each class of failure may be tried again: `retries` of the spec. */
export interface RetryBudget {
  readonly user: number;
  readonly outOfMemory: number;
  readonly infrastructure: number;
}

/** The class of a failure; undefined for what another attempt would only repeat, or what nobody wants repeated. */
const CLASSES: Readonly<Record<Outcome["kind"], keyof RetryBudget | undefined>> = {
  "user-failure": "user",
  "out-of-memory": "outOfMemory",
  infrastructure: "infrastructure",
  lost: "infrastructure",
  succeeded: undefined,
  image: undefined,
  unschedulable: undefined,
  refused: undefined,
  deadline: undefined,
  cancelled: undefined,
  suspended: undefined,
};

/** Pure: whether a further attempt is due after those that ended with `outcomes`, the last one last. */
export function triesAgain(budget: RetryBudget, outcomes: readonly Outcome["kind"][]): boolean {
  const last = outcomes.at(-1);
  const failureClass = last === undefined ? undefined : CLASSES[last];
  if (failureClass === undefined) return false;
  return outcomes.filter((kind) => CLASSES[kind] === failureClass).length <= budget[failureClass];
}
