import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { EXIT, UserError } from "../../base/errors.ts";
import type { Plan } from "../../schema/plan.ts";
import { type ObjectStore, openStore } from "../store/index.ts";
import type { RunCluster } from "./cluster.ts";
import { logFolder } from "./collect.ts";
import { readConnection } from "./environment.ts";
import { openRecorded } from "./inspect.ts";
import { withLedger } from "./ledger.ts";
import { isEnded, type PlannedRun, planned } from "./records.ts";
import type { LogOptions } from "./types.ts";

/** See index.ts. */
export async function runLogs(run: string, options: LogOptions): Promise<void> {
  const record = await withLedger(async (ledger) => planned(await ledger.get(run)));
  const gone = isEnded(record.state) && record.left.length === 0;
  if (!gone && (await liveLogs(record, options))) return;
  const connection = await readConnection(options.connection ?? record.connection);
  const store = openStore(connection.s3);
  try {
    await savedLogs(record.plan, options, store);
  } finally {
    store.close();
  }
}

/** Returns false when the run's namespace is gone. */
async function liveLogs(record: PlannedRun, options: LogOptions): Promise<boolean> {
  const cluster = await openRecorded(record, options);
  try {
    await cluster.check();
    const state = await cluster.namespaceState(record.plan.namespace);
    if (state.kind !== "ours") return false;
    if (options.follow === true) await followLogs(record, options, cluster);
    else await printLogs(record.plan, options, cluster);
    return true;
  } finally {
    cluster.close();
  }
}

const wanted = ({ container }: LogOptions): string => container ?? "driver";

async function printLogs(plan: Plan, options: LogOptions, cluster: RunCluster): Promise<void> {
  const signal = options.signal ?? new AbortController().signal;
  for await (const { pod, container, text } of cluster.logs(plan.namespace, signal)) {
    if (container !== wanted(options)) continue;
    await eachLine(Readable.from(text), `${pod}/${container}`, options);
  }
}

/** Follows each pod's container from the moment that the watch sees it run. */
async function followLogs(
  { plan, submittedAt }: PlannedRun,
  options: LogOptions,
  cluster: RunCluster,
): Promise<void> {
  const end = new AbortController();
  const stop = (): void => {
    end.abort();
  };
  options.signal?.addEventListener("abort", stop, { once: true });
  const followed = new Map<string, Promise<void>>();
  const follow = (pod: string, role: string): void => {
    if (followed.has(pod) || role !== (wanted(options) === "worker" ? "worker" : "coordinator")) return;
    const source = `${pod}/${wanted(options)}`;
    const onLine = (line: string): void => {
      options.onLine({ source, line });
    };
    const target = { namespace: plan.namespace, pod, container: wanted(options) };
    followed.set(
      pod,
      cluster.followLog(target, onLine, end.signal).catch(() => undefined),
    );
  };
  await cluster.watch(plan, {
    startedAt: new Date(submittedAt),
    signal: end.signal,
    sink: {
      pod: (pod, role, state) => {
        if (state !== "gone") follow(pod, role);
      },
    },
  });
  // The driver has ended: what it still said arrives, and then the other logs end too.
  if (wanted(options) !== "driver") end.abort();
  await Promise.all(followed.values());
  options.signal?.removeEventListener("abort", stop);
}

async function savedLogs(plan: Plan, options: LogOptions, store: ObjectStore): Promise<void> {
  const urls = await store.list(logFolder(plan));
  const names = [`/${wanted(options)}.before-restart.log`, `/${wanted(options)}.log`];
  // By name, so that what a container said before its last restart comes first.
  const logs = urls.filter((url) => names.some((name) => url.endsWith(name))).toSorted();
  if (logs.length === 0) {
    throw new UserError("no-logs", `No log of ${wanted(options)} was saved for run ${plan.run}.`, {
      path: logFolder(plan),
      hint: "The run may have ended before its pods started; see its report: npx mayfly status RUN".replace(
        "RUN",
        plan.run,
      ),
      exitCode: EXIT.missingInput,
    });
  }
  for (const url of logs)
    await eachLine(await store.get(url), url.slice(logFolder(plan).length, -".log".length), options);
}

async function eachLine(stream: Readable, source: string, { onLine }: LogOptions): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    onLine({ source, line });
  }
}
