import type { Plan } from "../../schema/plan.ts";
import type { RunReport } from "../../schema/report.ts";
import type { ClaimedRun } from "../ledger/index.ts";
import { helperOf } from "../run/liveness.ts";
import type { RunState } from "../run/machine.ts";
import type { RunRecord } from "../run/records.ts";
import { outcomeOf } from "./state.ts";
import type { Driven } from "./types.ts";

/** What a journal is opened with. */
export const workerRecord = (run: ClaimedRun, plan: Plan, holder: string): RunRecord => ({
  spec: run.spec,
  plan,
  phase: "preparing",
  state: "active",
  connection: run.connection,
  helper: helperOf(holder) ?? { host: holder, pid: 0, startedAt: "" },
  startedAt: run.submittedAt,
  left: [],
});

/** The report of an attempt that is over; undefined where it never had a plan. */
export async function reportOf(
  { run, plan, journal, observed }: Pick<Driven, "run" | "plan" | "journal" | "observed">,
  state: RunState,
): Promise<RunReport | undefined> {
  if (plan === undefined || journal === undefined) return undefined;
  const { buildReport } = await import("../report/index.ts");
  const { phases, milestones, logs, outcome, left } = journal.state;
  return buildReport({
    plan,
    outcome: outcomeOf(state) ?? outcome ?? { kind: "lost", message: "The run ended without a verdict." },
    startedAt: new Date(run.submittedAt),
    endedAt: new Date(),
    phases,
    milestones,
    observed,
    logs,
    left: "left" in state ? state.left : left,
    kept: state.phase === "kept",
  });
}
