import { UserError } from "../../base/errors.ts";
import type { Plan } from "../../schema/plan.ts";
import { type LedgerRun, TERMINAL_STATES } from "../ledger/index.ts";

/** A run that has a plan, of which something may exist. */
export interface PlannedRun extends LedgerRun {
  readonly plan: Plan;
}

/** @throws UserError `run-not-planned` while there is nothing but its spec. */
export function planned(row: LedgerRun): PlannedRun {
  const { plan } = row;
  if (plan !== undefined) return { ...row, plan };
  throw new UserError(
    "run-not-planned",
    `Run ${row.run} has no plan yet, and nothing of it exists: it is ${row.state}.`,
    { hint: `See what is known of it: npx mayfly show ${row.run}` },
  );
}

/** Whether a run stays in this state. */
export const isEnded = (state: string): boolean => TERMINAL_STATES.some((terminal) => terminal === state);
