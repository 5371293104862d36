import { checkSavepoint, deleteSavepoint, newestState } from "../flink/index.ts";
import { holderOf, thisHelper } from "../run/liveness.ts";
import { preflight } from "../run/preflight.ts";
import { newRunId, planAttempt } from "../run/prepare.ts";
import { isEnded } from "../run/records.ts";
import { carryOut, type StreamTools, startStream } from "../run/stream.ts";
import { tend, untilResting } from "../work/tend.ts";
import type { StreamPorts } from "./types.ts";

const NEVER = new AbortController().signal;
const ignore = (): void => undefined;

/** The outside as it is. @param note Gets remarks for people. */
export function portsOf(tools: StreamTools, note: (line: string) => void): StreamPorts {
  const { ledger, store, cluster, environment } = tools;
  return {
    ledger,
    note,
    now: () => Date.now(),
    start: async (spec, options) => await startStream(spec, tools, options),
    carryOut: async (run, asked, options) => await carryOut(run, asked, tools, options),
    bringOn: async (run, { onEvent = ignore, signal = NEVER, toEnd = false }) => {
      const { orphans } = await tools.orphans.find([run]);
      if (orphans.length === 0) return undefined;
      const holder = holderOf(await thisHelper());
      return await tend(
        run.run,
        { ...tools, holder },
        {
          onEvent,
          signal,
          onAbort: "leave",
          until: toEnd ? ({ state }) => isEnded(state) : untilResting(holder),
        },
      );
    },
    check: async (spec) => {
      const run = await newRunId(spec);
      const { plan } = await planAttempt(spec, environment.contract, { run, attempt: 1 });
      await preflight(plan, cluster, store);
      return { version: plan.version };
    },
    state: {
      check: async (location, tenant) => {
        const { buckets } = environment.contract.tenants.find(({ id }) => id === tenant) ?? {};
        return await checkSavepoint(store, location, buckets);
      },
      newest: async (plan, savepoints) => await newestState(store, plan, savepoints),
      remove: async (location) => await deleteSavepoint(store, location),
    },
  };
}
