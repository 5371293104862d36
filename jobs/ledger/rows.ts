import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import { JobSpec } from "../../schema/job.ts";
import { OUTCOME_EXIT, Outcome } from "../../schema/outcome.ts";
import { Plan } from "../../schema/plan.ts";
import { Phase, RunReport } from "../../schema/report.ts";
import type { RunsTable } from "./tables.ts";
import { type LedgerRun, type RunPatch, RunStateName, type RunSummaryRow, Wish } from "./types.ts";

/** The columns of lists: all but the large documents. */
export const SUMMARY_COLUMNS = [
  "run",
  "key",
  "tenant",
  "job",
  "environment",
  "connection",
  "interval_start",
  "interval_end",
  "priority",
  "state",
  "attempt",
  "phase",
  "failure_class",
  "outcome",
  "namespace",
  "stack",
  "holder",
  "fence",
  "cancel_requested_at",
  "wish",
  "not_before",
  "submitted_at",
  "started_at",
  "ended_at",
  "updated_at",
  "left_behind",
  "version",
] as const satisfies readonly (keyof RunsTable)[];

type SummaryColumns = Pick<RunsTable, (typeof SUMMARY_COLUMNS)[number]>;

const OutcomeKind = z.custom<Outcome["kind"]>((value) => typeof value === "string" && value in OUTCOME_EXIT);
const Left = z.array(z.string());

/** @throws UserError `run-unreadable` */
export function summaryOf(row: SummaryColumns): RunSummaryRow {
  const read = readerOf(row.run);
  return {
    run: row.run,
    key: row.key ?? undefined,
    tenant: row.tenant,
    job: row.job,
    environment: row.environment,
    connection: row.connection,
    interval:
      row.interval_start === null || row.interval_end === null
        ? undefined
        : { start: row.interval_start, end: row.interval_end },
    priority: row.priority,
    state: read("state", RunStateName, row.state),
    attempt: row.attempt,
    phase: row.phase === null ? undefined : read("phase", Phase, row.phase),
    failureClass:
      row.failure_class === null ? undefined : read("failure class", OutcomeKind, row.failure_class),
    outcome: document(read, "outcome", Outcome, row.outcome),
    namespace: row.namespace ?? undefined,
    stack: row.stack ?? undefined,
    holder: row.holder ?? undefined,
    fence: row.fence,
    cancelRequestedAt: row.cancel_requested_at ?? undefined,
    wish: wishOf(row.run, row.wish),
    notBefore: row.not_before ?? undefined,
    submittedAt: row.submitted_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    updatedAt: row.updated_at,
    left: document(read, "list of what is left", Left, row.left_behind) ?? [],
    version: row.version,
  };
}

/** @throws UserError `run-unreadable` */
export function runOf(row: RunsTable): LedgerRun {
  const read = readerOf(row.run);
  return {
    ...summaryOf(row),
    spec: document(read, "spec", JobSpec, row.spec),
    specDigest: row.spec_digest ?? undefined,
    plan: document(read, "plan", Plan, row.plan),
    report: document(read, "report", RunReport, row.report),
    machine: row.machine ?? undefined,
  };
}

/** @throws UserError `run-unreadable` */
export const wishOf = (run: string, text: string | null): Wish | undefined =>
  document(readerOf(run), "wish", Wish, text);

type Reader = <T>(what: string, schema: z.ZodType<T>, value: unknown) => T;

/** Reads what another version may have written. @throws UserError `run-unreadable` */
export const readerOf =
  (run: string): Reader =>
  (what, schema, value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new UserError(
      "run-unreadable",
      `The ${what} of run ${run} is not of a form that this version reads.`,
      {
        path: `run ${run} in the ledger`,
        hint: `Another version of Mayfly wrote it: use that one for this run. Its namespace carries the label mayfly.dev/run=${run}.`,
        cause: parsed.error,
      },
    );
  };

function document<T>(read: Reader, what: string, schema: z.ZodType<T>, text: string | null): T | undefined {
  if (text === null) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON is one more form that can't be read.
    value = undefined;
  }
  return read(what, schema, value);
}

const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));

/** What a patch sets, as columns; only the members that it has. */
export function patchColumns(patch: RunPatch): Partial<RunsTable> {
  return {
    ...(patch.state === undefined ? {} : { state: patch.state }),
    ...(patch.attempt === undefined ? {} : { attempt: patch.attempt }),
    ...("phase" in patch ? { phase: patch.phase ?? null } : {}),
    ...("outcome" in patch
      ? { outcome: json(patch.outcome), failure_class: failureClass(patch.outcome) ?? null }
      : {}),
    ...("plan" in patch
      ? {
          plan: json(patch.plan),
          namespace: patch.plan?.namespace ?? null,
          stack: patch.plan?.stack ?? null,
        }
      : {}),
    ...("report" in patch ? { report: json(patch.report) } : {}),
    ...("holder" in patch ? { holder: patch.holder ?? null } : {}),
    ...(patch.fence === undefined ? {} : { fence: patch.fence }),
    ...("notBefore" in patch ? { not_before: patch.notBefore ?? null } : {}),
    ...("startedAt" in patch ? { started_at: patch.startedAt ?? null } : {}),
    ...("endedAt" in patch ? { ended_at: patch.endedAt ?? null } : {}),
    ...("machine" in patch ? { machine: patch.machine ?? null } : {}),
    ...("wish" in patch ? { wish: null } : {}),
    ...(patch.spec === undefined ? {} : { spec: JSON.stringify(patch.spec) }),
    ...(patch.left === undefined ? {} : { left_behind: JSON.stringify(patch.left) }),
  };
}

const failureClass = (outcome: Outcome | undefined): Outcome["kind"] | undefined =>
  outcome === undefined || outcome.kind === "succeeded" ? undefined : outcome.kind;

/** A whole run as a row, for those that were recorded elsewhere. */
export const rowOf = (run: LedgerRun): RunsTable => ({
  run: run.run,
  key: run.key ?? null,
  spec_digest: run.specDigest ?? null,
  tenant: run.tenant,
  job: run.job,
  environment: run.environment,
  connection: run.connection,
  interval_start: run.interval?.start ?? null,
  interval_end: run.interval?.end ?? null,
  priority: run.priority,
  state: run.state,
  attempt: run.attempt,
  phase: run.phase ?? null,
  failure_class: failureClass(run.outcome) ?? null,
  spec: json(run.spec),
  plan: json(run.plan),
  outcome: json(run.outcome),
  report: json(run.report),
  namespace: run.namespace ?? null,
  stack: run.stack ?? null,
  holder: run.holder ?? null,
  fence: run.fence,
  cancel_requested_at: run.cancelRequestedAt ?? null,
  not_before: run.notBefore ?? null,
  submitted_at: run.submittedAt,
  started_at: run.startedAt ?? null,
  ended_at: run.endedAt ?? null,
  updated_at: run.updatedAt,
  left_behind: JSON.stringify(run.left),
  version: run.version,
  machine: run.machine ?? null,
  wish: json(run.wish),
});
