import type { StateAt, StatePlan, StateStore } from "./types.ts";

/** The newest complete checkpoint that attempts of the plan's run, up to the plan's own, left. */
export async function newestCheckpoint(_store: StateStore, _plan: StatePlan): Promise<StateAt | undefined> {
  await Promise.resolve();
  throw new Error("not built yet");
}

/** The newest of those savepoints and of {@link newestCheckpoint} that is still there. */
export async function newestState(
  _store: StateStore,
  _plan: StatePlan,
  _savepoints: readonly string[],
): Promise<StateAt | undefined> {
  await Promise.resolve();
  throw new Error("not built yet");
}

/** The newest savepoint of exactly this attempt made after `since` that is not in `known`. */
export async function finishedSavepoint(
  _store: StateStore,
  _plan: StatePlan,
  _options: { readonly since: Date; readonly known: readonly string[] },
): Promise<string | undefined> {
  await Promise.resolve();
  throw new Error("not built yet");
}

/** @throws UserError `savepoint-missing`, `savepoint-invalid`, and the store's own */
export async function checkSavepoint(_store: StateStore, _location: string): Promise<StateAt> {
  await Promise.resolve();
  throw new Error("not built yet");
}

/** Deletes a savepoint's folder. @returns objects removed @throws UserError `savepoint-invalid` for a folder that is none, and the store's own */
export async function deleteSavepoint(_store: StateStore, _location: string): Promise<number> {
  await Promise.resolve();
  throw new Error("not built yet");
}
