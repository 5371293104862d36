// A run at work with a whole outside that is made up: test/unit/run/fakes.ts, a lease and a ledger's row.
import { UserError } from "../../../base/errors.ts";
import type { LedgerRun, RunPatch } from "../../../jobs/ledger/index.ts";
import type { RunState } from "../../../jobs/run/machine.ts";
import { Driver } from "../../../jobs/work/driver.ts";
import { queuedState, writeState } from "../../../jobs/work/state.ts";
import type { HeldLease } from "../../../jobs/work/types.ts";
import type { JobSpec } from "../../../schema/job.ts";
import type { Plan } from "../../../schema/plan.ts";
import { environment } from "../plan/sample.ts";
import { environmentOf, type FakeTools, fakeTools, type Scenario } from "../run/fakes.ts";

export interface FakeLease extends HeldLease {
  readonly lose: () => void;
}

export interface Scene {
  readonly driver: Driver;
  readonly tools: FakeTools;
  /** The run's row, as the ledger has it. */
  readonly row: () => LedgerRun;
  /** States that were written, in order. */
  readonly states: string[];
  readonly lease: () => FakeLease;
}

export interface Given {
  readonly spec: JobSpec;
  readonly scenario?: Scenario;
  /** The machine's state that a helper left; a fresh run in the queue where left out. */
  readonly left?: { readonly state: RunState; readonly plan: Plan };
  /** The lease can't be had. */
  readonly refused?: boolean;
  /** Another helper writes the row before this one writes for the so-manieth time. */
  readonly stolenAt?: number;
}

export const RUN = "wordcount-11240600-aaaaa";

export async function scene({ spec, scenario = {}, left, refused = false, stolenAt }: Given): Promise<Scene> {
  const tools = fakeTools(scenario);
  const states: string[] = [];
  const leases: FakeLease[] = [];
  let writes = 0;
  let row = rowOf(spec, left);
  const update = async (_run: string, version: number, patch: RunPatch): Promise<number> => {
    await Promise.resolve();
    writes++;
    if (version !== row.version || writes === stolenAt)
      throw new UserError("run-changed", "Another helper changed it.");
    if (patch.state !== undefined && patch.state !== states.at(-1)) states.push(patch.state);
    row = { ...row, ...patch, version: version + 1 };
    return row.version;
  };
  const driver = new Driver(
    { ...row, spec },
    {
      engine: tools.engine,
      store: tools.store,
      environment: environmentOf(environment()),
      cluster: await tools.cluster(),
      holder: "helper-1/42/7",
      onEvent: tools.onEvent,
      raiseFence: async (_plan, fence) => {
        tools.calls.push(`fence ${fence}`);
        await Promise.resolve();
      },
      ledger: {
        update,
        append: async () => await Promise.resolve(1),
        noteLease: async (_run, { fence }) => {
          tools.calls.push(`seen ${fence}`);
          await Promise.resolve();
        },
      },
      acquire: async ({ knownFence }) => {
        await Promise.resolve();
        if (refused) throw new UserError("lease-held", "Run is worked on by helper-2.");
        tools.calls.push(`lease ${knownFence + 1}`);
        const lease = fakeLease(knownFence + 1, tools.calls);
        leases.push(lease);
        return lease;
      },
    },
  );
  return {
    driver,
    tools,
    states,
    row: () => row,
    lease: () => {
      const lease = leases.at(-1);
      if (lease === undefined) throw new Error("no lease was taken");
      return lease;
    },
  };
}

function fakeLease(fence: number, calls: string[]): FakeLease {
  const lost = new AbortController();
  return {
    fence,
    holder: "helper-1/42/abcd",
    lost: lost.signal,
    guard: async () => {
      await Promise.resolve();
      lost.signal.throwIfAborted();
    },
    release: async (options) => {
      calls.push(options?.remove === true ? "lease removed" : "lease given back");
      return await Promise.resolve("released");
    },
    lose: () => {
      lost.abort(new Error("the lease is lost"));
    },
  };
}

function rowOf(spec: JobSpec, left: Given["left"]): LedgerRun {
  const at = new Date().toISOString();
  return {
    run: RUN,
    key: undefined,
    spec,
    specDigest: "d",
    tenant: spec.tenant,
    job: spec.name,
    environment: "lab",
    connection: "/srv/lab/connection.json",
    interval: undefined,
    priority: 0,
    state: "planning",
    attempt: left?.plan.attempt ?? 0,
    phase: undefined,
    failureClass: undefined,
    outcome: undefined,
    namespace: left?.plan.namespace,
    stack: left?.plan.stack,
    holder: "helper-1/42/7",
    fence: left?.state.facts.fence ?? 0,
    cancelRequestedAt: undefined,
    notBefore: undefined,
    submittedAt: at,
    startedAt: at,
    endedAt: undefined,
    updatedAt: at,
    left: [],
    version: 2,
    plan: left?.plan,
    report: undefined,
    machine: writeState(left?.state ?? queuedState(RUN, spec)),
  };
}
