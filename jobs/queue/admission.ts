import { EXIT, UserError } from "../../base/errors.ts";
import { type Limits, limitsOf } from "./types.ts";

/**
 * Pure: why a tenant may not queue a further run; undefined where it may.
 * @param queued Runs of the tenant that wait now.
 */
export function queueRefusal(tenant: string, queued: number, limits: Limits): UserError | undefined {
  const limit = limitsOf(limits, tenant).queued;
  if (queued < limit) return undefined;
  return new UserError("queue-full", `Tenant ${tenant} has ${queued} runs waiting; ${limit} may.`, {
    path: tenant,
    hint: "Submit it again once some have started (npx mayfly runs --state queued), or have the tenant's limit raised.",
    exitCode: EXIT.unavailable,
  });
}
