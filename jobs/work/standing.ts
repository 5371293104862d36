import { UserError } from "../../base/errors.ts";
import type { TenantLimits } from "../../schema/service.ts";
import { limitsOf } from "../queue/index.ts";
import { readConnection, readContract } from "../run/environment.ts";
import { withLedger } from "../run/ledger.ts";
import { limitsFrom } from "./limits.ts";

/** How much a run's tenant has, of what it may have, in the run's environment. */
export interface Standing {
  readonly tenant: string;
  /** Kept clusters too. */
  readonly working: number;
  readonly queued: number;
  readonly limits: TenantLimits;
}

/** Undefined where the run's environment can't be read on this machine. @throws UserError `unknown-run` */
export async function queueOf(run: string): Promise<Standing | undefined> {
  return await withLedger(async (ledger) => {
    const { tenant, environment, connection: path } = await ledger.get(run);
    try {
      const { contract } = await readConnection(path);
      const limits = limitsOf(limitsFrom(await readContract(contract), 1), tenant);
      const load = (await ledger.load(environment)).find((one) => one.tenant === tenant);
      return { tenant, working: (load?.working ?? 0) + (load?.kept ?? 0), queued: load?.queued ?? 0, limits };
    } catch (error) {
      // It was submitted on another machine.
      if (error instanceof UserError && /^(connection|contract)-/.test(error.code)) return undefined;
      throw error;
    }
  });
}
