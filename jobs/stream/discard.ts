import { EXIT, UserError } from "../../base/errors.ts";
import { type LedgerRun, TERMINAL_STATES } from "../ledger/index.ts";

/**
 * That the end of a run throws no stream's state away which somebody may want to keep.
 * @param discard Whether they said that they do not.
 * @throws UserError `state-would-be-lost`
 */
export function assertStateKept(
  row: Pick<LedgerRun, "run" | "state" | "attempt" | "spec" | "outcome">,
  discard: boolean,
): void {
  const { spec, outcome } = row;
  const isStream = spec?.engine === "flink" && spec.kind === "stream";
  const hasEnded = TERMINAL_STATES.some((state) => state === row.state);
  const hasBegun = row.state !== "queued" || row.attempt > 0;
  // What was suspended, and is only to be removed, has its state elsewhere.
  if (!isStream || hasEnded || !hasBegun || discard || outcome?.kind === "suspended") return;
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
