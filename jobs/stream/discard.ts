import { EXIT, UserError } from "../../base/errors.ts";
import type { LedgerRun } from "../ledger/index.ts";
import { isEnded } from "../run/records.ts";
import { streamSpec } from "../work/streams.ts";

/**
 * That the end of a run throws no stream's state away which somebody may want to keep.
 * @param discard Whether they said that they do not.
 * @throws UserError `state-would-be-lost`
 */
export function assertStateKept(
  row: Pick<LedgerRun, "run" | "state" | "attempt" | "spec" | "outcome">,
  discard: boolean,
): void {
  const { spec, state, outcome } = row;
  const isStream = streamSpec(spec) !== undefined;
  const hasBegun = state !== "queued" || row.attempt > 0;
  // What was suspended, and is only to be removed, has its state elsewhere.
  if (!isStream || isEnded(state) || !hasBegun || discard || outcome?.kind === "suspended") return;
  throw new UserError(
    "state-would-be-lost",
    `Run ${row.run} is a live stream: what it has counted and stored since it began would be lost.`,
    {
      path: `run ${row.run}`,
      hint: `End it with its state kept: npx mayfly suspend ${row.run}. If nobody needs that state: --discard-state`,
      exitCode: EXIT.conflict,
    },
  );
}
