// What belongs to no live run of the ledger: found, shown, removed. See docs/reap.md.
import { EXIT } from "../../base/errors.ts";
import { LEFT_BEHIND_EXIT } from "../../schema/outcome.ts";
import { ORPHANS_EXIT, type ReapOptions, type ReapResult } from "./types.ts";

export type { Reaped, ReapOptions, ReapResult } from "./types.ts";

/**
 * Finds what belongs to no live run in an environment's cluster, its state backend and this machine's work folder, and removes it where
 * told to; each only if, looked at once more, it still is an orphan.
 * @throws UserError of the ledger, the connection and the cluster; nothing was removed then.
 */
export async function reap(options: ReapOptions = {}): Promise<ReapResult> {
  return await (await import("./reap.ts")).reap(options);
}

/** 0 where nothing is left, 21 where something could not be removed, 22 where something was not to be removed. */
export function reapExitCode({ orphans }: Pick<ReapResult, "orphans">): number {
  if (orphans.some(({ fate }) => fate === "failed")) return LEFT_BEHIND_EXIT;
  return orphans.some(({ fate }) => fate === "kept") ? ORPHANS_EXIT : EXIT.ok;
}
