import { type Picked, pickMetrics } from "./stream-watch.ts";
import {
  type FlinkCall,
  type FlinkCheckpoints,
  type FlinkJob,
  type FlinkRest,
  FlinkRestError,
  type StreamSample,
} from "./types.ts";

/** More vertices than these are not asked for metrics of their own. */
const MAX_VERTICES = 16;

/** Takes samples of one job, and remembers which metrics its vertices have: Flink answers nothing at all where one name is unknown. */
export class StreamSampler {
  readonly #rest: FlinkRest;
  readonly #picked = new Map<string, Picked>();

  constructor(rest: FlinkRest) {
    this.#rest = rest;
  }

  /** @returns undefined where Flink's REST does not answer now */
  async take(
    job: FlinkJob,
    call: FlinkCall,
  ): Promise<{ readonly sample: StreamSample; readonly checkpoints: FlinkCheckpoints } | undefined> {
    try {
      const [checkpoints, metrics, records] = await Promise.all([
        this.#rest.checkpoints(call),
        this.#rest.jobMetrics(["numRestarts", "numRescales"], call),
        this.#records(job, call),
      ]);
      const { last } = checkpoints;
      const sample: StreamSample = {
        at: job.now,
        state: job.state,
        uptimeMs: job.uptimeMs,
        // The adaptive scheduler counts a rescale as a restart too; 1.x does not tell them apart.
        restarts: Math.max(0, (metrics["numRestarts"] ?? 0) - (metrics["numRescales"] ?? 0)),
        checkpoints: {
          completed: checkpoints.completed,
          failed: checkpoints.failed,
          lastBytes: last?.bytes,
          lastDurationMs: last?.durationMs,
          lastAt: last?.at,
          lastId: last?.id,
          mean: checkpoints.mean,
        },
        ...records,
        parallelism: Math.max(0, ...job.vertices.map(({ parallelism }) => parallelism)),
      };
      return { sample, checkpoints };
    } catch (error) {
      call.signal?.throwIfAborted();
      if (error instanceof FlinkRestError) return undefined;
      throw error;
    }
  }

  async #records(
    job: FlinkJob,
    call: FlinkCall,
  ): Promise<Pick<StreamSample, "recordsIn" | "recordsOut" | "pendingRecords" | "lagMs">> {
    const ends = job.vertices.filter(({ id }) => job.sources.includes(id) || job.sinks.includes(id));
    let recordsIn = 0;
    let recordsOut = 0;
    let pendingRecords: number | undefined;
    let lagMs: number | undefined;
    for (const { id, read, written } of ends.slice(0, MAX_VERTICES)) {
      const picked = await this.#names(id, call);
      const counts = await this.#ask(id, [...picked.given, ...picked.taken, ...picked.pending], "sum", call);
      const lags = await this.#ask(id, picked.lag, "max", call);
      if (job.sources.includes(id)) recordsIn += total(counts, picked.given) ?? written;
      if (job.sinks.includes(id)) recordsOut += total(counts, picked.taken) ?? read;
      const pending = total(counts, picked.pending);
      if (pending !== undefined) pendingRecords = (pendingRecords ?? 0) + pending;
      for (const lag of Object.values(lags)) lagMs = Math.max(lagMs ?? 0, lag);
    }
    return { recordsIn, recordsOut, pendingRecords, lagMs };
  }

  async #names(vertex: string, call: FlinkCall): Promise<Picked> {
    const known = this.#picked.get(vertex);
    if (known !== undefined) return known;
    const picked = pickMetrics(await this.#rest.metricNames(vertex, call));
    // Metrics come up to ten seconds after the tasks: with none, the next sample looks again.
    if (picked.given.length + picked.taken.length > 0) this.#picked.set(vertex, picked);
    return picked;
  }

  async #ask(
    vertex: string,
    names: readonly string[],
    combine: "sum" | "max",
    call: FlinkCall,
  ): Promise<Readonly<Record<string, number>>> {
    if (names.length === 0) return {};
    const found = await this.#rest.vertexMetrics(vertex, names, combine, call);
    if (Object.keys(found).length === 0) this.#picked.delete(vertex);
    return found;
  }
}

function total(metrics: Readonly<Record<string, number>>, names: readonly string[]): number | undefined {
  const found = names.flatMap((name) => metrics[name] ?? []);
  return found.length === 0 ? undefined : found.reduce((sum, value) => sum + value, 0);
}
