import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import type { Observation, UsageView } from "./observe.ts";

/** One line of the Prometheus text form: name, labels, value, time in ms. */
const LINE = /^(\w+)\{([^}]*)\} (\S+)(?: (\d+))?$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

const MIB = 1024 * 1024;

/**
 * Reads the kubelet's `/metrics/resource` for the containers of one namespace. Pure.
 * @param at Time of samples that carry none, in ms.
 */
export function parseResourceMetrics(text: string, namespace: string, at: number): UsageView[] {
  const found = new Map<
    string,
    { pod: string; container: string; at: number; cpu?: number; memory?: number }
  >();
  for (const line of text.split("\n")) {
    if (!line.startsWith("container_cpu_usage") && !line.startsWith("container_memory_working_set")) continue;
    const match = LINE.exec(line);
    if (match === null) continue;
    const labels = new Map(
      [...(match[2] ?? "").matchAll(LABEL)].map(([, name = "", value = ""]) => [name, value]),
    );
    const value = Number(match[3]);
    const [pod, container] = [labels.get("pod"), labels.get("container")];
    if (labels.get("namespace") !== namespace || pod === undefined || container === undefined) continue;
    if (!Number.isFinite(value)) continue;
    const key = `${pod}/${container}`;
    const sample = found.get(key) ?? { pod, container, at: match[4] === undefined ? at : Number(match[4]) };
    if (match[1] === "container_cpu_usage_seconds_total") sample.cpu = value;
    if (match[1] === "container_memory_working_set_bytes") sample.memory = value / MIB;
    found.set(key, sample);
  }
  return [...found.values()].flatMap(({ cpu, memory, ...sample }) =>
    cpu === undefined || memory === undefined ? [] : [{ ...sample, cpuSeconds: cpu, memoryMib: memory }],
  );
}

const SAMPLE_MS = 2000;

/**
 * Samples what the run's containers use, every two seconds, until `signal` aborts. Says once where it may not; a node that does
 * not answer is left out of that sample.
 * @param nodes Names of the nodes that hold pods of the run, now.
 */
export async function sampleUsage(
  cluster: Cluster,
  namespace: string,
  nodes: () => ReadonlySet<string>,
  give: (observation: Observation) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!aborted(signal)) {
    const answers = await Promise.allSettled(
      [...nodes()].map(async (node) => {
        const text = await cluster.api.text(
          `/api/v1/nodes/${encodeURIComponent(node)}/proxy/metrics/resource`,
          {
            signal,
            timeoutMs: 5000,
          },
        );
        return parseResourceMetrics(text, namespace, Date.now());
      }),
    );
    const samples = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    if (samples.length > 0) give({ type: "usage", at: Date.now(), samples });
    for (const answer of answers) {
      if (answer.status === "fulfilled") continue;
      const reason: unknown = answer.reason;
      if (reason instanceof ApiError && (reason.status === 403 || reason.status === 401)) {
        give({ type: "usage-refused", at: Date.now(), message: reason.message });
        return;
      }
    }
    try {
      await sleep(SAMPLE_MS, undefined, { signal });
    } catch {
      return; // aborted
    }
  }
}

const aborted = (signal: AbortSignal): boolean => signal.aborted;
