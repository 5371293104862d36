import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { UserError } from "../../base/errors.ts";
import { projectDir } from "../../base/paths.ts";
import { childEnv } from "../../base/process.ts";
import { step } from "../../base/progress.ts";
import { renderTable } from "../../jobs/cli/output.ts";
import { planJob } from "../../jobs/run/index.ts";
import { RunEvent } from "../../schema/events.ts";
import { type Cycle, kubectlCycle } from "./kubectl.ts";
import { treeMemory } from "./memory.ts";
import { percentile, ratio, seconds } from "./statistics.ts";

/** What to measure. */
export interface BenchRunOptions {
  readonly runs: number;
  readonly job: string;
  readonly json: boolean;
}

interface MayflyCycle extends Cycle {
  /** MiB of all of Mayfly's processes together: command, engine, Pulumi CLI, provider plugin. */
  readonly peakMemory: number;
}

/** One whole `mayfly run` as a user types it; every time counts from the command's start, Node's own start included. */
async function mayflyCycle(job: string): Promise<MayflyCycle> {
  const started = performance.now();
  const child = spawn(`${projectDir}/bin/mayfly`, ["run", "--json", job], {
    env: childEnv(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let peakMemory = 0;
  const sampler = setInterval(() => {
    if (child.pid !== undefined) peakMemory = Math.max(peakMemory, treeMemory(child.pid));
  }, 250);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let submitted = 0;
  let report: Extract<RunEvent, { type: "report" }>["report"] | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = RunEvent.parse(JSON.parse(line));
    if (event.type === "report") report = event.report;
    // Milestones count from the run's own start; Node's start and the command's imports come before it.
    if (event.type === "phase" && submitted === 0)
      submitted = performance.now() - event.elapsedSeconds * 1000;
  }
  const code = await ended;
  const gone = (performance.now() - started) / 1000;
  clearInterval(sampler);
  if (report?.outcome.kind !== "succeeded") {
    throw new UserError(
      "bench-run-failed",
      `The run that was to be measured ended with exit code ${code ?? "none"}`,
      {
        path: job,
        hint: `Look at it: npx mayfly run ${job}`,
      },
    );
  }
  const before = (submitted - started) / 1000;
  const at = (milestone: number | undefined): number =>
    milestone === undefined ? Number.NaN : before + milestone;
  return {
    objectsExist: at(report.milestones.objectsExist),
    driverStarted: at(report.milestones.driverStarted),
    result: at(report.milestones.result),
    gone,
    peakMemory,
  };
}

const ROWS: readonly (readonly [name: string, of: (cycle: Cycle) => number])[] = [
  ["submit -> objects exist", (cycle) => cycle.objectsExist],
  ["submit -> driver started", (cycle) => cycle.driverStarted],
  ["submit -> result", (cycle) => cycle.result],
  ["result -> all gone", (cycle) => cycle.gone - cycle.result],
  ["submit -> all gone", (cycle) => cycle.gone],
];

/** Runs a job `runs` times through Mayfly and through kubectl in turn, after one warm-up of each, and prints both. */
export async function benchRun({ runs, job, json }: BenchRunOptions): Promise<void> {
  const { plan } = await planJob(job);
  const mayfly: MayflyCycle[] = [];
  const kubectl: Cycle[] = [];
  for (let round = 0; round <= runs; round++) {
    const name = round === 0 ? "warm-up" : `round ${round} of ${runs}`;
    const ours = await step(`${name}: mayfly run`, () => mayflyCycle(job));
    const theirs = await step(`${name}: kubectl apply and delete of the same manifests`, () =>
      kubectlCycle(plan),
    );
    if (round > 0) {
      mayfly.push(ours);
      kubectl.push(theirs);
    }
  }
  const share = mayfly.map((cycle, index) => cycle.gone - (kubectl[index]?.gone ?? Number.NaN));
  const peak = Math.max(...mayfly.map((cycle) => cycle.peakMemory));
  if (json) {
    console.log(JSON.stringify({ job, runs, mayfly, kubectl, share, peakMemoryMib: peak }));
    return;
  }
  console.log(`\n${job}: ${runs} runs of each, in turn, on the same cluster`);
  console.log(
    renderTable(
      ["", "mayfly p50", "p95", "kubectl p50", "p95", "ratio p50"],
      ROWS.map(([name, of]) => {
        const [ours, theirs] = [mayfly.map(of), kubectl.map(of)];
        return [
          name,
          seconds(percentile(ours, 0.5)),
          seconds(percentile(ours, 0.95)),
          seconds(percentile(theirs, 0.5)),
          seconds(percentile(theirs, 0.95)),
          ratio(percentile(ours, 0.5), percentile(theirs, 0.5)),
        ];
      }),
    ),
  );
  console.log(
    `Mayfly's own share (whole run less kubectl's beside it): p50 ${seconds(percentile(share, 0.5))}`,
  );
  console.log(`Mayfly's memory (peak of all its processes, proportional set size): ${peak.toFixed(0)} MiB`);
}
