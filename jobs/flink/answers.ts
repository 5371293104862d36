import { z } from "zod";
import { type FlinkCheckpoints, type FlinkJob, JOB_STATES, type TriggerState } from "./types.ts";

// What Flink's REST answers, read by zod: only the fields that are used, so that versions may differ in the rest. Samples of real
// answers of 1.20.1 and 2.3.0 are in test/unit/flink/answers.
// https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/rest_api/

const count = z.number().default(0);

const Vertex = z.object({
  id: z.string(),
  name: z.string(),
  parallelism: z.number(),
  maxParallelism: z.number().default(-1),
  tasks: z.record(z.string(), z.number()).default({}),
  metrics: z.object({ "read-records": count, "write-records": count }).optional(),
});

/** Flink's plan of the job: a node for each vertex. One that the scheduler has not made yet has none. */
const Nodes = z.object({
  nodes: z
    .array(z.object({ id: z.string(), inputs: z.array(z.object({ id: z.string() })).nullish() }))
    .default([]),
});

const Job = z.object({
  state: z.enum(JOB_STATES),
  "start-time": z.number(),
  duration: z.number(),
  now: z.number(),
  vertices: z.array(Vertex).default([]),
  plan: Nodes.nullish().catch(undefined),
});

export function readJob(answer: unknown): FlinkJob {
  const job = Job.parse(answer);
  const nodes = job.plan?.nodes ?? [];
  const inputs = new Set(nodes.flatMap(({ inputs }) => (inputs ?? []).map(({ id }) => id)));
  return {
    state: job.state,
    startedAt: job["start-time"],
    uptimeMs: job.duration,
    now: job.now,
    vertices: job.vertices.map(({ metrics, ...vertex }) => ({
      ...vertex,
      read: metrics?.["read-records"] ?? 0,
      written: metrics?.["write-records"] ?? 0,
    })),
    sources: nodes.filter(({ inputs }) => (inputs ?? []).length === 0).map(({ id }) => id),
    sinks: nodes.filter(({ id }) => !inputs.has(id)).map(({ id }) => id),
  };
}

const Checkpoint = z.object({
  id: z.number(),
  trigger_timestamp: z.number(),
  end_to_end_duration: z.number(),
  state_size: z.number(),
  external_path: z.string().nullish(),
});

const FailedCheckpoint = z.object({
  id: z.number(),
  failure_timestamp: z.number().nullish(),
  trigger_timestamp: z.number(),
  failure_message: z.string().nullish(),
});

const Summary = z.object({ avg: z.number() }).nullish();

const Checkpoints = z.object({
  counts: z.object({
    completed: z.number(),
    failed: z.number(),
    in_progress: z.number(),
    restored: z.number(),
  }),
  latest: z.object({ completed: Checkpoint.nullish(), failed: FailedCheckpoint.nullish() }).nullish(),
  summary: z.object({ state_size: Summary, end_to_end_duration: Summary }).nullish(),
});

export function readCheckpoints(answer: unknown): FlinkCheckpoints {
  const { counts, latest, summary } = Checkpoints.parse(answer);
  const [bytes, durationMs] = [summary?.state_size?.avg, summary?.end_to_end_duration?.avg];
  const { completed, failed } = latest ?? {};
  return {
    completed: counts.completed,
    failed: counts.failed,
    inProgress: counts.in_progress,
    restored: counts.restored,
    last: completed
      ? {
          id: completed.id,
          at: completed.trigger_timestamp,
          durationMs: completed.end_to_end_duration,
          bytes: completed.state_size,
          location: completed.external_path ?? "",
        }
      : undefined,
    mean: bytes === undefined || durationMs === undefined ? undefined : { bytes, durationMs },
    lastFailure: failed
      ? {
          id: failed.id,
          at: failed.failure_timestamp ?? failed.trigger_timestamp,
          message: failed.failure_message ?? "Flink gives no reason",
        }
      : undefined,
  };
}

