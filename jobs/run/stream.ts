// Work on streams from the process of whoever asks: no worker is needed for it.

import { randomBytes } from "node:crypto";
import { anySignal } from "../../base/abort.ts";
import { EXIT, UserError } from "../../base/errors.ts";
import type { RunEvent } from "../../schema/events.ts";
import type { FlinkStreamJob, JobSpec } from "../../schema/job.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Restore } from "../../schema/plan.ts";
import type { RunReport } from "../../schema/report.ts";
import { startEngine } from "../engine/index.ts";
import type { Ledger, LedgerRun, Wish } from "../ledger/index.ts";
import { Orphans } from "../work/orphans.ts";
import { placeOf } from "../work/place.ts";
import { queuedState, writeState } from "../work/state.ts";
import { streamOf, streamSpec } from "../work/streams.ts";
import { type TendTools, tend, untilResting } from "../work/tend.ts";
import { leaseTiming } from "../work/timing.ts";
import { NOT_YET_EXIT } from "../work/wait.ts";
import { openRunCluster } from "./cluster.ts";
import { findConnection, readConnection, readContract } from "./environment.ts";
import { lazyCluster } from "./lazy-cluster.ts";
import { withLedger } from "./ledger.ts";
import { holderOf, thisHelper } from "./liveness.ts";
import { newRunId, planAttempt } from "./prepare.ts";
import { isEnded } from "./records.ts";
import type { EnvironmentOptions } from "./types.ts";

/** All the outside that work on streams needs; {@link withStreams} opens it. */
export interface StreamTools extends Omit<TendTools, "ledger" | "holder"> {
  readonly ledger: Ledger;
}

export interface StartOptions {
  /** State to start with instead of the spec's own `from`. */
  readonly from?: Restore | undefined;
  readonly runId?: string | undefined;
  /** Of two starts of a tenant with one key the first makes the run, the second gets it. */
  readonly key?: string | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** Aborting before the stream is healthy cancels the run: all of it is removed. */
  readonly signal?: AbortSignal | undefined;
}

export type Started =
  /** It is healthy, and nobody holds it: a worker, or the next command, looks after it. */
  | { readonly kind: "running"; readonly run: string }
  /** It never became healthy, or was cancelled. `report` is missing where it never had a plan. */
  | {
      readonly kind: "ended";
      readonly run: string;
      readonly outcome: Outcome;
      readonly report: RunReport | undefined;
      readonly left: readonly string[];
    }
  /** The key's run was there already. */
  | { readonly kind: "existing"; readonly run: string };

/** What is asked of a live stream. */
export type Asked =
  /** `lastState`: a retained checkpoint to be content with, where no savepoint can be had. */
  | { readonly kind: "suspend"; readonly lastState?: string | undefined }
  | { readonly kind: "savepoint" }
  | { readonly kind: "rescale"; readonly taskManagers: number; readonly parallelism: number };

export interface CarryOutOptions {
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** Ends the wait; what is asked stands. */
  readonly signal?: AbortSignal | undefined;
  /** The same after so many seconds. */
  readonly timeoutSeconds?: number | undefined;
}

/** What became of it. A suspend that is done has ended its run: nothing of it is there any more but what is `left`. */
export interface Answered {
  readonly run: string;
  readonly ok: boolean;
  readonly message: string;
  /** Of a suspend or savepoint that is done. */
  readonly savepoint: string | undefined;
  readonly left: readonly string[];
}

/** Opens ledger, cluster, store and engine for as long as `work` takes. @throws UserError */
export async function withStreams<T>(
  options: EnvironmentOptions,
  work: (tools: StreamTools) => Promise<T>,
): Promise<T> {
  const timing = leaseTiming();
  const path = await findConnection(options.connection);
  const connection = await readConnection(path);
  const engine = startEngine(connection);
  try {
    const contract = await readContract(connection.contract);
    const cluster = lazyCluster(() =>
      openRunCluster(connection, async () => await Promise.resolve(contract)),
    );
    const place = placeOf({ path, connection, contract }, cluster, timing);
    const { duration } = timing;
    const { leaseLooks } = place;
    const orphans = new Orphans({ leaseLooks, monotonic: () => performance.now(), duration });
    try {
      return await withLedger(async (ledger) => await work({ ...place, engine, ledger, orphans }));
    } finally {
      place.close();
    }
  } finally {
    await engine.close();
  }
}

/**
 * Starts a stream and brings it to where it is healthy; further attempts too, as its budget allows. Needs no worker, and leaves the run
 * without a holder.
 * @throws UserError `stream-is-live` where the job has a live run; where nothing was made
 */
