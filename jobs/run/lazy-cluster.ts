import type { RunCluster } from "./cluster.ts";

/** A cluster that is opened when it is first asked for something: its library takes as long to load as an empty stack to be made. */
export function lazyCluster(open: () => Promise<RunCluster>): RunCluster {
  let opening: Promise<RunCluster> | undefined;
  const opened = async (): Promise<RunCluster> => await (opening ??= open());
  return {
    check: async () => {
      await (await opened()).check();
    },
    checkFence: async () => {
      await (await opened()).checkFence();
    },
    checkSecrets: async (plan) => {
      await (await opened()).checkSecrets(plan);
    },
    namespaceState: async (namespace) => await (await opened()).namespaceState(namespace),
    deliverSecrets: async (plan, signal, fence) => {
      await (await opened()).deliverSecrets(plan, signal, fence);
    },
    watch: async (plan, options) => await (await opened()).watch(plan, options),
    pods: async (namespace) => await (await opened()).pods(namespace),
    followLog: async (target, onLine, signal) => {
      await (await opened()).followLog(target, onLine, signal);
    },
    logs: async function* (namespace, signal) {
      yield* (await opened()).logs(namespace, signal);
    },
    leftovers: async (plan) => await (await opened()).leftovers(plan),
    waitGone: async (namespace, signal) => await (await opened()).waitGone(namespace, signal),
    removeNamespace: async (plan, guard) => await (await opened()).removeNamespace(plan, guard),
    flink: async (plan) => await (await opened()).flink(plan),
    close: () => {
      void opening?.then(
        (cluster) => {
          cluster.close();
        },
        () => undefined,
      );
    },
  };
}
