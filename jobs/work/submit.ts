import { EXIT, UserError } from "../../base/errors.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { DataInterval, Ledger } from "../ledger/index.ts";
import { queueRefusal } from "../queue/index.ts";
import { findConnection, readConnection, readContract } from "../run/environment.ts";
import { withLedger } from "../run/ledger.ts";
import { newRunId, planAttempt, readSpec } from "../run/prepare.ts";
import type { EnvironmentOptions } from "../run/types.ts";
import { defaultLimits } from "./limits.ts";
import { queuedState, writeState } from "./state.ts";

export interface SubmitOptions extends EnvironmentOptions {
  /** Of two submissions of a tenant with one key the first makes the run, the second gets it. */
  readonly key?: string | undefined;
  /** Larger first; default 0. */
  readonly priority?: number | undefined;
  readonly interval?: DataInterval | undefined;
}

export interface Submitted {
  readonly run: string;
  /** false where the key's run was there already. */
  readonly created: boolean;
}

/** See index.ts. */
export async function submitJob(job: JobSpec | string, options: SubmitOptions = {}): Promise<Submitted> {
  const { key, priority, interval } = options;
  const path = await findConnection(options.connection);
  const connection = await readConnection(path);
  const [spec, contract] = await Promise.all([readSpec(job), readContract(connection.contract)]);
  const run = await newRunId(spec);
  return await withLedger(async (ledger) => {
    // What was taken once is not judged again: the tenant's queue may be full of it.
    if (key === undefined || !(await isKnown(ledger, spec.tenant, key))) {
      await planAttempt(spec, contract, { run, attempt: 1 });
      await checkQueue(ledger, spec.tenant);
    }
    return await ledger.submit({
      run,
      key,
      spec,
      environment: contract.name,
      connection: path,
      interval,
      priority,
      machine: writeState(queuedState(run, spec)),
    });
  });
}

const isKnown = async (ledger: Ledger, tenant: string, key: string): Promise<boolean> =>
  (await ledger.list({ tenant })).some((row) => row.key === key);

/** @throws UserError `queue-full` */
async function checkQueue(ledger: Ledger, tenant: string): Promise<void> {
  const queued = await ledger.list({ states: ["queued"], tenant });
  const refusal = queueRefusal(tenant, queued.length, defaultLimits(1));
  if (refusal !== undefined) throw refusal;
}

/** @throws UserError `priority-invalid` */
export function parsePriority(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && Math.abs(value) <= 1000) return value;
  throw new UserError("priority-invalid", `Not a priority: ${text}`, {
    path: "--priority",
    hint: "Give a whole number from -1000 to 1000; larger goes first, 0 is the default.",
    exitCode: EXIT.usage,
  });
}
