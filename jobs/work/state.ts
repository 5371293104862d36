// Boundary: a machine's state comes back from the ledger as JSON, maybe of another version.
import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import type { JobSpec } from "../../schema/job.ts";
import { OUTCOME_EXIT, Outcome } from "../../schema/outcome.ts";
import type { RunStateName } from "../ledger/index.ts";
import { newRun, type RunState, reduce } from "../run/machine.ts";

const Budget = z.strictObject({ user: z.int(), outOfMemory: z.int(), infrastructure: z.int() });
const Kind = z.custom<Outcome["kind"]>((value) => typeof value === "string" && value in OUTCOME_EXIT);

const facts = z.strictObject({
  run: z.string(),
  budget: Budget,
  keep: z.boolean(),
  moreMemory: z.boolean(),
  attempt: z.int().positive(),
  failed: z.array(Kind),
  fence: z.int(),
  cancelRequested: z.boolean(),
  overdue: z.boolean(),
});
const lease = z.int();
const asked = z.boolean();
const interrupted = {
  was: z.enum(["planning", "creating", "running", "finishing", "destroying"]),
  // JSON has no `undefined`: the member is left out, and is there again after reading.
  outcome: z.preprocess((value) => value, Outcome.optional()),
};

const State = z.discriminatedUnion("phase", [
  z.strictObject({ phase: z.literal("new"), facts }),
  z.strictObject({ phase: z.literal("queued"), facts, asked }),
  z.strictObject({ phase: z.literal("planning"), facts, lease }),
  z.strictObject({
    phase: z.literal("creating"),
    facts,
    lease,
    step: z.enum(["stack", "objects", "made"]),
  }),
  z.strictObject({ phase: z.literal("running"), facts, lease }),
  z.strictObject({ phase: z.literal("finishing"), facts, lease, outcome: Outcome }),
  z.strictObject({
    phase: z.literal("destroying"),
    facts,
    lease,
    outcome: Outcome,
    step: z.enum(["objects", "stack"]),
    tries: z.int(),
  }),
  z.strictObject({ phase: z.literal("adrift"), facts, asked, ...interrupted }),
  z.strictObject({ phase: z.literal("recovering"), facts, lease, tries: z.int(), ...interrupted }),
  z.strictObject({ phase: z.literal("kept"), facts, outcome: Outcome }),
  z.strictObject({
    phase: z.enum(["succeeded", "failed", "cancelled", "lost"]),
    facts,
    outcome: Outcome,
    left: z.array(z.string()),
  }),
]);

export const writeState = (state: RunState): string => JSON.stringify(state);

/** @throws UserError `run-unreadable` */
export function readState(run: string, text: string): RunState {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON is one more form that can't be read.
    value = undefined;
  }
  const parsed = State.safeParse(value);
  if (!parsed.success) {
    throw new UserError("run-unreadable", `The machine's state of run ${run} can't be read.`, {
      path: `run ${run} in the ledger`,
      hint: "Another version of Mayfly wrote it: go on with a worker of that version.",
      cause: parsed.error,
    });
  }
  const state = parsed.data;
  return state.phase === "adrift" || state.phase === "recovering"
    ? { ...state, outcome: state.outcome }
    : state;
}

/** A run as it is submitted: in the queue. */
export function queuedState(run: string, { retries }: JobSpec): RunState {
  const fresh = newRun({ run, budget: retries, keep: false, moreMemory: false });
  return reduce(fresh, { type: "submitted" }).state;
}

/** What the ledger calls it. A run that waits for its lease was claimed, and a run without a helper still is where it was. */
export function ledgerState(state: RunState): RunStateName {
  switch (state.phase) {
    case "new":
      return "queued";
    case "queued":
      return state.asked ? "planning" : "queued";
    case "adrift":
    case "recovering":
      return state.was;
    case "planning":
    case "creating":
    case "running":
    case "finishing":
    case "destroying":
    case "kept":
    case "succeeded":
    case "failed":
    case "cancelled":
    case "lost":
      return state.phase;
  }
}

/** An outcome, once the state has one. */
export const outcomeOf = (state: RunState): Outcome | undefined =>
  "outcome" in state ? state.outcome : undefined;