export async function startStream(
  given: JobSpec,
  tools: StreamTools,
  options: StartOptions = {},
): Promise<Started> {
  const { key, onEvent = ignore, signal = NEVER } = options;
  const spec = startingFrom(given, options.from);
  const run = options.runId ?? (await newRunId(spec));
  const { environment, ledger, store } = tools;
  const { plan } = await planAttempt(spec, environment.contract, { run, attempt: 1, restore: options.from });
  const state = streamOf(plan)?.restore?.location;
  // Before anything is made: neither can become better by another attempt.
  const { checkSavepoint } = await import("../flink/index.ts");
  await Promise.all([tools.cluster.check(), ...(state === undefined ? [] : [checkSavepoint(store, state)])]);
  const holder = holderOf(await thisHelper());
  const submitted = await ledger.submit(
    {
      run,
      key,
      spec,
      environment: environment.contract.name,
      connection: environment.path,
      holder,
      machine: writeState(queuedState(run, spec)),
    },
    { exclusive: true },
  );
  if (!submitted.created) return { kind: "existing", run: submitted.run };
  const row = await tend(
    run,
    { ...tools, holder },
    {
      onEvent,
      signal,
      onAbort: "cancel",
      until: untilResting(holder),
    },
  );
  if (!isEnded(row.state)) return { kind: "running", run };
  const { outcome = LOST, report, left } = row;
  return { kind: "ended", run, outcome, report, left };
}

const LOST: Outcome = { kind: "lost", message: "The run ended without a verdict." };
const NEVER = new AbortController().signal;
const ignore = (): void => undefined;

/** The spec tells by itself what its first attempt starts from, whoever makes it. */
function startingFrom(given: JobSpec, from: Restore | undefined): FlinkStreamJob {
  const spec = streamSpec(given);
  if (spec === undefined)
    throw new UserError("not-a-stream", `Job ${given.name} is no stream.`, {
      path: "kind",
      hint: "Only Flink jobs of `kind: stream` are started so; run others with `mayfly run`.",
      exitCode: EXIT.invalidInput,
    });
  if (from === undefined) return spec;
  const { location, allowNonRestoredState } = from;
  return { ...spec, from: { savepoint: location, allowNonRestoredState } };
}

/**
 * Asks something of a live stream, and sees that it is done: here where nobody holds the run, else by its holder.
 * @throws UserError `not-answered` where that took too long; those of `Ledger.wish`
 */
export async function carryOut(
  run: string,
  asked: Asked,
  tools: StreamTools,
  options: CarryOutOptions = {},
): Promise<Answered> {
  const { onEvent = ignore, timeoutSeconds } = options;
  const limit = timeoutSeconds === undefined ? undefined : AbortSignal.timeout(timeoutSeconds * 1000);
  const signals = [options.signal, limit].filter((signal) => signal !== undefined);
  const wish = await tools.ledger.wish(run, {
    id: randomBytes(16).toString("hex"),
    at: new Date().toISOString(),
    ...asked,
  });
  const row = await tend(
    run,
    { ...tools, holder: holderOf(await thisHelper()) },
    {
      onEvent,
      signal: anySignal(signals),
      onAbort: "leave",
      until: ({ wish: now }) => now?.id !== wish.id,
    },
  );
  if (row.wish?.id === wish.id) throw notAnswered(run, wish);
  return await answerOf(row, wish, tools.ledger);
}

const notAnswered = (run: string, { kind }: Wish): UserError =>
  new UserError("not-answered", `Run ${run} was asked for a ${kind}, which is not done yet.`, {
    path: `run ${run}`,
    hint: `It stands, and a worker goes on with it, as does asking again. See how far it is: npx mayfly show ${run}`,
    exitCode: NOT_YET_EXIT,
  });

/** What the holder said; where it could not say it, what became of the run. */
async function answerOf(row: LedgerRun, wish: Wish, ledger: Pick<Ledger, "events">): Promise<Answered> {
  const { run, outcome, left } = row;
  const { events } = await ledger.events(run);
  const answer = events
    .map(({ event }) => event)
    .findLast((event) => event.type === "answer" && event.wish === wish.id);
  if (answer?.type === "answer")
    return { run, ok: answer.ok, message: answer.message, savepoint: answer.savepoint, left };
  const suspended = wish.kind === "suspend" && outcome?.kind === "suspended";
  return {
    run,
    ok: suspended,
    message: outcome !== undefined && "message" in outcome ? outcome.message : `The run is ${row.state}.`,
    savepoint: suspended ? outcome.savepoint : undefined,
    left,
  };
}
