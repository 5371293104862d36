import { pause } from "./pause.ts";
import { type FlinkJob, type FlinkRest, FlinkRestError, type RescaleResult } from "./types.ts";

interface RescaleOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Between questions; 0.5 s where left out. */
  readonly pollMs?: number;
  readonly onWarning?: (message: string) => void;
}

const POLL_MS = 500;

/**
 * Has a live job run with another parallelism, in place, and waits until all its tasks run with it. The adaptive scheduler needs the
 * slots for it: have the TaskManagers first where there are to be more, take them away afterwards where there are to be fewer.
 * Operators that can't have as many (their maximum parallelism) keep their own limit. Asked again, it goes on waiting.
 * @throws the signal's reason
 */
export async function rescaleJob(
  rest: FlinkRest,
  parallelism: number,
  options: RescaleOptions,
): Promise<RescaleResult> {
  const end = performance.now() + options.timeoutMs;
  let wanted: Wanted | undefined;
  let told: string | undefined;
  let seen: FlinkJob | undefined;
  while (performance.now() < end) {
    try {
      wanted ??= await ask(rest, parallelism, options.signal);
      seen = await rest.job({ signal: options.signal });
      if (seen.state === "FINISHED" || seen.state === "FAILED" || seen.state === "CANCELED") {
        return { kind: "refused", message: `The job is ${seen.state}.` };
      }
      if (isScaled(seen, wanted)) return { kind: "rescaled", parallelism };
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof FlinkRestError)) throw error;
      if (error.kind === "refused" || (error.kind === "strange" && wanted === undefined)) {
        return { kind: "refused", message: error.message };
      }
      if (error.kind === "away" && error.message !== told) options.onWarning?.((told = error.message));
      // A JobManager that begins anew has forgotten what it was asked for.
      if (error.kind === "not-found") wanted = undefined;
    }
    await pause(options.pollMs ?? POLL_MS, options.signal);
  }
  const now = seen === undefined ? undefined : largest(seen);
  const seconds = Math.round(options.timeoutMs / 1000);
  return {
    kind: "timeout",
    parallelism: now,
    message: `The job did not run with parallelism ${parallelism} within ${seconds} s${now === undefined ? "" : `: it has ${now}`}.`,
  };
}

/** @returns What each vertex is to have */
async function ask(rest: FlinkRest, parallelism: number, signal: AbortSignal): Promise<Wanted> {
  const [requirements, job] = await Promise.all([rest.requirements({ signal }), rest.job({ signal })]);
  const wanted = wantedBounds(requirements, job, parallelism);
  if (wanted === undefined) {
    throw new FlinkRestError(
      "refused",
      "Flink can't tell operators that follow the job's parallelism from those with one of their own, since all have 1 now.",
    );
  }
  const isAsked = Object.entries(requirements).every(([id, { upper }]) => upper === wanted[id]);
  if (!isAsked) {
    const bounds: Record<string, { lower: number; upper: number }> = {};
    for (const [id, upper] of Object.entries(wanted)) bounds[id] = { lower: 1, upper };
    await rest.require(bounds, { signal });
  }
  return wanted;
}

type Wanted = Readonly<Record<string, number>>;

/**
 * Upper bounds by vertex. Those that have as many as any follow the job's parallelism, up to their maximum; an operator to which the
 * job gave fewer (`setParallelism`, a sink's committer) keeps its own, as it would after a restart. Undefined where they can't be told
 * apart. Pure.
 */
export function wantedBounds(
  requirements: Readonly<Record<string, { readonly upper: number }>>,
  { vertices }: Pick<FlinkJob, "vertices">,
  parallelism: number,
): Wanted | undefined {
  const uppers = Object.values(requirements).map(({ upper }) => upper);
  const largest = Math.max(0, ...uppers);
  if (largest === 1 && uppers.length > 1 && parallelism > 1) return undefined;
  return Object.fromEntries(
    Object.entries(requirements).map(([id, { upper }]) => {
      const max = vertices.find((vertex) => vertex.id === id)?.maxParallelism ?? -1;
      const most = max > 0 ? Math.min(parallelism, max) : parallelism;
      return [id, upper === largest ? most : Math.min(upper, parallelism)];
    }),
  );
}

const largest = ({ vertices }: FlinkJob): number =>
  Math.max(0, ...vertices.map(({ parallelism }) => parallelism));

const isScaled = (job: FlinkJob, wanted: Wanted): boolean =>
  isRunning(job) && job.vertices.every(({ id, parallelism }) => parallelism === (wanted[id] ?? parallelism));

/** All tasks of all vertices run, or have come to the end of what they had to do. */
export const isRunning = ({ state, vertices }: FlinkJob): boolean =>
  state === "RUNNING" &&
  vertices.length > 0 &&
  vertices.some(({ tasks }) => (tasks["RUNNING"] ?? 0) > 0) &&
  vertices.every(
    ({ parallelism, tasks }) => (tasks["RUNNING"] ?? 0) + (tasks["FINISHED"] ?? 0) === parallelism,
  );
