import { EXIT, UserError } from "../../base/errors.ts";
import type { LeaseTiming } from "../lease/index.ts";

const VARIABLE = "MAYFLY_LEASE_SECONDS";

/**
 * How long a lease lasts: 30 s, or what `MAYFLY_LEASE_SECONDS` says (tests take 4). All workers of a ledger should have the same.
 * @throws UserError `lease-duration-invalid`
 */
export function leaseTiming(text = process.env[VARIABLE]): LeaseTiming {
  const seconds = text === undefined || text === "" ? 30 : Number(text);
  if (!Number.isInteger(seconds) || seconds < 4 || seconds > 3600) {
    throw new UserError(
      "lease-duration-invalid",
      `${VARIABLE} is not a duration for a lease: ${text ?? ""}`,
      {
        path: VARIABLE,
        hint: "Give whole seconds from 4 to 3600; 30 is the default.",
        exitCode: EXIT.usage,
      },
    );
  }
  const duration = seconds * 1000;
  return {
    duration,
    renew: Math.round(duration / 3),
    retry: Math.round(duration / 15),
    call: Math.round(duration / 6),
    margin: Math.round(duration / 10),
    poll: Math.round(duration / 15),
  };
}
