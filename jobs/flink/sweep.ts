import type { StatePlan, StateStore, Sweep } from "./types.ts";

/** Deletes all checkpoints of the plan's run: of all its attempts, under every random prefix. Savepoints and other runs stay. */
export async function sweepCheckpoints(_store: StateStore, _plan: StatePlan): Promise<Sweep> {
  await Promise.resolve();
  throw new Error("not built yet");
}
