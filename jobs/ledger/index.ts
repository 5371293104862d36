// The ledger: what is known of runs, before, while and after they are. The database's library is loaded when a ledger is opened.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { stateDir } from "../../base/paths.ts";
import type { Ledger } from "./types.ts";

export { notAStream } from "./refusals.ts";
export type * from "./types.ts";
export { LIVE_STATES, RESUMED, RunStateName, TERMINAL_STATES } from "./types.ts";

/** `MAYFLY_LEDGER`, else a file in the state folder. */
export const ledgerUrl = (): string =>
  process.env["MAYFLY_LEDGER"] ?? `sqlite://${pathToFileURL(join(stateDir(), "ledger.sqlite")).pathname}`;

/**
 * Opens a ledger, and makes its tables where they are missing.
 * @param url `sqlite:///path` or `postgres://user@host/database`; the password may be in PGPASSWORD or the file PGPASSFILE.
 * @throws UserError `ledger-url-invalid`, `ledger-newer`, `ledger-foreign`, `ledger-missing`, and those of {@link Ledger}.
 */
export async function openLedger(url: string = ledgerUrl()): Promise<Ledger> {
  return await (await import("./open.ts")).openLedger(url);
}
