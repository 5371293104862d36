// An upgrade as a state machine, without effects: what is done next, and how it can end.

/** Where an upgrade is. Until `suspended` the old run is untouched; from then on its state is at `savepoint`. */
export type UpgradeState =
  | { readonly phase: "checking" }
  | { readonly phase: "suspending" }
  | { readonly phase: "starting"; readonly savepoint: string }
  | { readonly phase: "rolling-back"; readonly savepoint: string; readonly failed: FailedStart }
  | UpgradeEnd;

/** A run that never became healthy; its cluster is gone but for what is `left`. */
export interface FailedStart {
  readonly run: string | undefined;
  readonly message: string;
  readonly left: readonly string[];
}

export type UpgradeEnd =
  | { readonly phase: "done"; readonly savepoint: string; readonly run: string }
  /** The old run goes on: it could not be suspended. */
  | { readonly phase: "untouched"; readonly message: string }
  | {
      readonly phase: "rolled-back";
      readonly savepoint: string;
      readonly run: string;
      readonly failed: FailedStart;
    }
  /** Neither runs. */
  | {
      readonly phase: "stuck";
      readonly savepoint: string;
      readonly failed: FailedStart;
      readonly rollback: FailedStart;
    };

export type UpgradeEvent =
  | { readonly type: "checked" }
  | { readonly type: "suspended"; readonly savepoint: string }
  | { readonly type: "not-suspended"; readonly message: string }
  | { readonly type: "healthy"; readonly run: string }
  | { readonly type: "unhealthy"; readonly failed: FailedStart };

export const UPGRADE_BEGINS: UpgradeState = { phase: "checking" };

export const isUpgradeEnd = (state: UpgradeState): state is UpgradeEnd =>
  state.phase === "done" ||
  state.phase === "untouched" ||
  state.phase === "rolled-back" ||
  state.phase === "stuck";

/** Pure: the state after an event. What does not fit the state is a defect of the caller, and thrown. */
export function nextUpgrade(state: UpgradeState, event: UpgradeEvent): UpgradeState {
  switch (event.type) {
    case "checked":
      if (state.phase === "checking") return { phase: "suspending" };
      break;
    case "suspended":
      if (state.phase === "suspending") return { phase: "starting", savepoint: event.savepoint };
      break;
    case "not-suspended":
      if (state.phase === "suspending") return { phase: "untouched", message: event.message };
      break;
    case "healthy":
      if (state.phase === "starting") return { phase: "done", savepoint: state.savepoint, run: event.run };
      if (state.phase === "rolling-back") {
        const { savepoint, failed } = state;
        return { phase: "rolled-back", savepoint, run: event.run, failed };
      }
      break;
    case "unhealthy":
      if (state.phase === "starting")
        return { phase: "rolling-back", savepoint: state.savepoint, failed: event.failed };
      if (state.phase === "rolling-back") {
        const { savepoint, failed } = state;
        return { phase: "stuck", savepoint, failed, rollback: event.failed };
      }
      break;
  }
  throw new Error(`an upgrade that is ${state.phase} can't be told ${event.type}`);
}
