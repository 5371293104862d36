import { EXIT, UserError } from "../../base/errors.ts";
import { formatElapsed } from "../../base/progress.ts";
import type { RunEvent } from "../../schema/events.ts";
import type { FlinkStreamJob } from "../../schema/job.ts";
import type { FlinkPlan } from "../../schema/plan.ts";
import type { Ledger, Savepoint } from "../ledger/index.ts";
import type { Started } from "../run/stream.ts";
import { streamOf } from "../work/streams.ts";
import {
  alreadyResumed,
  assertCompatible,
  assertOwnSavepoint,
  assertResumable,
  assertSameJob,
  isLive,
  type Origin,
  resumeKey,
} from "./decide.ts";
import { type FoundStream, streamRun } from "./find.ts";
import { baseOf } from "./lineage.ts";
import type { StreamPorts, StreamRun } from "./types.ts";

export interface NewVersion {
  readonly spec: FlinkStreamJob;
  /** Where it was read from: for messages. */
  readonly file: string;
}

export interface ResumeOptions {
  /** Instead of the spec that it had. */
  readonly version?: NewVersion | undefined;
  /** Instead of its own newest state. */
  readonly from?: string | undefined;
  readonly allowNonRestoredState?: boolean | undefined;
  /** Insist on a version of Flink that is not promised to read the state. */
  readonly forceVersion?: boolean | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** Aborting before it is healthy cancels it: all of it is removed, and the state it was to start from stays. */
  readonly signal?: AbortSignal | undefined;
}

/** A run that goes on from another. */
export interface Resumed {
  readonly started: Exclude<Started, { kind: "existing" }>;
  /** What it went on from. */
  readonly before: string;
  readonly origin: Origin;
}

/** State, with the spec of the run that wrote it where that is known. */
export interface WrittenState {
  readonly origin: Origin;
  readonly wrote: FlinkStreamJob | undefined;
}

/** A live run that nobody worked on, and that is healthy now. */
export interface BroughtOn {
  readonly run: string;
}

/**
 * What `mayfly resume STREAM` does: first brings on what a helper left half done, then goes on with what has ended.
 * @throws UserError as {@link resumeStream}
 */
export async function resumeOrBringOn(
  ports: StreamPorts,
  found: FoundStream,
  options: ResumeOptions = {},
): Promise<Resumed | BroughtOn> {
  const { run, latest } = found;
  // A run that was healthy is left to `mayfly resume` without a name, and to workers.
  if (!isLive(latest) || latest.state === "running") return await resumeStream(ports, found, options);
  const after = await ports.bringOn(latest, options);
  if (after === undefined) return await resumeStream(ports, found, options);
  const now = streamRun(after);
  if (isLive(now)) return { run: now.run };
  return await resumeStream(ports, { run: run.run === now.run ? now : run, latest: now }, options);
}

/**
 * Goes on with a stream that has ended: from its savepoint where it was suspended, else from the newest state that it left.
 * @throws UserError `already-resumed`, `stream-is-live`, `nothing-to-resume`, and those of decide.ts
 */
export async function resumeStream(
  ports: StreamPorts,
  { run, latest }: FoundStream,
  options: ResumeOptions = {},
): Promise<Resumed> {
  const { version: given, from } = options;
  assertResumable(run, latest, await successorOf(ports, run));
  if (given !== undefined) assertSameJob(run, given.spec, given.file);
  const base = await baseOf(ports, run);
  if (base.run !== run.run && given === undefined)
    ports.note(`Run ${run.run} never was healthy: going on with the version before it, of run ${base.run}.`);
  const state = from === undefined ? await stateLeft(ports, base) : await stateNamed(ports, run, from);
  const spec = given?.spec ?? base.spec;
  const { version } = await ports.check(spec);
  assertCompatible({ ...state, reads: spec, version }, options.forceVersion === true);
  const started = await goOn(ports, run, spec, state.origin, options);
  return { started, before: run.run, origin: state.origin };
}

/** Starts the one run that goes on from another. @throws UserError `already-resumed` */
export async function goOn(
  { ledger, start }: Pick<StreamPorts, "ledger" | "start">,
  before: StreamRun,
  spec: FlinkStreamJob,
  origin: Origin | undefined,
  { allowNonRestoredState = false, onEvent, signal }: ResumeOptions,
): Promise<Resumed["started"]> {
  const started = await start(withoutOrigin(spec), {
    key: resumeKey(before.run),
    onEvent,
    signal,
    ...(origin === undefined
      ? {}
      : { from: { location: origin.location, kind: origin.kind, allowNonRestoredState } }),
  });
  if (started.kind === "existing") throw alreadyResumed(before.run, await ledger.get(started.run));
  return started;
}

/** What a stream began with long ago is not what it goes on from. */
function withoutOrigin({ from: _began, ...spec }: FlinkStreamJob): FlinkStreamJob {
  return spec;
}

