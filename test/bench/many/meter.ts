// What is spent between two moments, by whom.
import { pssOf } from "../memory.ts";
import { apiRequests, clusterCpu, machineCpu, processCpu } from "./cluster.ts";
import { type Groups, KINDS, type Kind } from "./groups.ts";

/** Everything that is counted, since long ago. */
export interface Reading {
  readonly at: number;
  readonly kinds: ReadonlyMap<Kind, number>;
  /** CPU-seconds of the worker's own process, a part of kind `mayfly`. */
  readonly worker: number;
  readonly cluster: ReadonlyMap<string, number>;
  readonly machine: number;
  readonly requests: number;
}

export async function readAll(groups: Groups, worker: number | undefined): Promise<Reading> {
  return {
    at: performance.now() / 1000,
    kinds: new Map(KINDS.map((kind) => [kind, groups.cpu(kind)])),
    worker: processCpu(worker, "self"),
    cluster: await clusterCpu(),
    machine: machineCpu(),
    requests: await apiRequests(),
  };
}

/** What was spent in a time: CPU-seconds and requests. */
export interface Spent {
  readonly seconds: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly worker: number;
  readonly cluster: Readonly<Record<string, number>>;
  readonly machine: number;
  readonly requests: number;
}

/** @param idle What the cluster spends anyway, in some time without runs: taken off in proportion. */
export function spentBetween(before: Reading, after: Reading, idle?: Spent): Spent {
  const seconds = after.at - before.at;
  const share = idle === undefined ? 0 : seconds / idle.seconds;
  const cluster = [...after.cluster].map(([name, used]) => {
    const anyway = (idle?.cluster[name] ?? 0) * share;
    return [name, used - (before.cluster.get(name) ?? 0) - anyway] as const;
  });
  return {
    seconds,
    kinds: Object.fromEntries(
      [...after.kinds].map(([kind, used]) => [kind, used - (before.kinds.get(kind) ?? 0)]),
    ),
    worker: after.worker - before.worker,
    cluster: Object.fromEntries(cluster),
    machine: after.machine - before.machine,
    requests: after.requests - before.requests - (idle?.requests ?? 0) * share,
  };
}

/** One look at the memory of all of Mayfly's processes, MiB of proportional set size. */
export interface MemorySample {
  readonly at: number;
  readonly worker: number;
  readonly engines: number;
  readonly cli: number;
  readonly plugins: number;
  readonly all: number;
}

/** Looks once a second until it is told to stop. */
export function watchMemory(
  groups: Groups,
  worker: number,
): { readonly samples: readonly MemorySample[]; readonly stop: () => void } {
  const samples: MemorySample[] = [];
  const timer = setInterval(() => {
    const mayfly = pssOf(groups.processes("mayfly"));
    const own = pssOf([worker]);
    const cli = pssOf(groups.processes("cli"));
    const plugins = pssOf(groups.processes("plugin"));
    const at = performance.now() / 1000;
    samples.push({ at, worker: own, engines: mayfly - own, cli, plugins, all: mayfly + cli + plugins });
  }, 1000);
  return {
    samples,
    stop: () => {
      clearInterval(timer);
    },
  };
}