/** 1.x has `root-exception` too; both have the history, newest first. */
const Exceptions = z.object({
  "root-exception": z.string().nullish(),
  exceptionHistory: z
    .object({ entries: z.array(z.object({ stacktrace: z.string() })).default([]) })
    .nullish(),
});

export function readRootException(answer: unknown): string | undefined {
  const exceptions = Exceptions.parse(answer);
  return exceptions.exceptionHistory?.entries[0]?.stacktrace ?? exceptions["root-exception"] ?? undefined;
}

const Cause = z.object({ class: z.string().default(""), "stack-trace": z.string().default("") });

/** `status.id` says only whether it is over: whether it went well is in `operation`. */
const Trigger = z.object({
  status: z.object({ id: z.enum(["IN_PROGRESS", "COMPLETED"]) }),
  operation: z.object({ location: z.string().nullish(), "failure-cause": Cause.nullish() }).nullish(),
});

export function readTrigger(answer: unknown): TriggerState {
  const { status, operation } = Trigger.parse(answer);
  if (status.id === "IN_PROGRESS") return { kind: "in-progress" };
  const failure = operation?.["failure-cause"];
  if (failure) return { kind: "failed", message: failureText(failure["stack-trace"], failure.class) };
  const location = operation?.location ?? "";
  return location === ""
    ? { kind: "failed", message: "Flink says that it is complete, but gives neither a location nor a reason" }
    : { kind: "completed", location };
}

/** The innermost exception that says something, without its frames. */
export function failureText(stackTrace: string, otherwise: string): string {
  const lines = stackTrace.split("\n").filter((line) => /^\S/.test(line) && !line.startsWith("..."));
  const texts = lines.map((line) =>
    line
      .replace(/^Caused by: /, "")
      .replace(AWS_NOISE, "")
      .trim(),
  );
  const found = texts.findLast((text) => /^[\w.$]+: \S/.test(text)) ?? texts.at(-1) ?? otherwise;
  return found.length <= LONGEST ? found : `${found.slice(0, LONGEST)}…`;
}

const LONGEST = 500;

/** Ids of requests, which the AWS SDK repeats after every sentence. */
const AWS_NOISE = /\s*\(Service: .*$/;

const Measured = z.union([z.number(), z.string()]).transform(Number).optional();

/** Single metrics have a `value`, those over all subtasks what was asked for; NaN is not a number in JSON, hence text. */
const Metrics = z.array(
  z.object({
    id: z.string(),
    value: Measured,
    sum: Measured,
    max: Measured,
  }),
);

export function readMetrics(answer: unknown): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { id, value, sum, max } of Metrics.parse(answer)) {
    const number = value ?? sum ?? max;
    if (number !== undefined && Number.isFinite(number)) found[id] = number;
  }
  return found;
}

export const readMetricNames = (answer: unknown): readonly string[] =>
  z
    .array(z.object({ id: z.string() }))
    .parse(answer)
    .map(({ id }) => id);

const Requirements = z.record(
  z.string(),
  z.object({ parallelism: z.object({ lowerBound: z.number(), upperBound: z.number() }) }),
);

export const readRequirements = (answer: unknown): Record<string, { lower: number; upper: number }> =>
  Object.fromEntries(
    Object.entries(Requirements.parse(answer)).map(([vertex, { parallelism }]) => [
      vertex,
      { lower: parallelism.lowerBound, upper: parallelism.upperBound },
    ]),
  );

/** What a refusal says: the first line of the first that tells anything. */
export function readErrors(answer: unknown): string {
  const body = z.object({ errors: z.array(z.string()) }).safeParse(answer);
  const texts = body.success ? body.data.errors.filter((text) => text !== "") : [];
  return failureText(
    texts.join("\n").replaceAll(/^<Exception on server side:\s*|End of exception on server side>$/gm, ""),
    "no reason given",
  );
}