async function successorOf({ ledger }: StreamPorts, { tenant, run }: StreamRun) {
  const successor = await ledger.find(tenant, resumeKey(run));
  return successor === undefined ? undefined : await ledger.get(successor);
}

/** @throws UserError `savepoint-missing`, `nothing-to-resume` */
async function stateLeft(ports: StreamPorts, base: StreamRun): Promise<WrittenState> {
  const { outcome, run, spec } = base;
  const plan = streamOf(base.plan);
  if (outcome?.kind === "suspended") {
    const { location } = await ports.state.check(
      await suspendedAt(ports, outcome.savepoint, plan),
      base.tenant,
    );
    return stateAt(location, await savepointAt(ports.ledger, location), spec, plan?.version);
  }
  const taken = await ports.ledger.savepoints({ run });
  const newest =
    plan !== undefined
      ? await ports.state.newest(
          plan,
          taken.map(({ location }) => location),
        )
      : undefined;
  if (newest !== undefined) {
    const { location, kind, at } = newest;
    ports.note(
      `Run ${run} was not suspended: going on from its newest ${kind}, ${formatElapsed(ports.now() - at.getTime())} old.`,
    );
    return stateAt(location, await savepointAt(ports.ledger, location), spec, plan?.version);
  }
  const began = plan?.restore?.location;
  if (began !== undefined) {
    await ports.state.check(began, base.tenant);
    ports.note(`Run ${run} left no state of its own: going on from what it began with.`);
    return stateAt(began, await savepointAt(ports.ledger, began), spec, undefined);
  }
  throw new UserError("nothing-to-resume", `Run ${run} left no state to go on from.`, {
    path: `run ${run}`,
    hint: `Name a savepoint (--from LOCATION; npx mayfly savepoints ${base.job}), or start without state: npx mayfly run FILE`,
    exitCode: EXIT.conflict,
  });
}

/**
 * Where a suspended stream's state is. One that was content with a checkpoint went on until its cluster was gone: what it had written for good
 * by a later checkpoint must not be written again.
 */
async function suspendedAt(
  { ledger, state }: StreamPorts,
  location: string,
  plan: FlinkPlan | undefined,
): Promise<string> {
  const known = await savepointAt(ledger, location);
  if (known?.kind !== "checkpoint" || plan === undefined) return location;
  return (await state.newest(plan, [location]))?.location ?? location;
}

/** What the ledger knows of a location, though its files may be gone. */
async function savepointAt(ledger: Pick<Ledger, "savepoints">, location: string) {
  const [known] = await ledger.savepoints({ location, deleted: true });
  return known;
}

/** Pure: what is known of state, from the ledger where it has it. */
function stateAt(
  location: string,
  known: Savepoint | undefined,
  wrote: FlinkStreamJob | undefined,
  version: string | undefined,
): WrittenState {
  const kind = known?.kind ?? (/\/chk-\d+\/?$/.test(location) ? "checkpoint" : "savepoint");
  return {
    wrote,
    origin: {
      location,
      kind,
      flinkVersion: known?.flinkVersion ?? version,
      native: known === undefined ? (kind === "checkpoint" ? true : undefined) : known.format === "native",
    },
  };
}

/** @throws UserError `savepoint-of-another-job`, `savepoint-missing`, `savepoint-foreign` */
async function stateNamed(
  ports: Pick<StreamPorts, "ledger" | "state">,
  stream: Pick<StreamRun, "job" | "tenant">,
  from: string,
): Promise<WrittenState> {
  const location = from.replace(/\/+$/, "");
  const known = await savepointAt(ports.ledger, location);
  assertOwnSavepoint(stream, location, known);
  await ports.state.check(location, stream.tenant);
  const wrote = known === undefined ? undefined : await specOf(ports, known.run);
  return stateAt(location, known, wrote, undefined);
}

/**
 * That a new stream can begin with the state that its spec names, if it does.
 * @throws UserError `savepoint-of-another-job`, `savepoint-missing`, `savepoint-foreign`, and those of {@link assertCompatible}
 */
export async function checkBeginning(
  ports: Pick<StreamPorts, "ledger" | "state" | "check">,
  spec: FlinkStreamJob,
): Promise<void> {
  if (spec.from === undefined) return;
  const state = await stateNamed(ports, { job: spec.name, tenant: spec.tenant }, spec.from.savepoint);
  const { version } = await ports.check(spec);
  assertCompatible({ ...state, reads: spec, version }, false);
}

/** Undefined where the run is forgotten. */
async function specOf(
  { ledger }: Pick<StreamPorts, "ledger">,
  run: string,
): Promise<FlinkStreamJob | undefined> {
  try {
    return streamRun(await ledger.get(run)).spec;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
