// When a stream's cluster came so far, seen by somebody who is not Mayfly: by the API server, the node's processes, Flink's own metrics.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Cluster } from "../../../jobs/watch/index.ts";
import { processesWith } from "../../faults/processes.ts";

/** Times in milliseconds of `performance.now()`. */
export interface Milestones {
  /** The JobManager's pod is there: what Mayfly and Pulumi do for a start is done. */
  readonly podExists: number;
  /** Its container's first process began: what Kubernetes does is done. */
  readonly started: number;
  /** A record came to the counting task. */
  readonly firstRecord: number;
}

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), uid: z.string(), labels: z.record(z.string(), z.string()) }),
      status: z.object({ podIP: z.string().optional() }),
    }),
  ),
});

const LOOK_MS = 100;
/** Prometheus' reporter of each TaskManager (docs/flink.md). */
const METRICS_PORT = 9249;

/**
 * Watches pods of a job that are not of `before` until one of them counts.
 * @param before Uids of pods of an earlier attempt or run.
 */
export async function milestones(
  cluster: Cluster,
  job: string,
  before: ReadonlySet<string>,
  { seconds = 240, signal }: { seconds?: number; signal?: AbortSignal } = {},
): Promise<Milestones> {
  const end = performance.now() + seconds * 1000;
  let podExists: number | undefined;
  let manager: string | undefined;
  while (performance.now() < end && signal?.aborted !== true) {
    const pods = (await podsOf(cluster, job)).filter(({ uid }) => !before.has(uid));
    manager ??= pods.find(({ role }) => role === "coordinator")?.name;
    if (manager !== undefined) podExists ??= performance.now();
    const addresses = pods.flatMap(({ role, ip }) => (role === "worker" && ip !== undefined ? [ip] : []));
    const counted = await Promise.all(addresses.map(recordsAt));
    if (podExists !== undefined && manager !== undefined && counted.some((count) => count > 0)) {
      const firstRecord = performance.now();
      return { podExists, started: await startOf(manager), firstRecord };
    }
    await sleep(LOOK_MS);
  }
  throw new Error(`no record of ${job} within ${seconds} s`);
}

/** Of all pods of a job. */
export const uidsOf = async (cluster: Cluster, job: string): Promise<ReadonlySet<string>> =>
  new Set((await podsOf(cluster, job)).map(({ uid }) => uid));

async function podsOf(cluster: Cluster, job: string) {
  const list = await cluster.api.get("/api/v1/pods", { query: { labelSelector: `mayfly.dev/job=${job}` } });
  return Pods.parse(list).items.map(({ metadata: { name, uid, labels }, status }) => ({
    ...{ name, uid, role: labels["mayfly.dev/role"], ip: status.podIP },
  }));
}

/** Records that came to tasks of a TaskManager; 0 where it does not answer yet. */
async function recordsAt(address: string): Promise<number> {
  try {
    const answer = await fetch(`http://${address}:${METRICS_PORT}/metrics`, {
      signal: AbortSignal.timeout(1000),
    });
    return recordsIn(await answer.text());
  } catch {
    return 0;
  }
}

/** The sum of all tasks' incoming records. Sources have none. */
export const recordsIn = (metrics: string): number =>
  [...metrics.matchAll(/^flink_taskmanager_job_task_numRecordsIn\{[^}]*\} ([\d.eE+]+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );

/** When a pod's first process began. The lab's pods are processes of this machine, and carry the pod's name as HOSTNAME. */
async function startOf(pod: string): Promise<number> {
  const found = await processesWith({ name: "HOSTNAME", value: pod });
  const uptime = Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]);
  const now = performance.now();
  const ages = await Promise.all(
    found.map(async ({ pid }) => {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
      // Field 22, in hundredths of a second since the machine's start: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
      return uptime - Number(stat.split(") ").at(-1)?.split(" ")[19] ?? Number.NaN) / 100;
    }),
  );
  const oldest = Math.max(...ages.filter(Number.isFinite));
  return now - oldest * 1000;
}

/** How long a namespace of the job was being deleted, in seconds, while `work` was done; what Kubernetes needs of a removal. */
export async function namespaceGoing(cluster: Cluster, job: string, work: Promise<unknown>): Promise<number> {
  const over = { yet: false };
  const end = work.then(
    () => {
      over.yet = true;
    },
    () => {
      over.yet = true;
    },
  );
  let [first, last] = [Number.NaN, Number.NaN];
  while (!over.yet) {
    const list = await cluster.api.text("/api/v1/namespaces", {
      query: { labelSelector: `mayfly.dev/job=${job}` },
    });
    if (list.includes('"phase":"Terminating"')) {
      last = performance.now();
      if (Number.isNaN(first)) first = last;
    }
    await Promise.race([sleep(LOOK_MS), end]);
  }
  return (last - first) / 1000;
}
