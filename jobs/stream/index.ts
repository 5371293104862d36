// Streams as long-lived runs: start, suspend, resume, upgrade, rescale, savepoints. Each function loads what it needs when it is called.
import type { JobSpec } from "../../schema/job.ts";
import type { Savepoint } from "../ledger/index.ts";
import type { Started } from "../run/stream.ts";
import type {
  RescaleStreamOptions,
  ResumeStreamOptions,
  SuspendStreamOptions,
  UpgradeStreamOptions,
} from "./doors.ts";
import type { Rescaled, WantedSize } from "./rescale.ts";
import type { BroughtOn, Resumed } from "./resume.ts";
import type { ListedSavepoint } from "./savepoints.ts";
import type { Suspended } from "./suspend.ts";
import type { StreamOptions } from "./types.ts";
import type { UpgradeEnd } from "./upgrade-machine.ts";

export { STREAM_EXIT } from "./exit.ts";
export type {
  BroughtOn,
  ListedSavepoint,
  Rescaled,
  Resumed,
  Started,
  StreamOptions,
  Suspended,
  UpgradeEnd,
  WantedSize,
};

/**
 * Starts a stream and returns when it is healthy, or has ended before.
 * @param job A validated spec, or the path of a YAML or JSON file.
 * @throws UserError `stream-is-live`, and where nothing was made
 */
export async function startStream(job: JobSpec | string, options: StreamOptions = {}): Promise<Started> {
  return await (await import("./doors.ts")).startStream(job, options);
}

/** Ends a stream's live run with a savepoint. @throws UserError `suspend-failed` where it goes on, `already-suspended` */
export async function suspendStream(stream: string, options: SuspendStreamOptions = {}): Promise<Suspended> {
  return await (await import("./doors.ts")).suspendStream(stream, options);
}

/** Goes on with a stream that has ended, or that a helper left half done. @throws UserError `already-resumed`, `stream-is-live`, `nothing-to-resume` */
export async function resumeStream(
  stream: string,
  options: ResumeStreamOptions = {},
): Promise<Resumed | BroughtOn> {
  return await (await import("./doors.ts")).resumeStream(stream, options);
}

/** Replaces a live stream by a new version of its job, or leaves the old one running. @throws UserError where nothing was touched */
export async function upgradeStream(
  stream: string,
  job: JobSpec | string,
  options: UpgradeStreamOptions = {},
): Promise<UpgradeEnd> {
  return await (await import("./doors.ts")).upgradeStream(stream, job, options);
}

/** Gives a live stream another size. @throws UserError where nothing was touched */
export async function rescaleStream(
  stream: string,
  wanted: WantedSize,
  options: RescaleStreamOptions = {},
): Promise<Rescaled> {
  return await (await import("./doors.ts")).rescaleStream(stream, wanted, options);
}

/** Makes a savepoint of a live stream, which goes on. @throws UserError `savepoint-failed` */
export async function makeSavepoint(
  stream: string,
  options: StreamOptions & { readonly timeoutSeconds?: number | undefined } = {},
): Promise<{ readonly run: string; readonly location: string; readonly message: string }> {
  return await (await import("./doors.ts")).makeSavepoint(stream, options);
}

/** A stream's savepoints, newest first. */
export async function listSavepoints(
  stream: string,
  options: Pick<StreamOptions, "tenant"> & { readonly deleted?: boolean | undefined } = {},
): Promise<readonly ListedSavepoint[]> {
  return await (await import("./doors.ts")).listSavepoints(stream, options);
}

/** Deletes one savepoint, or all but the newest `keep`; never one that is needed. @returns Those that are gone. @throws UserError */
export async function deleteSavepoints(
  stream: string,
  which: { readonly location: string } | { readonly keep: number },
  options: StreamOptions = {},
): Promise<readonly Savepoint[]> {
  return await (await import("./doors.ts")).deleteSavepoints(stream, which, options);
}

/** Brings about the end of a stream's run that was asked for, where nobody works on it. @returns false where somebody does, who will. */
export async function endStream(
  run: string,
  options: Pick<StreamOptions, "onEvent" | "signal" | "connection"> = {},
): Promise<boolean> {
  return await (await import("./doors.ts")).endStream(run, options);
}
