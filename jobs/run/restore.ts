// What the ledger's events tell of a run's attempts, for whoever goes on with it or reports it.
import type { RunEvent } from "../../schema/events.ts";
import type { Outcome } from "../../schema/outcome.ts";
import { type AttemptState, type Milestone, NEW_ATTEMPT } from "./phases.ts";
import type { SeenAttempt } from "./types.ts";

/** When each attempt entered which phase, and how it ended. */
export function attemptsOf(events: readonly RunEvent[]): readonly SeenAttempt[] {
  const attempts: {
    attempt: number;
    phases: SeenAttempt["phases"][number][];
    outcome?: SeenAttempt["outcome"];
    startedFrom?: SeenAttempt["startedFrom"];
  }[] = [];
  let from: SeenAttempt["startedFrom"];
  for (const event of events) {
    // Comes before the attempt's first phase, and has no number of its own.
    if (event.type === "planned") from = event.from;
    if (event.type === "phase") {
      if (attempts.at(-1)?.attempt !== event.attempt)
        attempts.push({
          attempt: event.attempt,
          phases: [],
          ...(from === undefined ? {} : { startedFrom: from }),
        });
      attempts.at(-1)?.phases.push({ phase: event.phase, at: event.at });
    }
    const last = attempts.at(-1);
    if (event.type === "outcome" && last !== undefined) last.outcome = event.outcome;
  }
  return attempts;
}

/**
 * Pure: what an earlier helper has seen of an attempt. Its clock may have been another one: no time is before the one that came first, nor
 * in our future.
 * @param made Whether its objects all existed: what was half made is made again.
 * @param now In milliseconds since 1970.
 */
export function restoreAttempt(
  events: readonly RunEvent[],
  attempt: number,
  {
    made,
    outcome,
    now,
  }: { readonly made: boolean; readonly outcome: Outcome | undefined; readonly now: number },
): AttemptState {
  const phases: AttemptState["phases"][number][] = [];
  const reached: Partial<Record<Milestone, Date>> = {};
  let latest = 0;
  let mine = false;
  for (const event of events) {
    const at = new Date(Math.min(now, Math.max(latest, Date.parse(event.at))));
    latest = at.getTime();
    if (event.type === "phase") {
      mine = event.attempt === attempt;
      if (!mine || phases.some(({ phase }) => phase === event.phase)) continue;
      phases.push({ phase: event.phase, at });
      if (event.phase === "running") reached.driverStarted = at;
    }
    if (!mine) continue;
    if (event.type === "resource" && event.operation === "create") reached.objectsExist = at;
    if (event.type === "outcome") reached.result ??= at;
  }
  const { objectsExist, driverStarted, result } = reached;
  return {
    ...NEW_ATTEMPT,
    phases,
    outcome,
    milestones: {
      ...(made && objectsExist !== undefined ? { objectsExist } : {}),
      ...(made && driverStarted !== undefined ? { driverStarted } : {}),
      ...(outcome !== undefined && result !== undefined ? { result } : {}),
    },
  };
}
