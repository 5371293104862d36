import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ApiError, errorCode, isTransient, type Query } from "./api.ts";
import type { Cluster } from "./cluster.ts";

/** What a reconnecting watch tells its owner. */
export interface Listener {
  /** The whole truth at one moment: what is not in `objects` is gone. Comes first, and again after a break. */
  readonly onList: (objects: readonly unknown[]) => void;
  readonly onChange: (object: unknown, deleted: boolean) => void;
  /** Told at each change of reachability. */
  readonly onReachable: (reachable: boolean) => void;
  /** The server forbids it or does not know it. The watch tries again, more and more slowly. */
  readonly onRefused: (error: ApiError) => void;
}

const List = z.object({
  metadata: z.object({ resourceVersion: z.string().default(""), continue: z.string().optional() }),
  items: z.array(z.unknown()),
});

const WatchEvent = z.object({ type: z.string(), object: z.unknown() });
const Versioned = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const Failure = z.object({
  code: z.number().default(0),
  reason: z.string().default(""),
  message: z.string().default(""),
});

/** Each watch is asked to end after this time; one that has not is dead, whatever the socket says. */
const WATCH_SECONDS = 60;

/** Splits a byte stream into lines without their ends; a line over `maxLength` is cut. */
export async function* lines(
  chunks: AsyncIterable<unknown>,
  maxLength = 16 * 1024 * 1024,
): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of chunks) {
    rest += typeof chunk === "string" ? chunk : Buffer.isBuffer(chunk) ? decoder.write(chunk) : String(chunk);
    let from = 0;
    for (let end = rest.indexOf("\n"); end !== -1; end = rest.indexOf("\n", from)) {
      yield rest.slice(from, Math.min(end, from + maxLength)).replace(/\r$/, "");
      from = end + 1;
    }
    rest = rest.slice(from, from + maxLength);
  }
  if (rest !== "") yield rest;
}

async function list(cluster: Cluster, path: string, query: Query, signal: AbortSignal) {
  const items: unknown[] = [];
  let next: string | undefined;
  for (;;) {
    const page = List.parse(
      await cluster.api.get(path, { query: { ...query, limit: 500, continue: next }, signal }),
    );
    items.push(...page.items);
    next = page.metadata.continue;
    if (next === undefined || next === "") return { items, version: page.metadata.resourceVersion };
  }
}

/**
 * Lists and watches a collection until `signal` aborts: reconnects after a dropped watch, lists again where the server has
 * forgotten the version (410), and waits out a server that is away. Rejects only for a defect of ours or of a listener.
 */
export async function watchCollection(
  cluster: Cluster,
  path: string,
  query: Query,
  listener: Listener,
  signal: AbortSignal,
): Promise<void> {
  let version: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const found = await list(cluster, path, query, signal);
        version = found.version;
        listener.onReachable(true);
        listener.onList(found.items);
      }
      for await (const change of changes(cluster, path, { ...query, resourceVersion: version }, signal)) {
        failures = 0;
        listener.onReachable(true);
        version = change.version ?? version;
        if (change.type !== "BOOKMARK") listener.onChange(change.object, change.type === "DELETED");
      }
      failures = 0;
    } catch (error) {
      if (aborted(signal)) return;
      failures++;
      if (error instanceof ApiError && (error.status === 410 || error.reason === "Expired")) {
        version = undefined;
        if (failures === 1) continue;
      } else if (error instanceof ApiError && !isTransient(error)) {
        version = undefined;
        listener.onRefused(error);
      } else {
        if (!isConnectionTrouble(error)) throw error;
        listener.onReachable(false);
        // A list is cheap and surely right; a version from before a restart of etcd might not be.
        version = undefined;
      }
      await pause(Math.min(5000, 200 * 2 ** Math.min(failures, 6)), signal);
    }
  }
}

/** A broken connection shows as a system error, as `aborted`, or as half a line of JSON. */
const isConnectionTrouble = (error: unknown): boolean =>
  isTransient(error) ||
  errorCode(error) !== "" ||
  error instanceof SyntaxError ||
  (error instanceof Error && error.message === "aborted");

// Typescript narrows `signal.aborted` for the whole loop; it does change meanwhile.
const aborted = (signal: AbortSignal): boolean => signal.aborted;

async function pause(limitMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(limitMs / 2 + (Math.random() * limitMs) / 2, undefined, { signal });
  } catch {
    // Aborted: the loop sees it.
  }
}

interface Change {
  readonly type: string;
  readonly object: unknown;
  readonly version: string | undefined;
}

async function* changes(
  cluster: Cluster,
  path: string,
  query: Query,
  signal: AbortSignal,
): AsyncGenerator<Change> {
  const body = await cluster.api.stream(path, {
    query: { ...query, watch: true, allowWatchBookmarks: true, timeoutSeconds: WATCH_SECONDS },
    signal,
  });
  const dead = setTimeout(
    () => body.destroy(Object.assign(new Error("the watch went silent"), { code: "ETIMEDOUT" })),
    (WATCH_SECONDS + 10) * 1000,
  );
  try {
    for await (const line of lines(body)) {
      if (line === "") continue;
      const event = WatchEvent.parse(JSON.parse(line));
      if (event.type === "ERROR") {
        const failure = Failure.parse(event.object);
        throw new ApiError(failure.code, failure.reason, failure.message);
      }
      const versioned = Versioned.safeParse(event.object);
      yield {
        type: event.type,
        object: event.object,
        version: versioned.success ? versioned.data.metadata.resourceVersion : undefined,
      };
    }
  } finally {
    clearTimeout(dead);
    body.destroy();
  }
}
