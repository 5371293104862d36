// Pure: what a step of the machine means for the run's row and for people.
import type { Outcome } from "../../schema/outcome.ts";
import type { RunReport } from "../../schema/report.ts";
import type { RunPatch } from "../ledger/index.ts";
import { deadlineOutcome, type MachineEvent, type RunState, type Step } from "../run/machine.ts";
import { ledgerState, outcomeOf, writeState } from "./state.ts";

/** Until a run is tried again whose lease could not be had. */
const REFUSED_MS = 5000;

const schedules = ({ effects }: Step): boolean => effects.some(({ type }) => type === "scheduleRetry");

/** How the attempt ended, once it has: the state of a run that is to be tried again has no outcome, what ended the attempt has. */
export function toldOutcome(step: Step, event: MachineEvent): Outcome | undefined {
  // Whoever called is told by an error.
  if (step.state.phase === "refused") return undefined;
  return outcomeOf(step.state) ?? (schedules(step) ? outcomeIn(event) : undefined);
}

function outcomeIn(event: MachineEvent): Outcome | undefined {
  if (event.type === "deadline") return deadlineOutcome(event.name, event.limitSeconds);
  return "outcome" in event ? event.outcome : undefined;
}

/** Nothing more comes of itself. */
export function isOver(state: RunState): boolean {
  if (state.phase === "queued" || state.phase === "adrift") return !state.asked;
  return state.phase === "kept" || state.phase === "refused" || "left" in state;
}

/** What changes in the run's row. */
export function rowChange(
  step: Step,
  given: {
    readonly holder: string;
    /** The run is being handed over. */
    readonly leaving: boolean;
    /** Milliseconds since 1970. */
    readonly now: number;
    /** When it ended before. */
    readonly endedAt: string | undefined;
    readonly report: RunReport | undefined;
  },
): RunPatch {
  const { state } = step;
  const { holder, leaving, now, endedAt, report } = given;
  const at = (ms: number): string => new Date(ms).toISOString();
  const outcome = outcomeOf(state);
  const left = "left" in state ? state.left : undefined;
  const ended = left !== undefined || state.phase === "refused" || state.phase === "kept";
  const requeued = state.phase === "queued" && schedules(step);
  const refused = state.phase === "queued" && !state.asked && !requeued && !leaving;
  const idle = (state.phase === "adrift" || state.phase === "queued") && !state.asked;
  return {
    machine: writeState(state),
    fence: state.facts.fence,
    // Not in the queue again before its report is saved and its lease given back: the driver says when.
    ...(requeued ? {} : { state: ledgerState(state), holder: idle ? undefined : holder }),
    ...(refused ? { notBefore: at(now + REFUSED_MS) } : {}),
    ...(outcome === undefined ? {} : { outcome }),
    // Whatever was asked of it is answered by its end.
    ...(left === undefined ? {} : { left, wish: undefined }),
    ...(ended ? { endedAt: endedAt ?? at(now) } : {}),
    ...(report === undefined ? {} : { report }),
  };
}
