// Flink's REST of one stream, made up: it takes orders and ends as a test says.
import {
  type FlinkJob,
  type FlinkJobState,
  type FlinkRest,
  FlinkRestError,
} from "../../../jobs/flink/index.ts";
import type { StoredObject } from "../../../jobs/store/index.ts";

/** How it behaves; all is well where nothing is said. */
export interface FlinkScene {
  /** What comes of each order for a savepoint, in order: its location, or why there is none; `never`: it does not come; the last one stays. */
  readonly savepoints?: readonly (string | Error)[];
  /** The job can't have another parallelism. */
  readonly rescale?: "refused";
  /** Not all tasks run. */
  readonly unhealthy?: boolean;
}

export interface FakeFlink {
  readonly rest: FlinkRest;
  /** Orders and sizes that it was given. */
  readonly orders: string[];
  /** Objects of savepoints, as S3 has them. */
  readonly objects: StoredObject[];
  /** The job comes into another state. */
  readonly become: (state: FlinkJobState) => void;
}

export function fakeFlink(scene: FlinkScene = {}): FakeFlink {
  const orders: string[] = [];
  const objects: StoredObject[] = [];
  const taken = new Map<string, string | Error>();
  const results = [
    ...(scene.savepoints ?? ["s3://acme-data/state/nightly-orders/savepoints/savepoint-1f2e3d-0123456789ab"]),
  ];
  let state: FlinkJobState = "RUNNING";
  let parallelism = 2;
  const job = (): FlinkJob => ({
    state,
    startedAt: 0,
    uptimeMs: 1000,
    now: 1000,
    sources: ["v1"],
    sinks: ["v1"],
    vertices: [
      {
        id: "v1",
        name: "counts",
        parallelism,
        maxParallelism: 128,
        tasks: scene.unhealthy === true ? { RUNNING: 1, INITIALIZING: 1 } : { RUNNING: parallelism },
        read: 0,
        written: 0,
      },
    ],
  });
  const order =
    (kind: string) =>
    async ({ trigger }: { readonly trigger: string }): Promise<void> => {
      await Promise.resolve();
      if (taken.has(trigger)) return;
      orders.push(kind);
      const result = (results.length > 1 ? results.shift() : results[0]) ?? new Error("no result");
      taken.set(trigger, result);
      if (result === "never") return;
      if (typeof result === "string") objects.push({ url: `${result}/_metadata`, at: new Date(), bytes: 1 });
      if (kind === "stop" && typeof result === "string") state = "FINISHED";
    };
  return {
    orders,
    objects,
    become: (next) => {
      state = next;
    },
    rest: {
      jobId: "f".repeat(32),
      job: async () => await Promise.resolve(job()),
      checkpoints: async () =>
        await Promise.resolve({
          completed: 3,
          failed: 0,
          inProgress: 0,
          restored: 0,
          last: undefined,
          lastFailure: undefined,
        }),
      rootException: async () => await Promise.resolve("java.lang.IllegalStateException: bad record"),
      jobMetrics: async () => await Promise.resolve({ numRestarts: 0 }),
      metricNames: async () => await Promise.resolve([]),
      vertexMetrics: async () => await Promise.resolve({}),
      stop: order("stop"),
      savepoint: order("savepoint"),
      trigger: async (trigger) => {
        await Promise.resolve();
        const result = taken.get(trigger);
        if (result === undefined) return { kind: "forgotten" };
        if (result === "never") return { kind: "in-progress" };
        return typeof result === "string"
          ? { kind: "completed", location: result }
          : { kind: "failed", message: result.message };
      },
      requirements: async () => await Promise.resolve({ v1: { lower: 1, upper: parallelism } }),
      require: async (wanted) => {
        await Promise.resolve();
        orders.push(`parallelism ${wanted["v1"]?.upper ?? 0}`);
        if (scene.rescale === "refused")
          throw new FlinkRestError("refused", "not of the adaptive scheduler", { status: 400 });
        parallelism = wanted["v1"]?.upper ?? parallelism;
      },
      close: () => undefined,
    },
  };
}
