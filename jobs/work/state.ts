// Boundary: a machine's state comes back from the ledger as JSON, maybe of another version.
import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import type { JobSpec } from "../../schema/job.ts";
import { OUTCOME_EXIT, Outcome } from "../../schema/outcome.ts";
import type { LedgerRun, RunStateName } from "../ledger/index.ts";
import { type Mode, newRun, type RunFacts, type RunState, reduce } from "../run/machine.ts";

const Budget = z.strictObject({ user: z.int(), outOfMemory: z.int(), infrastructure: z.int() });
const Kind = z.custom<Outcome["kind"]>((value) => typeof value === "string" && value in OUTCOME_EXIT);

const facts = z.strictObject({
  run: z.string(),
  budget: Budget,
  mode: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("foreground"), keep: z.boolean() }),
    z.strictObject({ kind: z.literal("detached") }),
    z.strictObject({ kind: z.literal("removal") }),
  ]),
  memory: z.strictObject({ factor: z.number().min(1), driver: z.int(), workers: z.int() }),
  attempt: z.int().positive(),
  failed: z.array(Kind),
  fence: z.int(),
  cancelRequested: z.boolean(),
  overdue: z.boolean(),
});
const lease = z.int();
const asked = z.boolean();
const interrupted = {
  was: z.enum(["planning", "creating", "running", "suspending", "finishing", "destroying"]),
  // JSON has no `undefined`: the member is left out, and is there again after reading.
  outcome: z.preprocess((value) => value, Outcome.optional()),
  trigger: z.string().exactOptional(),
};

const State = z.discriminatedUnion("phase", [
  z.strictObject({ phase: z.literal("new"), facts }),
  z.strictObject({ phase: z.literal("queued"), facts, asked }),
  z.strictObject({ phase: z.literal("waiting"), facts, lease }),
  z.strictObject({ phase: z.literal("planning"), facts, lease }),
  z.strictObject({
    phase: z.literal("creating"),
    facts,
    lease,
    step: z.enum(["stack", "objects", "made"]),
  }),
  z.strictObject({ phase: z.literal("running"), facts, lease }),
  z.strictObject({ phase: z.literal("suspending"), facts, lease, trigger: z.string() }),
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
    phase: z.enum(["succeeded", "suspended", "failed", "cancelled", "lost"]),
    facts,
    outcome: Outcome,
    left: z.array(z.string()),
  }),
  z.strictObject({ phase: z.literal("refused"), facts, outcome: Outcome }),
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

/** A run as it is submitted. */
export function queuedState(run: string, { retries }: JobSpec, mode: Mode = { kind: "detached" }): RunState {
  const { user, outOfMemory, infrastructure, memoryFactor } = retries;
  const fresh = newRun({ run, budget: { user, outOfMemory, infrastructure }, mode, memoryFactor });
  return reduce(fresh, { type: "submitted" }).state;
}

/** The state that a run is found in. @throws UserError `run-unreadable` */
export const stateOf = (row: LedgerRun): RunState =>
  row.machine === undefined ? stateWithoutMachine(row) : readState(row.run, row.machine);

/** Whether all of the attempt's objects existed. */
export function wasMade(state: RunState): boolean {
  const phase = "was" in state ? state.was : state.phase;
  if (state.phase === "creating") return state.step === "made";
  return !["new", "queued", "waiting", "planning", "creating", "refused"].includes(phase);
}

/** The state of a run that a version without machine's states recorded, or took over: only its end can be brought about. */
function stateWithoutMachine(row: LedgerRun): RunState {
  const { run, attempt, fence, outcome, left } = row;
  const facts: RunFacts = {
    run,
    budget: { user: 0, outOfMemory: 0, infrastructure: 0 },
    mode: { kind: "foreground", keep: false },
    memory: { factor: 1, driver: 0, workers: 0 },
    attempt: Math.max(1, attempt),
    failed: [],
    fence,
    cancelRequested: false,
    overdue: false,
  };
  const lost: Outcome = { kind: "lost", message: "The helper died before the run's end." };
  switch (row.state) {
    case "succeeded":
    case "failed":
    case "cancelled":
    case "lost":
    case "suspended":
      return { phase: row.state, facts, outcome: outcome ?? lost, left };
    case "kept":
      return { phase: "kept", facts, outcome: outcome ?? lost };
    case "queued":
    case "planning":
    case "creating":
    case "running":
    case "finishing":
    case "destroying":
      return {
        phase: "adrift",
        facts,
        was: outcome === undefined ? "running" : "destroying",
        outcome,
        asked: false,
      };
  }
}

/** What the ledger calls it. A run that waits for its lease was claimed, and a run without a helper still is where it was. */
export function ledgerState(state: RunState): RunStateName {
  switch (state.phase) {
    case "new":
      return "queued";
    case "queued":
      // A worker takes what is queued; a foreground run has its helper.
      return state.asked || state.facts.mode.kind === "foreground" ? "planning" : "queued";
    case "waiting":
      return "planning";
    case "refused":
      return "failed";
    case "suspending":
      return "running";
    case "adrift":
    case "recovering":
      return state.was === "suspending" ? "running" : state.was;
    case "planning":
    case "creating":
    case "running":
    case "finishing":
    case "destroying":
    case "kept":
    case "succeeded":
    case "suspended":
    case "failed":
    case "cancelled":
    case "lost":
      return state.phase;
  }
}

/** An outcome, once the state has one. */
export const outcomeOf = (state: RunState): Outcome | undefined =>
  "outcome" in state ? state.outcome : undefined;
