import { z } from "zod";
import {
  readCheckpoints,
  readErrors,
  readJob,
  readMetricNames,
  readMetrics,
  readRequirements,
  readRootException,
  readTrigger,
} from "./answers.ts";
import type { Ask } from "./http.ts";
import { type FlinkRest, FlinkRestError } from "./types.ts";

type Call = Parameters<Ask>[2];

/** Flink's REST for one job. @param ask How it is reached. */
export function flinkRest(ask: Ask, jobId: string, close: () => void): FlinkRest {
  const job = `/v1/jobs/${jobId}`;

  const call = async <T>(
    method: Parameters<Ask>[0],
    path: string,
    read: (body: unknown) => T,
    options?: Call,
  ): Promise<T> => {
    const { status, body } = await ask(method, path, options);
    if (status < 200 || status >= 300) throw failed(status, body);
    try {
      return read(body);
    } catch (cause) {
      if (!(cause instanceof z.ZodError)) throw cause;
      throw new FlinkRestError(
        "strange",
        `Flink's answer to ${method} ${path.replace(jobId, "…")} is of an unknown form: ${z.prettifyError(cause)}`,
        { status, cause },
      );
    }
  };
  const nothing = (): void => undefined;

  return {
    jobId,
    job: (options) => call("GET", job, readJob, options),
    checkpoints: (options) => call("GET", `${job}/checkpoints`, readCheckpoints, options),
    rootException: (options) => call("GET", `${job}/exceptions?maxExceptions=1`, readRootException, options),
    jobMetrics: (names, options) => call("GET", `${job}/metrics?get=${list(names)}`, readMetrics, options),
    metricNames: (vertex, options) =>
      call("GET", `${job}/vertices/${vertex}/subtasks/metrics`, readMetricNames, options),
    vertexMetrics: (vertex, names, combine, options) =>
      call(
        "GET",
        `${job}/vertices/${vertex}/subtasks/metrics?get=${list(names)}&agg=${combine}`,
        readMetrics,
        options,
      ),
    // Camel case here, hyphens below: Flink ignores what it does not know, and would take its own default folder.
    stop: ({ trigger, folder, format }, options) =>
      call("POST", `${job}/stop`, nothing, {
        ...options,
        body: { targetDirectory: folder, drain: false, formatType: format, triggerId: trigger },
      }),
    savepoint: ({ trigger, folder, format }, options) =>
      call("POST", `${job}/savepoints`, nothing, {
        ...options,
        body: { "target-directory": folder, "cancel-job": false, formatType: format, triggerId: trigger },
      }),
    trigger: async (trigger, options) => {
      try {
        return await call("GET", `${job}/savepoints/${trigger}`, readTrigger, options);
      } catch (error) {
        if (error instanceof FlinkRestError && error.kind === "not-found") return { kind: "forgotten" };
        throw error;
      }
    },
    requirements: (options) => call("GET", `${job}/resource-requirements`, readRequirements, options),
    require: (requirements, options) =>
      call("PUT", `${job}/resource-requirements`, nothing, {
        ...options,
        body: Object.fromEntries(
          Object.entries(requirements).map(([vertex, { lower, upper }]) => [
            vertex,
            { parallelism: { lowerBound: lower, upperBound: upper } },
          ]),
        ),
      }),
    close,
  };
}

/** Commas separate names, and operators' names may hold anything. */
const list = (names: readonly string[]): string => names.map(encodeURIComponent).join(",");

/** 503 is a JobManager that has just begun and leads nothing yet. */
function failed(status: number, body: unknown): FlinkRestError {
  const message = readErrors(body);
  if (status === 404) return new FlinkRestError("not-found", message, { status });
  if (status === 503)
    return new FlinkRestError("away", `Flink's JobManager is not ready: ${message}`, { status });
  return new FlinkRestError("refused", `Flink refuses it (${status}): ${message}`, { status });
}
