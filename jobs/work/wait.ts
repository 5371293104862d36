import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, UserError } from "../../base/errors.ts";
import { LEFT_BEHIND_EXIT, OUTCOME_EXIT } from "../../schema/outcome.ts";
import { parseDuration } from "../../schema/quantity.ts";
import type { RunSummaryRow } from "../ledger/index.ts";
import { summarize } from "../run/inspect.ts";
import { withLedger } from "../run/ledger.ts";
import { isEnded } from "../run/records.ts";
import type { RunSummary } from "../run/types.ts";
import { assertStateKept } from "../stream/discard.ts";
import { isAway } from "./row.ts";

/** Exit code of what was waited for and is not done in time: EX_TEMPFAIL of sysexits.h. */
export const NOT_YET_EXIT = 75;

const POLL_MS = 500;

export interface WaitOptions {
  /** Seconds; without an end where left out. */
  readonly timeoutSeconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CancelOptions {
  /** Also of a live stream, whose state is lost by that. */
  readonly discardState?: boolean | undefined;
}

/** See index.ts. */
export async function waitForRun(run: string, options: WaitOptions = {}): Promise<RunSummary> {
  const { timeoutSeconds, signal = new AbortController().signal } = options;
  const until =
    timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutSeconds * 1000;
  return await withLedger(async (ledger) => {
    let state = "unknown";
    for (;;) {
      try {
        const row = await ledger.get(run);
        if (isOver(row)) return await summarize(row);
        ({ state } = row);
      } catch (error) {
        // A database that is away for a moment does not end the wait.
        if (!isAway(error)) throw error;
      }
      if (performance.now() >= until || signal.aborted) throw notYet(run, state);
      await sleep(Math.max(0, Math.min(POLL_MS, until - performance.now())), undefined, { signal }).catch(
        () => undefined,
      );
    }
  });
}

const isOver = ({ state }: Pick<RunSummaryRow, "state">): boolean => isEnded(state) || state === "kept";

const notYet = (run: string, state: string): UserError =>
  new UserError("wait-timeout", `Run ${run} has not ended yet: it is ${state}.`, {
    hint: `Wait on (npx mayfly wait ${run}), look at it (npx mayfly show ${run}), or end it (npx mayfly cancel ${run}).`,
    exitCode: NOT_YET_EXIT,
  });

/** Exit code for a run that has ended: the outcome's, or that of something left behind. */
export const endedExitCode = ({ outcome, left }: Pick<RunSummary, "outcome" | "left">): number =>
  left.length > 0 ? LEFT_BEHIND_EXIT : OUTCOME_EXIT[outcome?.kind ?? "lost"];

/** Seconds of a duration such as 15m. @throws UserError `timeout-invalid` */
export function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = parseDuration(text);
  if (seconds !== undefined) return seconds;
  throw new UserError("timeout-invalid", `Not a duration: ${text}`, {
    path: "--timeout",
    hint: "Give it with its unit, such as 90s, 15m or 2h.",
    exitCode: EXIT.usage,
  });
}

/** See index.ts. */
export async function cancelRun(
  run: string,
  { discardState = false }: CancelOptions = {},
): Promise<RunSummary> {
  return await withLedger(async (ledger) => {
    if (!discardState) assertStateKept(await ledger.get(run), false);
    return await summarize(await ledger.requestCancel(run));
  });
}
