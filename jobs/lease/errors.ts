import { EXIT, UserError } from "../../base/errors.ts";

/** Why a holder must stop. */
export type LossReason = "taken" | "deleted" | "expired" | "released";

const WHAT: Readonly<Record<LossReason, string>> = {
  taken: "another helper took it over",
  deleted: "its Lease object was deleted",
  expired: "it could not be renewed in time",
  released: "this helper gave it back",
};

/** The run is not this helper's any more: stop at once, and touch nothing of it. */
export class LeaseLost extends UserError {
  readonly reason: LossReason;

  constructor(run: string, reason: LossReason, detail?: string, cause?: unknown) {
    super(
      "lease-lost",
      `The lease of run ${run} is lost: ${WHAT[reason]}${detail === undefined ? "" : ` (${detail})`}.`,
      {
        path: run,
        hint: "Nothing to do: the helper that has the lease now goes on. Without one, start one: npx mayfly resume",
        exitCode: EXIT.unavailable,
        cause,
      },
    );
    this.reason = reason;
  }
}

/** The wait for a lease ended before it was free. */
export const leaseHeld = (run: string, holder: string | undefined, cause: unknown): UserError =>
  new UserError(
    "lease-held",
    holder === undefined
      ? `The lease of run ${run} could not be had: the API server gave no answer.`
      : `Run ${run} is worked on by ${holder}.`,
    {
      path: run,
      hint:
        holder === undefined
          ? "See whether it runs: kubectl cluster-info"
          : "Wait for it: npx mayfly wait RUN. Should that helper be dead, its lease runs out by itself.",
      exitCode: EXIT.unavailable,
      cause,
    },
  );
