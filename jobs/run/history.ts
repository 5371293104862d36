import { EXIT, UserError } from "../../base/errors.ts";
import { suggest } from "../../base/nearest.ts";
import type { RunEvent } from "../../schema/events.ts";
import { parseDuration } from "../../schema/quantity.ts";
import {
  type Ledger,
  type LedgerRun,
  LIVE_STATES,
  type RunFilter,
  RunStateName,
  type RunSummaryRow,
  TERMINAL_STATES,
} from "../ledger/index.ts";
import { streamOf } from "../work/streams.ts";
import { summarize } from "./inspect.ts";
import { withLedger } from "./ledger.ts";
import { attemptsOf } from "./restore.ts";
import type {
  EnvironmentOptions,
  HistoryOptions,
  ListOptions,
  RunDetails,
  RunHistory,
  RunState,
  RunSummary,
  StreamNow,
} from "./types.ts";

/** Of a list, where no limit is given. */
const LIMIT = 50;

/** See index.ts. */
export async function listRuns(options: ListOptions = {}): Promise<readonly RunSummary[]> {
  const { limit = LIMIT, tenant, job, onUnreadable } = options;
  const states = statesOf(options.states);
  const since = sinceOf(options.since);
  const onlyStale = states?.every((state) => state === "stale") === true;
  const filter: RunFilter = {
    tenant,
    job,
    since,
    onUnreadable,
    // Whether a helper lives is not in the ledger: those that may be stale are all looked at.
    states: states?.includes("stale") === true ? undefined : states?.filter((state) => state !== "stale"),
    limit: states?.includes("stale") === true ? undefined : limit,
  };
  const rows = await withLedger(async (ledger) =>
    onlyStale
      ? byAge([
          ...(await ledger.list({ ...filter, states: [...LIVE_STATES] })),
          ...(await ledger.list({ ...filter, states: [...TERMINAL_STATES], leftBehind: true })),
        ])
      : await ledger.list(filter),
  );
  const runs = await Promise.all(rows.map(summarize));
  return runs.filter(({ state }) => states?.includes(state) ?? true).slice(0, limit);
}

const byAge = (rows: readonly RunSummaryRow[]): RunSummaryRow[] =>
  [...rows].sort((one, other) => other.submittedAt.localeCompare(one.submittedAt));

/** See index.ts. */
export async function jobHistory(job: string, options: HistoryOptions = {}): Promise<RunHistory> {
  const { tenant, limit = LIMIT, onUnreadable } = options;
  const since = sinceOf(options.since);
  const filter = { tenant, since, limit, onUnreadable };
  const rows = await withLedger(async (ledger) => await ledger.history(job, filter));
  return { job, runs: await Promise.all(rows.map(summarize)) };
}

/** See index.ts. */
export async function showRun(run: string, options: EnvironmentOptions = {}): Promise<RunDetails> {
  return await withLedger(async (ledger) => {
    const found = await ledger.get(run);
    const stored = await ledger.events(run);
    const events = stored.events.map(({ event }) => event);
    return {
      summary: await summarize(found),
      spec: found.spec,
      plan: found.plan,
      report: found.report,
      attempts: attemptsOf(events),
      leases: await ledger.leases(run),
      events,
      unknownEvents: stored.unknown,
      stream: await streamOfNow(found, events, ledger, options),
    };
  });
}

async function streamOfNow(
  run: LedgerRun,
  events: readonly RunEvent[],
  ledger: Ledger,
  options: EnvironmentOptions,
): Promise<StreamNow | undefined> {
  if (streamOf(run.plan) === undefined) return undefined;
  const { streamNow } = await import("./stream-now.ts");
  return await streamNow(run, events, ledger, options);
}

const STATES: readonly RunState[] = [...RunStateName.options, "stale"];

function statesOf(texts: readonly string[] | undefined): readonly RunState[] | undefined {
  return texts?.map((text) => {
    const state = STATES.find((name) => name === text);
    if (state !== undefined) return state;
    throw new UserError("state-unknown", `There is no state ${text}.`, {
      path: "--state",
      hint: suggest(text, STATES),
      exitCode: EXIT.usage,
    });
  });
}

/** From `2h`, `7d` or a date to a time; undefined stays. */
export function sinceOf(text: string | undefined, now = Date.now()): string | undefined {
  if (text === undefined) return undefined;
  const seconds = parseDuration(text);
  const time = seconds === undefined ? Date.parse(text) : now - seconds * 1000;
  // What JavaScript takes for a date beside ISO 8601 differs by engine.
  if (!Number.isNaN(time) && (seconds !== undefined || /^\d{4}-\d{2}-\d{2}/.test(text)))
    return new Date(time).toISOString();
  throw new UserError("since-invalid", `${text} is neither a duration nor a date.`, {
    path: "--since",
    hint: "Give how long ago, such as 2h or 7d, or a date such as 2026-11-24 or 2026-11-24T06:00:00Z.",
    exitCode: EXIT.usage,
  });
}
