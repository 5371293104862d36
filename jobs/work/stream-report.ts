// What is told of a live stream and, at its end, reported of it.
import type { JobSpec } from "../../schema/job.ts";
import { OUTCOME_EXIT, type Outcome } from "../../schema/outcome.ts";
import type { FlinkPlan } from "../../schema/plan.ts";
import type { StreamReport } from "../../schema/stream.ts";
import type { StreamSample } from "../flink/types.ts";
import type { Ledger } from "../ledger/index.ts";
import { originOf, type ReportInput } from "../report/build.ts";
import { lastTold, streamReport } from "../report/stream.ts";
import type { Journal } from "../run/journal.ts";
import { type Checkpointing, checkpointingOf, healthTeller } from "../watch/health.ts";
import { stateLeft } from "./stream-state.ts";
import { streamSpec } from "./streams.ts";
import type { Driven } from "./types.ts";

/** Between what the ledger's events are told of a stream that lives for months. */
const TELL_MS = 3_600_000;
/** What was told less than this ago is the last word too. */
const NEWS_MS = 10_000;

/** Tells of a stream by its samples: warnings where it is not well, and numbers for whoever can't ask Flink. */
export class StreamTeller {
  readonly #plan: FlinkPlan;
  readonly #spec: JobSpec | undefined;
  readonly #journal: Pick<Journal, "emit" | "warn">;
  readonly #health: (samples: readonly StreamSample[]) => void;
  #samples: readonly StreamSample[] = [];
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(plan: FlinkPlan, spec: JobSpec | undefined, journal: Pick<Journal, "emit" | "warn">) {
    this.#plan = plan;
    this.#spec = spec;
    this.#journal = journal;
    this.#health = healthTeller(checkpointing(spec), journal.warn);
  }

  /** @param samples All that are kept of this attempt. */
  readonly sampled = (samples: readonly StreamSample[]): void => {
    this.#samples = samples;
    this.#health(samples);
    this.#tell(TELL_MS);
  };

  /** Nobody looks any more, for now. */
  readonly ends = (): void => {
    this.#tell(NEWS_MS);
  };

  #tell(afterMs: number): void {
    const last = this.#samples.at(-1);
    if (last === undefined || last.at - this.#toldAt < afterMs) return;
    this.#toldAt = last.at;
    const { attempt } = this.#plan;
    const stream = streamReport(this.#samples, {
      savepoints: [],
      checkpointing: checkpointing(this.#spec),
      startedFrom: originOf(this.#plan),
    });
    this.#journal.emit({ type: "stream", attempt, stream });
  }
}

/** What the spec says of checkpoints; undefined where there is none. */
export const checkpointing = (spec: JobSpec | undefined): Checkpointing | undefined => {
  const stream = streamSpec(spec);
  return stream === undefined ? undefined : checkpointingOf(stream);
};

/** A run's savepoints that are there, as reports show them. */
export async function savepointsOf(
  ledger: Pick<Ledger, "savepoints">,
  run: string,
): Promise<StreamReport["savepoints"]> {
  const found = await ledger.savepoints({ run });
  return found.map(({ location, kind, reason, at, attempt }) => ({ location, kind, reason, at, attempt }));
}

/** What a stream's report says beside its numbers. */
export async function streamFacts(
  { run, spec, tools }: Pick<Driven, "run" | "spec" | "tools">,
  stream: FlinkPlan,
  outcome: Outcome,
): Promise<NonNullable<ReportInput["stream"]>> {
  // A ledger or a store that is away takes nothing else from the report.
  const savepoints = await savepointsOf(tools.ledger, run.run).catch(() => []);
  const newest = await newestOf(tools, stream, outcome).catch(() => undefined);
  const events = await tools.ledger.events(run.run).then(
    (found) => found.events.map(({ event }) => event),
    () => [],
  );
  const before = lastTold(events, stream.attempt);
  return { savepoints, newest, before, checkpointing: checkpointing(spec) };
}

/** A stream that was suspended says itself where its state is, and of one that was cancelled it is gone. */
async function newestOf(
  { ledger, store }: Pick<Driven["tools"], "ledger" | "store">,
  plan: FlinkPlan,
  outcome: Outcome,
): Promise<StreamReport["newest"]> {
  if (OUTCOME_EXIT[outcome.kind] === 0 || outcome.kind === "cancelled") return undefined;
  const state = await stateLeft(ledger, store, plan);
  return state && { location: state.location, kind: state.kind, at: state.at.toISOString() };
}
