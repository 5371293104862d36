import { buildReport, type ReportInput } from "../../../jobs/report/index.ts";
import type { Observation } from "../../../jobs/watch/index.ts";
import type { RunReport } from "../../../schema/report.ts";
import { RunReport as Schema } from "../../../schema/report.ts";
import {
  at,
  bothWorkers,
  driverEnded,
  ended,
  judged,
  line,
  observe,
  plan,
  running,
  START,
  sawPod,
  underWay,
} from "../watch/scenario.ts";

const usage = (
  second: number,
  pod: string,
  container: string,
  cpuSeconds: number,
  memoryMib: number,
): Observation => ({
  type: "usage",
  at: at(second),
  samples: [{ pod, container, at: at(second), cpuSeconds, memoryMib }],
});

export const successFacts: readonly Observation[] = [
  ...underWay(),
  usage(6, "coordinator-x7k2p", "driver", 2, 300),
  usage(16, "coordinator-x7k2p", "driver", 9.5, 420.4),
  usage(6, "workers-0", "worker", 1, 500),
  usage(16, "workers-0", "worker", 8, 700),
  driverEnded(20, 0, { state: { master: ended(143, 21), driver: ended(0, 20) } }),
  ...bothWorkers(20),
];

const phases = [
  { phase: "preparing", at: new Date(at(0)) },
  { phase: "creating", at: new Date(at(0.4)) },
  { phase: "starting", at: new Date(at(1.6)) },
  { phase: "running", at: new Date(at(5)) },
  { phase: "collecting", at: new Date(at(20)) },
  { phase: "destroying", at: new Date(at(21.25)) },
  { phase: "verifying", at: new Date(at(27)) },
] as const;

export const input = (
  facts: readonly Observation[] = successFacts,
  change: Partial<ReportInput> = {},
): ReportInput => ({
  plan: { ...plan, cost: { perHour: 0.42, currency: "EUR", asOf: "2026-11-01" } },
  outcome: judged(facts, 20) ?? { kind: "cancelled", message: "The run was cancelled." },
  startedAt: new Date(START),
  endedAt: new Date(at(27.4)),
  phases,
  milestones: {
    objectsExist: new Date(at(1.6)),
    driverStarted: new Date(at(5)),
    result: new Date(at(20)),
    gone: new Date(at(27)),
  },
  observed: observe(facts),
  logs: [`s3://mayfly-logs/${plan.logs.prefix}/coordinator-x7k2p/driver.log`],
  left: [],
  kept: false,
  ...change,
});

const oomFacts: readonly Observation[] = [
  ...underWay(),
  line(
    10,
    1,
    "26/11/24 06:00:10 ERROR TaskSchedulerImpl: Lost executor 0 on 10.244.0.23: Command exited with code 137",
  ),
  line(19, 2, "org.apache.spark.SparkException: Master removed our application: FAILED"),
  driverEnded(20, 1, { state: { master: running(), driver: ended(1, 20) } }),
];

/** A report is checked against its schema wherever a test makes one. */
const checked = (report: RunReport): RunReport => Schema.parse(report);

export const success = (): RunReport => checked(buildReport(input()));
export const outOfMemory = (): RunReport => checked(buildReport(input(oomFacts)));
export const neverStarted = (): RunReport =>
  checked(
    buildReport(
      input([], {
        outcome: {
          kind: "refused",
          by: "quota",
          message: "Quota plan refuses a pod: it asks for pods=1, pods=1 is in use, the limit is pods=1.",
        },
        observed: observe([sawPod(3, "worker", { name: "workers-0", node: null, phase: "Pending" })]),
        milestones: {},
        logs: [],
        left: ["Namespace demo-wordcount-11240600-k3fqz: held by finalizer example.com/hold"],
      }),
    ),
  );
