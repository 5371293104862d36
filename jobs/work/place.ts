// Everything outside that the runs of one environment need, opened once for a worker.

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { anySignal } from "../../base/abort.ts";
import type { Plan } from "../../schema/plan.ts";
import { acquireLease, holderName, type LeaseTiming } from "../lease/index.ts";
import type { LeasePort } from "../lease/types.ts";
import type { LedgerRun } from "../ledger/index.ts";
import { openRunCluster, type RunCluster } from "../run/cluster.ts";
import { type Environment, findConnection, readConnection, readContract } from "../run/environment.ts";
import { helperLives, helperOf } from "../run/liveness.ts";
import { type ObjectStore, openStore } from "../store/index.ts";
import type { AcquireRequest, HeldLease } from "./types.ts";

type Who = Pick<LedgerRun, "run" | "tenant" | "job" | "environment">;

export interface Place {
  readonly environment: Environment;
  readonly cluster: RunCluster;
  readonly store: ObjectStore;
  readonly acquire: (request: AcquireRequest) => Promise<HeldLease>;
  readonly raiseFence: (plan: Plan, fence: number) => Promise<void>;
  /** How a run's lease looks now: undefined where nobody has it or it can't be read, else a text that each renewal changes. */
  readonly leaseLooks: (run: Who) => Promise<LeaseLook>;
  readonly close: () => void;
}

/** `free`: given back. `absent`: never taken, or over. `unknown`: the API server did not say. */
export type LeaseLook =
  | { readonly kind: "free" | "absent" | "unknown" }
  | { readonly kind: "held"; readonly looks: string };

/** A wait for a holder that turns out to live is given up after so many lease durations. */
const WAIT_LEASES = 3;

/** @throws UserError where the environment can't be used. */
export async function openPlace(given: string | undefined, timing: LeaseTiming): Promise<Place> {
  const path = await findConnection(given);
  const connection = await readConnection(path);
  const contract = await readContract(connection.contract);
  const cluster = await openRunCluster(connection, async () => await readContract(connection.contract));
  await cluster.check();
  return placeOf({ path, connection, contract }, cluster, timing);
}

/** The same with a cluster that the caller has opened; nothing is asked before it is needed. */
export function placeOf(environment: Environment, cluster: RunCluster, timing: LeaseTiming): Place {
  const { connection, contract } = environment;
  const store = openStore(connection.s3);
  let opening: ReturnType<typeof openApi> | undefined;
  const opened = async (): ReturnType<typeof openApi> => await (opening ??= openApi(connection));

  const tenantNamespace = (tenant: string): string =>
    contract.tenants.find(({ id }) => id === tenant)?.namespace ?? tenant;
  const portOf = async ({ run, tenant, job, environment: name }: Who): Promise<LeasePort> => {
    const { api, leasePort } = await opened();
    return leasePort(api, {
      namespace: tenantNamespace(tenant),
      run,
      labels: {
        "app.kubernetes.io/managed-by": "mayfly",
        "mayfly.dev/run": run,
        "mayfly.dev/tenant": tenant,
        "mayfly.dev/job": job,
        "mayfly.dev/environment": name,
        "mayfly.dev/class": contract.class,
      },
    });
  };

  return {
    environment,
    cluster,
    store,
    acquire: async ({ run, knownFence, former, signal, onWaiting }) =>
      await acquireLease(await portOf(run), {
        run: run.run,
        holder: holderName(hostname(), process.pid, randomBytes(4)),
        knownFence,
        signal: anySignal([signal, AbortSignal.timeout(WAIT_LEASES * timing.duration)]),
        isDead: async (holder) => former.has(holder) || (await isDead(run.holder, holder)),
        onWaiting,
        timing,
      }),
    raiseFence: async (plan, fence) => {
      const { run, namespace } = plan;
      const { api, raiseFence } = await opened();
      await raiseFence(api, { run, namespace, tenantNamespace: tenantNamespace(plan.tenant) }, fence);
    },
    leaseLooks: async (run) => {
      const port = await portOf(run);
      const answer = await port.get(AbortSignal.timeout(timing.call));
      if (answer.kind === "absent") return { kind: "absent" };
      if (answer.kind !== "lease") return { kind: "unknown" };
      const { holder, resourceVersion } = answer.lease;
      return holder === "" ? { kind: "free" } : { kind: "held", looks: `${holder} ${resourceVersion}` };
    },
    close: () => {
      cluster.close();
      store.close();
      void opening?.then(
        ({ api }) => {
          api.close();
        },
        () => undefined,
      );
    },
  };
}

/** Also what is loaded for it. */
async function openApi({ kubeconfig }: Environment["connection"]) {
  const [{ openCluster }, { leasePort }, { raiseFence }] = await Promise.all([
    import("../watch/index.ts"),
    import("../watch/lease-api.ts"),
    import("../watch/fence.ts"),
  ]);
  return { api: await openCluster(kubeconfig), leasePort, raiseFence };
}

/** Whether the lease is held by the process that the ledger names, which ran on this machine and has ended. */
async function isDead(recorded: string | undefined, holder: string): Promise<boolean> {
  const helper = helperOf(recorded);
  if (helper === undefined || !holder.startsWith(`${helper.host}/${helper.pid}/`)) return false;
  return (await helperLives(helper)) === false;
}
