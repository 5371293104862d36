import type { FlinkJobState, SavepointResult, TriggerState } from "./types.ts";

/** What is to be done next about a savepoint that was asked for. */
export type SavepointStep =
  | { readonly do: "ask" }
  | { readonly do: "poll" }
  /** At the job, since nobody tells about the trigger. */
  | { readonly do: "look" }
  /** In S3: the job is FINISHED. */
  | { readonly do: "find" }
  | { readonly do: "end"; readonly result: SavepointResult };

export type SavepointAnswer =
  | { readonly type: "asked" }
  | { readonly type: "trigger"; readonly state: TriggerState }
  /** Undefined: the JobManager answers, but has no such job (yet, or any more). */
  | { readonly type: "job"; readonly state: FlinkJobState | undefined }
  | { readonly type: "found"; readonly location: string | undefined }
  /** Nobody answered the last step. */
  | { readonly type: "away" }
  | { readonly type: "refused"; readonly message: string }
  /** Nobody lets us ask. */
  | { readonly type: "denied"; readonly message: string }
  | { readonly type: "late"; readonly seconds: number };

export interface SavepointProgress {
  readonly stop: boolean;
  readonly step: SavepointStep;
  /** How often Flink took the order. */
  readonly asked: number;
  /** Counts the orders that failed only because tasks did not run at that moment. Each needs a trigger of its own. */
  readonly order: number;
  /** What the trigger said that speaks against a savepoint; the job is looked at before it is believed. */
  readonly failure: string | undefined;
}

/** A JobManager that forgets an order so often loses more than this. */
const MAX_ASKED = 10;

/** The job restarts or rescales just now: Flink's words for some tasks that do not run, and (adaptive scheduler) for none that does. */
const NOT_YET = /Not all required tasks are currently running|job is currently not executing/i;

/** @param stop Whether the job is to end with the savepoint. */
export const savepointStart = (stop: boolean): SavepointProgress => ({
  stop,
  step: { do: "ask" },
  asked: 0,
  order: 0,
  failure: undefined,
});

const end = (progress: SavepointProgress, result: SavepointResult): SavepointProgress => ({
  ...progress,
  step: { do: "end", result },
});
const to = (progress: SavepointProgress, step: SavepointStep): SavepointProgress => ({ ...progress, step });

/**
 * The protocol of a savepoint, as a table. An order may be given again at any time: with the same trigger Flink takes it once. Flink
 * knows triggers only for as long as its JobManager lives; a JobManager that was started anew says 404, and its job goes on from the
 * last checkpoint, so that it is asked again. Pure.
 */
export function savepointNext(progress: SavepointProgress, answer: SavepointAnswer): SavepointProgress {
  switch (answer.type) {
    case "asked":
      return to({ ...progress, asked: progress.asked + 1 }, { do: "poll" });
    case "trigger":
      return afterTrigger(progress, answer.state);
    case "job":
      return afterLook(progress, answer.state);
    case "found":
      return answer.location === undefined
        ? end(progress, { kind: "ended", state: "FINISHED", message: finishedWithout(progress) })
        : end(progress, { kind: "taken", location: answer.location });
    case "away":
      // The same again: neither an order nor a question is spoilt by that.
      return progress;
    case "refused":
      // Flink refuses orders for a job that has ended.
      return to({ ...progress, failure: answer.message }, { do: "look" });
    case "denied":
      return end(progress, { kind: "failed", message: answer.message });
    case "late":
      return end(progress, {
        kind: "timeout",
        message: `There was no savepoint within ${answer.seconds} s${progress.asked === 0 ? ": the JobManager never took the order" : ""}.`,
      });
  }
}

const finishedWithout = ({ failure }: SavepointProgress): string =>
  `The job is finished, and there is no savepoint of it${failure === undefined ? "" : `: ${failure}`}.`;

function afterTrigger(progress: SavepointProgress, state: TriggerState): SavepointProgress {
  switch (state.kind) {
    case "in-progress":
      return to(progress, { do: "poll" });
    case "completed":
      return end(progress, { kind: "taken", location: state.location });
    case "failed":
      return to({ ...progress, failure: state.message }, { do: "look" });
    case "forgotten":
      return to(progress, { do: "look" });
  }
}

function afterLook(progress: SavepointProgress, state: FlinkJobState | undefined): SavepointProgress {
  const { failure } = progress;
  if (state === "FINISHED") return to(progress, { do: "find" });
  if (state === "FAILED" || state === "CANCELED") {
    const message = `The job is ${state}${failure === undefined ? "" : `: ${failure}`}.`;
    return end(progress, { kind: "ended", state, message });
  }
  if (failure !== undefined && NOT_YET.test(failure) && state !== undefined) {
    return to({ ...progress, order: progress.order + 1, asked: 0, failure: undefined }, { do: "ask" });
  }
  if (failure !== undefined) return end(progress, { kind: "failed", message: failure });
  // A JobManager that has just begun: its job comes. One that will never have it meets the time limit, or the watch ends it.
  if (state === undefined) return to(progress, { do: "look" });
  return progress.asked >= MAX_ASKED
    ? end(progress, { kind: "failed", message: `Flink forgot the order ${progress.asked} times.` })
    : to(progress, { do: "ask" });
}
