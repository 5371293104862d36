import { anySignal } from "../../base/abort.ts";
import { UserError } from "../../base/errors.ts";
import type { CarryOutOptions } from "../run/stream.ts";
import { assertCompatible, assertLive, assertSameJob } from "./decide.ts";
import { STREAM_EXIT } from "./exit.ts";
import { type FoundStream, findStream, streamRun } from "./find.ts";
import { goOn, type NewVersion, type Resumed, type ResumeOptions, resumeStream } from "./resume.ts";
import { suspendStream } from "./suspend.ts";
import type { StreamPorts, StreamRun } from "./types.ts";
import {
  type FailedStart,
  isUpgradeEnd,
  nextUpgrade,
  UPGRADE_BEGINS,
  type UpgradeEnd,
  type UpgradeEvent,
  type UpgradeState,
} from "./upgrade-machine.ts";

export interface UpgradeOptions
  extends Pick<ResumeOptions, "allowNonRestoredState" | "forceVersion" | "onEvent">,
    Pick<CarryOutOptions, "timeoutSeconds"> {
  /** The new version is given up where it is not healthy after so long; where left out, after its environment's deadline for a start. */
  readonly healthyWithinSeconds?: number | undefined;
  /** Aborting gives the new version up: the old one goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Told before each step. */
  readonly onStep?: ((step: Exclude<UpgradeState, UpgradeEnd>) => void) | undefined;
}

/**
 * Replaces a live stream by a new version that goes on from its state. Everything is checked and planned before the old one is touched; where
 * the new one never becomes healthy the old one goes on from the same savepoint.
 * @throws UserError where nothing was touched
 */
export async function upgradeStream(
  ports: StreamPorts,
  { run }: FoundStream,
  version: NewVersion,
  options: UpgradeOptions = {},
): Promise<UpgradeEnd> {
  let state: UpgradeState = UPGRADE_BEGINS;
  while (!isUpgradeEnd(state)) {
    options.onStep?.(state);
    state = nextUpgrade(state, await perform(ports, state, run, version, options));
  }
  return state;
}

async function perform(
  ports: StreamPorts,
  state: Exclude<UpgradeState, UpgradeEnd>,
  old: StreamRun,
  version: NewVersion,
  options: UpgradeOptions,
): Promise<UpgradeEvent> {
  switch (state.phase) {
    case "checking":
      await checkUpgrade(ports, old, version, options);
      return { type: "checked" };
    case "suspending":
      return await suspendOld(ports, old, version, options);
    case "starting":
      return await answered(async () => await startNew(ports, old, version, options));
    case "rolling-back":
      return await answered(async () => await startOld(ports, old, state.savepoint, state.failed, options));
  }
}

/** @throws UserError */
async function checkUpgrade(
  ports: StreamPorts,
  old: StreamRun,
  { spec, file }: NewVersion,
  { forceVersion = false }: UpgradeOptions,
): Promise<void> {
  assertSameJob(old, spec, file);
  assertLive(old);
  const { version } = await ports.check(spec);
  if (spec.upgrade === "stateless") return;
  const origin = {
    location: `run ${old.run}`,
    kind: "savepoint",
    flinkVersion: old.plan?.version,
    native: undefined,
  } as const;
  assertCompatible({ origin, wrote: old.spec, reads: spec, version }, forceVersion);
}

async function suspendOld(
  ports: StreamPorts,
  old: StreamRun,
  { spec }: NewVersion,
  { timeoutSeconds, signal, onEvent }: UpgradeOptions,
): Promise<UpgradeEvent> {
  try {
    const lastState = spec.upgrade === "last-state";
    const found = { run: old, latest: old };
    const { location } = await suspendStream(ports, found, { timeoutSeconds, signal, onEvent, lastState });
    return { type: "suspended", savepoint: location };
  } catch (error) {
    if (error instanceof UserError && error.exitCode === STREAM_EXIT.notDone)
      return { type: "not-suspended", message: error.message };
    throw error;
  }
}

/** What became of a start; an error that is the user's or of the surroundings is as good as a run that failed. */
async function answered(start: () => Promise<Resumed["started"]>): Promise<UpgradeEvent> {
  try {
    const started = await start();
    if (started.kind === "running") return { type: "healthy", run: started.run };
    const { run, outcome, left } = started;
    const message = "message" in outcome ? outcome.message : outcome.kind;
    return { type: "unhealthy", failed: { run, message, left } };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { type: "unhealthy", failed: { run: undefined, message: error.message, left: [] } };
  }
}

async function startNew(
  ports: StreamPorts,
  old: StreamRun,
  version: NewVersion,
  options: UpgradeOptions,
): Promise<Resumed["started"]> {
  const { healthyWithinSeconds, signal } = options;
  const signals = [
    ...(signal === undefined ? [] : [signal]),
    ...(healthyWithinSeconds === undefined ? [] : [AbortSignal.timeout(healthyWithinSeconds * 1000)]),
  ];
  const bounded = { ...options, signal: signals.length === 0 ? undefined : anySignal(signals) };
  const run = streamRun(await ports.ledger.get(old.run));
  if (version.spec.upgrade === "stateless") return await goOn(ports, run, version.spec, undefined, bounded);
  return (await resumeStream(ports, { run, latest: run }, { ...bounded, version })).started;
}

/** Not bound to the caller's signal: somebody who interrupts an upgrade wants the old version to go on. */
async function startOld(
  ports: StreamPorts,
  old: StreamRun,
  savepoint: string,
  failed: FailedStart,
  { onEvent }: UpgradeOptions,
): Promise<Resumed["started"]> {
  const found = await findStream(ports.ledger, failed.run ?? old.run, undefined);
  const version = { spec: old.spec, file: `run ${old.run}` };
  return (await resumeStream(ports, found, { version, from: savepoint, forceVersion: true, onEvent }))
    .started;
}
