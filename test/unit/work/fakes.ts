// A run at work with a whole outside that is made up: test/unit/run/fakes.ts, a lease and a ledger's row.
import { UserError } from "../../../base/errors.ts";
import type { LedgerRun, RunPatch } from "../../../jobs/ledger/index.ts";
import type { RunState } from "../../../jobs/run/machine.ts";
import { Driver } from "../../../jobs/work/driver.ts";
import { queuedState, writeState } from "../../../jobs/work/state.ts";
import type { Purpose } from "../../../jobs/work/types.ts";
import type { EnvironmentContract } from "../../../schema/contract.ts";
import type { RunEvent } from "../../../schema/events.ts";
import type { JobSpec } from "../../../schema/job.ts";
import type { Plan } from "../../../schema/plan.ts";
import type { RunReport } from "../../../schema/report.ts";
import { environment } from "../plan/sample.ts";
import {
  environmentOf,
  type FakeLease,
  type FakeTools,
  fakeTools,
  rowOf,
  type Scenario,
} from "../run/fakes.ts";

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
  readonly left?: {
    readonly state: RunState;
    readonly plan: Plan;
    readonly report?: RunReport;
    readonly row?: Partial<LedgerRun>;
  };
  /** What the ledger has of the run's events. */
  readonly recorded?: readonly RunEvent[];
  readonly purpose?: Purpose;
  readonly contract?: EnvironmentContract;
  /** Another helper writes the row before this one writes for the so-manieth time. */
  readonly stolenAt?: number;
  /** The ledger is damaged from the so-manieth write on. */
  readonly brokenAt?: number;
}

export const RUN = "wordcount-11240600-aaaaa";

export function scene({
  spec,
  scenario = {},
  left,
  recorded = [],
  stolenAt,
  brokenAt = Number.POSITIVE_INFINITY,
  purpose,
  contract = environment(),
}: Given): Scene {
  const tools = fakeTools(scenario);
  tools.recorded.push(...recorded);
  const states: string[] = [];
  let writes = 0;
  let row = found(spec, left);
  const update = async (_run: string, version: number, patch: RunPatch): Promise<number> => {
    await Promise.resolve();
    writes++;
    if (writes >= brokenAt) throw new UserError("ledger-corrupt", "The ledger is damaged.");
    if (version !== row.version || writes === stolenAt)
      throw new UserError("run-changed", "Another helper changed it.");
    if (patch.state !== undefined && patch.state !== states.at(-1)) states.push(patch.state);
    row = { ...row, ...patch, version: version + 1 };
    return row.version;
  };
  const driver = new Driver(row, {
    ...tools,
    environment: environmentOf(contract),
    purpose,
    holder: "helper-1/42/7",
    ledger: {
      ...tools.ledger,
      update,
      noteLease: async (_run, { fence }) => {
        tools.calls.push(`seen ${fence}`);
        await Promise.resolve();
      },
    },
  });
  return {
    driver,
    tools,
    states,
    row: () => row,
    lease: () => {
      const lease = tools.leases.at(-1);
      if (lease === undefined) throw new Error("no lease was taken");
      return lease;
    },
  };
}

function found(spec: JobSpec, left: Given["left"]): LedgerRun {
  return {
    ...rowOf({
      run: RUN,
      spec,
      environment: "lab",
      connection: "/srv/lab/connection.json",
      holder: "helper-1/42/7",
      machine: writeState(left?.state ?? queuedState(RUN, spec)),
    }),
    attempt: left?.plan.attempt ?? 0,
    namespace: left?.plan.namespace,
    stack: left?.plan.stack,
    fence: left?.state.facts.fence ?? 0,
    version: 2,
    plan: left?.plan,
    report: left?.report,
    ...left?.row,
  };
}
