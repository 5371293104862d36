// A process that takes a run's lease and "works" while it has it: one line of JSON for whatever happens. For lease.test.ts.
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { acquireLease, holderName, LeaseLost, type LeaseTiming } from "../../jobs/lease/index.ts";
import { openCluster } from "../../jobs/watch/cluster.ts";
import { leasePort } from "../../jobs/watch/lease-api.ts";

/** Short, so that a test takes seconds. */
const TIMING: LeaseTiming = {
  duration: 4000,
  renew: 1000,
  retry: 300,
  call: 1000,
  margin: 1000,
  poll: 300,
};

const say = (event: string, more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
};

const [kubeconfig = "", namespace = "", run = ""] = process.argv.slice(2);
const cluster = await openCluster(kubeconfig);
const labels = { "app.kubernetes.io/managed-by": "mayfly", "mayfly.dev/run": run };
const stop = new AbortController();
process.on("SIGTERM", () => {
  stop.abort();
});

const lease = await acquireLease(leasePort(cluster, { namespace, run, labels }), {
  run,
  holder: holderName(hostname(), process.pid, randomBytes(4)),
  signal: stop.signal,
  timing: TIMING,
  onWaiting: (holder) => {
    say("waiting", { holder });
  },
});
say("acquired", { fence: lease.fence, holder: lease.holder });
try {
  while (!stop.signal.aborted) {
    await lease.guard();
    say("worked", { at: Date.now() });
    await sleep(100);
  }
  say(await lease.release());
} catch (error) {
  if (!(error instanceof LeaseLost)) throw error;
  say("lost", { reason: error.reason });
} finally {
  cluster.close();
}
