import { UserError } from "../../base/errors.ts";
import type { RunEvent } from "../../schema/events.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import type { Phase, RunReport } from "../../schema/report.ts";
import {
  type Ledger,
  type LedgerRun,
  type RunPatch,
  type RunStateName,
  TERMINAL_STATES,
} from "../ledger/index.ts";
import { type Helper, helperOf, holderOf } from "./liveness.ts";

/** What is kept of a run that has a plan, from before anything exists until it is forgotten. */
export interface RunRecord {
  /** Undefined where the run is from the time before the ledger. */
  readonly spec: JobSpec | undefined;
  /** Of the last attempt. */
  readonly plan: Plan;
  readonly phase: Phase;
  /** `active`: its helper works on it, or died; `kept`: left up on purpose; `ended`: destroyed, as far as `left` says. */
  readonly state: "active" | "kept" | "ended";
  /** Path of the connection file. */
  readonly connection: string;
  readonly helper: Helper;
  readonly startedAt: string;
  readonly endedAt?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly left: readonly string[];
  readonly report?: RunReport | undefined;
}

/** Where a helper records the runs that it works on. */
export interface RunRecords {
  /** @throws UserError `run-exists` */
  readonly add: (record: RunRecord & { readonly spec: JobSpec }) => Promise<void>;
  /** @throws UserError `run-changed` where another helper wrote it meanwhile. */
  readonly put: (record: RunRecord) => Promise<void>;
  readonly append: (run: string, events: readonly RunEvent[]) => Promise<void>;
  /** @throws UserError `unknown-run`; `run-unreadable`; `run-not-planned` while there is nothing but its spec. */
  readonly get: (run: string) => Promise<RunRecord>;
  /** Forgets a run that made nothing. */
  readonly remove: (run: string) => Promise<void>;
}

/** Records in the ledger: each change goes there with the version that this helper saw last. */
export function ledgerRecords(ledger: Ledger): RunRecords {
  const known = new Map<string, { readonly version: number; readonly record: RunRecord | undefined }>();
  const versionOf = async (run: string): Promise<number> =>
    known.get(run)?.version ?? (await ledger.get(run)).version;
  const change = async (record: RunRecord, version: number, before: RunRecord | undefined): Promise<void> => {
    const next = await ledger.update(record.plan.run, version, patchOf(record, before));
    known.set(record.plan.run, { version: next, record });
  };
  return {
    add: async (record) => {
      const { plan, spec, connection, helper, startedAt } = record;
      await ledger.submit({
        run: plan.run,
        spec,
        environment: plan.environment,
        connection,
        holder: holderOf(helper),
        submittedAt: startedAt,
      });
      await change(record, 1, undefined);
    },
    put: async (record) => {
      const { run } = record.plan;
      await change(record, await versionOf(run), known.get(run)?.record);
    },
    append: async (run, events) => {
      await ledger.append(run, events);
    },
    get: async (run) => {
      const found = await ledger.get(run);
      const record = recordOf(found);
      known.set(run, { version: found.version, record });
      return record;
    },
    remove: async (run) => {
      await ledger.forget(run, await versionOf(run));
      known.delete(run);
    },
  };
}

/** Only what differs: plans and reports are large. */
function patchOf(record: RunRecord, before: RunRecord | undefined): RunPatch {
  return {
    state: stateNameOf(record),
    attempt: record.plan.attempt,
    phase: record.phase,
    left: record.left,
    holder: holderOf(record.helper),
    ...(record.plan === before?.plan ? {} : { plan: record.plan }),
    ...(record.outcome === before?.outcome ? {} : { outcome: record.outcome }),
    ...(record.report === before?.report ? {} : { report: record.report }),
    ...(record.endedAt === before?.endedAt ? {} : { endedAt: record.endedAt }),
  };
}

const STATE_OF_PHASE: Readonly<Record<Phase, RunStateName>> = {
  preparing: "planning",
  creating: "creating",
  starting: "running",
  running: "running",
  collecting: "finishing",
  destroying: "destroying",
  verifying: "destroying",
};

const STATE_OF_OUTCOME: Readonly<Record<Outcome["kind"], RunStateName>> = {
  succeeded: "succeeded",
  cancelled: "cancelled",
  lost: "lost",
  "user-failure": "failed",
  "out-of-memory": "failed",
  image: "failed",
  unschedulable: "failed",
  refused: "failed",
  deadline: "failed",
  infrastructure: "failed",
};

/** The ledger's name of the state that a record is in. */
export function stateNameOf({
  state,
  phase,
  outcome,
}: Pick<RunRecord, "state" | "phase" | "outcome">): RunStateName {
  if (state === "kept") return "kept";
  if (state === "active") return STATE_OF_PHASE[phase];
  return outcome === undefined ? "lost" : STATE_OF_OUTCOME[outcome.kind];
}

/** @throws UserError `run-not-planned` */
function recordOf(run: LedgerRun): RunRecord {
  const { spec, plan, phase = "preparing", state, connection, holder, submittedAt, left } = run;
  if (plan === undefined) {
    throw new UserError(
      "run-not-planned",
      `Run ${run.run} has no plan yet, and nothing of it exists: it is ${state}.`,
      {
        hint: `See what is known of it: npx mayfly show ${run.run}`,
      },
    );
  }
  return {
    spec,
    plan,
    phase,
    state: state === "kept" ? "kept" : isEnded(state) ? "ended" : "active",
    connection,
    helper: helperOf(holder) ?? { host: holder ?? "", pid: 0, startedAt: "" },
    startedAt: submittedAt,
    endedAt: run.endedAt,
    outcome: run.outcome,
    left,
    report: run.report,
  };
}

/** Whether a run stays in this state. */
export const isEnded = (state: string): boolean => TERMINAL_STATES.some((terminal) => terminal === state);
