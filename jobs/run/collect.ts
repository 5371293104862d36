import { Readable } from "node:stream";
import type { Plan } from "../../schema/plan.ts";
import type { RunReport } from "../../schema/report.ts";
import type { ObjectStore } from "../store/index.ts";
import type { ContainerLog } from "../watch/index.ts";
import type { RunCluster } from "./cluster.ts";
import type { Journal } from "./journal.ts";

/** Where an attempt's files go: `s3://bucket/runs/tenant/job/run/attempt/`. */
export const logFolder = ({ logs }: Plan): string => `s3://${logs.bucket}/${logs.prefix}/`;

const logName = ({ pod, container, previous }: ContainerLog): string =>
  `${pod}/${container}${previous ? ".before-restart" : ""}.log`;

/** Saves every container's log to S3 while the pods still exist. What can't be saved is a warning, never the run's failure. */
export async function saveLogs(
  plan: Plan,
  cluster: Pick<RunCluster, "logs">,
  store: Pick<ObjectStore, "putStream">,
  journal: Pick<Journal, "saved" | "warn">,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const log of cluster.logs(plan.namespace, signal)) {
      const url = logFolder(plan) + logName(log);
      await store.putStream(url, Readable.from(log.text));
      journal.saved(url);
      if (log.truncated) journal.warn(`Only the end of ${url} was saved: the log was too long.`);
    }
  } catch (error) {
    journal.warn(`Not all logs were saved: ${signal.aborted ? "it took too long" : message(error)}`);
  }
}

/** Saves the report beside the logs. */
export async function saveReport(
  plan: Plan,
  report: RunReport,
  store: Pick<ObjectStore, "put">,
  warn: (message: string) => void,
): Promise<void> {
  const { renderJson, renderMarkdown } = await import("../report/index.ts");
  try {
    await Promise.all([
      store.put(`${logFolder(plan)}report.json`, renderJson(report), "application/json"),
      store.put(`${logFolder(plan)}report.md`, renderMarkdown(report), "text/markdown; charset=utf-8"),
    ]);
  } catch (error) {
    warn(`The report was not saved to S3: ${message(error)}`);
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
