// How runs use the ledger: open it, take over what older versions left, forget what is old.
import { EXIT, UserError } from "../../base/errors.ts";
import { parseDuration } from "../../schema/quantity.ts";
import { type Ledger, openLedger } from "../ledger/index.ts";
import { takeOverFiles } from "./takeover.ts";

/** How long ended runs are remembered where `MAYFLY_RETENTION` says nothing. */
const RETENTION = "90d";

/** Opens the ledger of this process's environment. @throws UserError as `openLedger`; `retention-invalid` */
export async function openRunLedger(): Promise<Ledger> {
  retentionSeconds();
  const ledger = await openLedger();
  await takeOverFiles(ledger);
  return ledger;
}

/** Opens the ledger for one use. */
export async function withLedger<T>(use: (ledger: Ledger) => Promise<T>): Promise<T> {
  const ledger = await openRunLedger();
  try {
    return await use(ledger);
  } finally {
    await ledger.close();
  }
}

/** Forgets runs that ended longer ago than the retention. What can't be forgotten now is later; a run never fails by it. */
export async function pruneLedger(ledger: Ledger, now = Date.now()): Promise<void> {
  try {
    await ledger.prune(new Date(now - retentionSeconds() * 1000).toISOString());
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.emitWarning(`Old runs could not be forgotten: ${error.message}`);
  }
}

function retentionSeconds(): number {
  const text = process.env["MAYFLY_RETENTION"] ?? RETENTION;
  const seconds = parseDuration(text);
  if (seconds !== undefined) return seconds;
  throw new UserError("retention-invalid", `MAYFLY_RETENTION is no duration: ${text}`, {
    path: "MAYFLY_RETENTION",
    hint: "Give a positive duration with its unit, such as 90d or 12h.",
    exitCode: EXIT.usage,
  });
}
