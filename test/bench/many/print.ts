import { renderTable } from "../../../jobs/cli/output.ts";
import { percentile, ratio, seconds } from "../statistics.ts";
import type { Burst, Cancelled } from "./burst.ts";
import type { MemorySample, Spent } from "./meter.ts";
import type { BenchPlace } from "./place.ts";
import type { KubectlLoop, Throughput } from "./throughput.ts";

export interface ManyResult {
  readonly slots: number;
  readonly plugin: BenchPlace["plugin"];
  readonly idle: Spent;
  readonly runs: readonly Throughput[];
  readonly kubectl: readonly KubectlLoop[];
  readonly burst: Burst | undefined;
  readonly cancel: Cancelled | undefined;
}

const number = (value: number, digits = 2): string => (Number.isFinite(value) ? value.toFixed(digits) : "-");

/** Prints all that was measured, each figure beside what it is compared with. */
export function printMany(result: ManyResult): void {
  console.log(standIns(result));
  result.runs.forEach((ours, index) => {
    printRound(ours, result.kubectl[index], result.slots);
  });
  if (result.runs.length === 0) for (const loop of result.kubectl) console.log(`kubectl: ${rate(loop)}`);
  const { burst, cancel } = result;
  if (burst !== undefined)
    console.log(
      `\nBurst of ${burst.runs} to a warm worker, from the first submission: all submitted ${seconds(burst.submitted)}, first pod exists ` +
        `${seconds(burst.firstPod)}, first container runs ${seconds(burst.firstStarted)}, the last run's first pod ${seconds(burst.lastPod)}, ` +
        `all gone ${seconds(burst.gone)}; failures: ${list(burst.failures)}`,
    );
  if (cancel !== undefined)
    console.log(
      `\nCancelled while being created: ${cancel.whileCreating} of ${cancel.runs} (the others were already further); not cancelled: ${list(cancel.notCancelled)}\n` +
        `  pods that appeared after the wish was in the ledger: ${cancel.podsAppearedAfter} (the last ${seconds(cancel.latestPod)} after it), ` +
        `that began to run after it: ${cancel.podsStartedAfter}; that appeared after the run's end: ${cancel.podsAfterEnd}\n` +
        `  from wish to end, slowest: ${seconds(cancel.slowest)}`,
    );
}

const list = (items: readonly string[]): string => (items.length === 0 ? "none" : items.join(", "));

const rate = ({
  runs,
  seconds: took,
  perMinute,
}: Pick<KubectlLoop, "runs" | "seconds" | "perMinute">): string =>
  `${runs} in ${seconds(took)}, ${number(perMinute, 1)} a minute`;

function standIns({ plugin }: ManyResult): string {
  const pods = "pods of a stand-in image whose driver ends at once";
  const provider =
    plugin === "official" ? "the official plugin" : "Mayfly's stand-in for the official plugin";
  return `\nStand-ins: ${pods}; Pulumi's Kubernetes provider is ${provider}.`;
}

function printRound(ours: Throughput, theirs: KubectlLoop | undefined, slots: number): void {
  const { told, spent } = ours;
  const cycles = theirs?.cycles ?? [];
  console.log(
    `\n${slots} at a time: Mayfly ${rate(ours)}${theirs === undefined ? "" : `; kubectl ${rate(theirs)}`}`,
  );
  console.log(`${ours.queued} queued; failures of the ${ours.runs} that ran: ${list(ours.failures)}`);
  const row = (name: string, own: readonly number[], other: readonly number[]): string[] => [
    name,
    ...[percentile(own, 0.5), percentile(own, 0.99), percentile(other, 0.5), percentile(other, 0.99)].map(
      seconds,
    ),
    ratio(percentile(own, 0.5), percentile(other, 0.5)),
  ];
  const times = [
    row(
      "submit (in the queue too) -> objects exist",
      told.map((one) => one.objectsExist),
      [],
    ),
    row(
      "taken -> objects exist",
      told.map((one) => one.objectsExist - one.claimed),
      cycles.map((one) => one.objectsExist),
    ),
    row(
      "taken -> end",
      told.map((one) => one.result - one.claimed),
      cycles.map((one) => one.result),
    ),
    row(
      "end -> gone",
      told.map((one) => one.gone - one.result),
      cycles.map((one) => one.gone - one.result),
    ),
  ];
  console.log(renderTable(["", "mayfly p50", "p99", "kubectl p50", "p99", "ratio p50"], times));
  const own = Object.entries(spent.kinds).filter(([kind]) => kind !== "kubectl");
  const perRun = (name: string, used: number | undefined, other: number | undefined): string[] => {
    const [mine, its] = [
      (used ?? Number.NaN) / ours.runs,
      (other ?? Number.NaN) / (theirs?.runs ?? Number.NaN),
    ];
    return [name, number(mine), number(its), ratio(mine, its)];
  };
  const only = (name: string, used: number | undefined): string[] => perRun(name, used, undefined);
  const kubectl = theirs?.spent.kinds["kubectl"];
  console.log(
    renderTable(
      ["CPU-seconds per run", "mayfly", "kubectl", "ratio"],
      [
        only("worker (Node)", spent.worker),
        only("engine processes (Node)", (spent.kinds["mayfly"] ?? Number.NaN) - spent.worker),
        only("Pulumi CLI", spent.kinds["cli"]),
        only("provider plugin", spent.kinds["plugin"]),
        perRun(
          "all of the above; kubectl",
          own.reduce((sum, [, used]) => sum + used, 0),
          kubectl,
        ),
        ...Object.keys(spent.cluster).map((part) =>
          perRun(part, spent.cluster[part], theirs?.spent.cluster[part]),
        ),
        perRun("the whole machine, others' work too", spent.machine, theirs?.spent.machine),
        perRun("requests to the API server per run", spent.requests, theirs?.spent.requests),
      ],
    ),
  );
  console.log(
    "Method: control groups for Mayfly, CLI, plugin, kubectl, containerd and pods; /proc for the other parts; less what the cluster spends idle.",
  );
  console.log(`A submission takes ${number(ours.submitMs, 0)} ms (library, loaded).`);
  printMemory(ours.memory);
}

function printMemory(samples: readonly MemorySample[]): void {
  const quarter = Math.floor(samples.length / 4);
  if (quarter === 0) return;
  const p50 = (of: readonly MemorySample[], key: keyof MemorySample): number =>
    percentile(
      of.map((sample) => sample[key]),
      0.5,
    );
  const [first, last] = [samples.slice(0, quarter), samples.slice(-quarter)];
  const rows = (["worker", "engines", "cli", "plugins", "all"] as const).map((key) => [
    key,
    number(p50(first, key), 0),
    number(p50(last, key), 0),
    number(Math.max(...samples.map((sample) => sample[key])), 0),
  ]);
  console.log(renderTable(["memory, MiB (PSS)", "first quarter p50", "last quarter p50", "peak"], rows));
}
