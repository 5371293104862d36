// What index.ts promises, with the outside opened around it.
import { UserError } from "../../base/errors.ts";
import type { JobSpec } from "../../schema/job.ts";
import { deleteSavepoint } from "../flink/index.ts";
import { readConnection } from "../run/environment.ts";
import { withLedger } from "../run/ledger.ts";
import { readSpec } from "../run/prepare.ts";
import { type Started, startStream as startRun, withStreams } from "../run/stream.ts";
import { openStore } from "../store/index.ts";
import { streamSpec } from "../work/streams.ts";
import { isLive } from "./decide.ts";
import { type FoundStream, findStream, newestRun, streamRun } from "./find.ts";
import { portsOf } from "./ports.ts";
import { rescaleStream as rescale, type WantedSize } from "./rescale.ts";
import { checkBeginning, type NewVersion, type ResumeOptions, resumeOrBringOn } from "./resume.ts";
import * as savepoints from "./savepoints.ts";
import { type SuspendOptions, suspendStream as suspend } from "./suspend.ts";
import type { StreamOptions, StreamPorts } from "./types.ts";
import { type UpgradeOptions, upgradeStream as upgrade } from "./upgrade.ts";

export type SuspendStreamOptions = StreamOptions & SuspendOptions;
export type UpgradeStreamOptions = StreamOptions & UpgradeOptions;
export type RescaleStreamOptions = StreamOptions & UpgradeOptions;
export type ResumeStreamOptions = StreamOptions &
  Omit<ResumeOptions, "version"> & {
    /** Spec of a new version, or its file. */
    readonly job?: JobSpec | string | undefined;
  };

const ignore = (): void => undefined;

/** Finds the stream, then opens the environment that its run was made in. */
async function withStream<T>(
  name: string,
  { tenant, connection, onNote = ignore }: StreamOptions,
  work: (ports: StreamPorts, found: FoundStream) => Promise<T>,
): Promise<T> {
  const { latest } = await withLedger(async (ledger) => await findStream(ledger, name, tenant));
  return await withStreams({ connection: connection ?? latest.connection }, async (tools) => {
    const ports = portsOf(tools, onNote);
    // Once more: opening took a while.
    return await work(ports, await findStream(ports.ledger, name, tenant));
  });
}

/** @throws UserError `not-a-stream` */
async function readVersion(job: JobSpec | string): Promise<NewVersion> {
  const given = await readSpec(job);
  const file = typeof job === "string" ? job : `job ${given.name}`;
  const spec = streamSpec(given);
  if (spec !== undefined) return { spec, file };
  throw new UserError("not-a-stream", `Job ${given.name} is no stream.`, {
    path: file,
    hint: "A stream's spec has `engine: flink` and `kind: stream`; it can't become another kind of job.",
  });
}

export async function startStream(job: JobSpec | string, options: StreamOptions): Promise<Started> {
  const { spec } = await readVersion(job);
  const { connection, onEvent, signal, onNote = ignore } = options;
  return await withStreams({ connection }, async (tools) => {
    const { name, tenant } = spec;
    const environment = tools.environment.contract.name;
    const latest = await newestRun(tools.ledger, { tenant, job: name, environment });
    if (latest?.outcome?.kind === "suspended" && spec.from === undefined && !isLive(latest))
      onNote(
        `Stream ${name} was suspended: this run begins without that state. To go on with it: npx mayfly resume ${name}`,
      );
    await checkBeginning(portsOf(tools, onNote), spec);
    return await startRun(spec, tools, { onEvent, signal });
  });
}

export async function suspendStream(name: string, options: SuspendStreamOptions) {
  return await withStream(name, options, async (ports, found) => await suspend(ports, found, options));
}

export async function resumeStream(name: string, { job, ...options }: ResumeStreamOptions) {
  const version = job === undefined ? undefined : await readVersion(job);
  return await withStream(
    name,
    options,
    async (ports, found) => await resumeOrBringOn(ports, found, { ...options, version }),
  );
}

export async function upgradeStream(name: string, job: JobSpec | string, options: UpgradeStreamOptions) {
  const version = await readVersion(job);
  return await withStream(
    name,
    options,
    async (ports, found) => await upgrade(ports, found, version, options),
  );
}

export async function rescaleStream(name: string, wanted: WantedSize, options: RescaleStreamOptions) {
  return await withStream(
    name,
    options,
    async (ports, found) => await rescale(ports, found, wanted, options),
  );
}

export async function makeSavepoint(
  name: string,
  options: StreamOptions & { readonly timeoutSeconds?: number | undefined },
) {
  return await withStream(
    name,
    options,
    async (ports, found) => await savepoints.makeSavepoint(ports, found, options),
  );
}

export async function listSavepoints(
  name: string,
  { tenant, deleted }: Pick<StreamOptions, "tenant"> & { readonly deleted?: boolean | undefined },
) {
  return await withLedger(
    async (ledger) =>
      await savepoints.listSavepoints({ ledger }, await findStream(ledger, name, tenant), deleted),
  );
}

/** Needs the store alone: the cluster may be gone long since. */
export async function deleteSavepoints(
  name: string,
  which: { readonly location: string } | { readonly keep: number },
  { tenant, connection, onNote = ignore }: StreamOptions,
) {
  return await withLedger(async (ledger) => {
    const found = await findStream(ledger, name, tenant);
    const { s3 } = await readConnection(connection ?? found.latest.connection);
    const store = openStore(s3);
    try {
      const remove = async (location: string) => await deleteSavepoint(store, location);
      const ports = { ledger, state: { remove }, now: () => Date.now(), note: onNote };
      return "location" in which
        ? [await savepoints.deleteOne(ports, found, which.location)]
        : await savepoints.keepOnly(ports, found.latest, which.keep);
    } finally {
      store.close();
    }
  });
}

export async function endStream(
  run: string,
  { connection, onEvent, signal }: Pick<StreamOptions, "onEvent" | "signal" | "connection">,
): Promise<boolean> {
  return await withStream(run, { connection }, async ({ ledger, bringOn }) => {
    const row = streamRun(await ledger.get(run));
    return (await bringOn(row, { onEvent, signal, toEnd: true })) !== undefined;
  });
}
