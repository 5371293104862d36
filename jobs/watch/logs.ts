import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ApiError, isNotFound } from "./api.ts";
import { type Cluster, explain, explained } from "./cluster.ts";
import { lines } from "./stream.ts";
import type { ContainerLog } from "./types.ts";
import { podView } from "./views.ts";

/** A container of a pod. */
export interface LogTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

const path = ({ namespace, pod }: LogTarget): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;

/** Longest line passed on; the rest of it is left out. */
const MAX_LINE = 64 * 1024;

/** The kubelet has no log yet, or has it no more. */
const isTooEarly = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 400 || error.status === 404);

/**
 * Gives the lines of a container's log to `onLine` until the container ends or `signal` aborts; takes up after a break where it
 * left off, without a gap or a line twice.
 * @param ended Asked after a stream's end: whether the container has ended, so that the log is complete.
 * @throws UserError where the server forbids it
 */
export async function followLog(
  cluster: Cluster,
  target: LogTarget,
  onLine: (line: string) => void,
  signal: AbortSignal,
  ended: () => boolean | Promise<boolean> = () => containerEnded(cluster, target),
): Promise<void> {
  let last = "";
  let sameTime = 0;
  let failures = 0;
  while (!aborted(signal)) {
    const wasEnded = await ended();
    let skip = sameTime;
    try {
      const body = await cluster.api.stream(path(target), {
        query: {
          container: target.container,
          follow: true,
          timestamps: true,
          sinceTime: last === "" ? undefined : last,
        },
        signal,
      });
      for await (const stamped of lines(body, MAX_LINE)) {
        failures = 0;
        const space = stamped.indexOf(" ");
        const time = stamped.slice(0, space);
        // `sinceTime` knows whole seconds: what is not newer was given before.
        if (time < last) continue;
        if (time === last && skip > 0) {
          skip--;
          continue;
        }
        sameTime = time === last ? sameTime + 1 : 1;
        last = time;
        onLine(stamped.slice(space + 1));
      }
      if (wasEnded) return;
      // The stream ended with the container, most likely: one more look makes sure that nothing is missing.
      if (await ended()) continue;
    } catch (error) {
      if (aborted(signal)) return;
      if (error instanceof ApiError && error.status === 403) throw explain(error, cluster);
      if (isTooEarly(error) && wasEnded) return;
      failures++;
    }
    await pause(Math.min(5000, 150 * 2 ** Math.min(failures, 6)), signal);
  }
}

// A function, for the compiler narrows `signal.aborted` for a whole loop.
const aborted = (signal: AbortSignal): boolean => signal.aborted;

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // Aborted: the loop sees it.
  }
}

async function containerEnded(cluster: Cluster, target: LogTarget): Promise<boolean> {
  try {
    const pod = podView(
      await cluster.api.get(
        `/api/v1/namespaces/${encodeURIComponent(target.namespace)}/pods/${encodeURIComponent(target.pod)}`,
      ),
    );
    return pod.containers.find(({ name }) => name === target.container)?.ended !== undefined;
  } catch (error) {
    return isNotFound(error);
  }
}

/** The last lines of a container's log, oldest first; empty where there is none yet or no more. */
export async function lastLines(
  cluster: Cluster,
  target: LogTarget & { readonly lines: number },
): Promise<readonly string[]> {
  return await explained(cluster, async () => {
    try {
      const text = await cluster.api.text(path(target), {
        query: { container: target.container, tailLines: target.lines, limitBytes: 1024 * 1024 },
      });
      return text.split("\n").filter((line, index, all) => index < all.length - 1 || line !== "");
    } catch (error) {
      if (isTooEarly(error)) return [];
      throw error;
    }
  });
}

const PodList = z.object({ items: z.array(z.unknown()) });

/** About the length of a line: the API bounds a log from its end by lines, and by bytes only from its start. */
const LINE_BYTES = 150;

/**
 * Every log of every container of a namespace, those before a restart too, one after the other. Read each `text` before asking for
 * the next. A log that is far over `maxBytes` loses its start, since its end says how things ended.
 */
export async function* containerLogs(
  cluster: Cluster,
  namespace: string,
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
): AsyncGenerator<ContainerLog> {
  const pods = await explained(cluster, async () =>
    PodList.parse(
      await cluster.api.get(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`, {
        signal: options.signal,
      }),
    ).items.map(podView),
  );
  for (const pod of pods) {
    for (const container of pod.containers) {
      const lives = container.restarts > 0 ? [true, false] : [false];
      for (const previous of lives) {
        const target = { namespace, pod: pod.name, container: container.name };
        const log = await openLog(cluster, target, previous, options);
        if (log !== undefined) yield log;
      }
    }
  }
}

async function openLog(
  cluster: Cluster,
  target: LogTarget,
  previous: boolean,
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<ContainerLog | undefined> {
  const tailLines = Math.max(1, Math.floor(options.maxBytes / LINE_BYTES));
  try {
    const text = await cluster.api.stream(path(target), {
      query: {
        container: target.container,
        previous: previous || undefined,
        tailLines,
        limitBytes: options.maxBytes,
      },
      signal: options.signal,
    });
    const seen = { bytes: 0, lines: 0 };
    return {
      pod: target.pod,
      container: target.container,
      previous,
      get truncated() {
        return seen.bytes >= options.maxBytes || seen.lines >= tailLines;
      },
      text: counted(text, seen),
    };
  } catch (error) {
    if (isTooEarly(error)) return undefined;
    throw explain(error, cluster);
  }
}

async function* counted(
  body: AsyncIterable<unknown>,
  seen: { bytes: number; lines: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue;
    seen.bytes += chunk.length;
    for (const byte of chunk) if (byte === 10) seen.lines++;
    yield chunk;
  }
}
