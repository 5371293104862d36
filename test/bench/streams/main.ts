// `npm run bench -- streams`: what a stream's owner waits for, and whose time it is; then streams and batch runs at once.
import { step } from "../../../base/progress.ts";
import { renderTable } from "../../../jobs/cli/output.ts";
import { percentile, seconds } from "../statistics.ts";
import { type Killed, killed, type Resumed, resumed, type Suspended, suspended } from "./cycle.ts";
import { type Mixed, mixed } from "./mixed.ts";
import { makeStreamsPlace } from "./place.ts";

export const STREAM_PARTS = ["cycle", "mixed"] as const;
export type StreamPart = (typeof STREAM_PARTS)[number];

export interface BenchStreamsOptions {
  /** Cycles of resume, kill, suspend. */
  readonly runs: number;
  readonly parts: readonly StreamPart[];
  readonly json: boolean;
}

export async function benchStreams({ runs, parts, json }: BenchStreamsOptions): Promise<void> {
  const place = await makeStreamsPlace();
  try {
    const [resumes, kills, suspends]: [Resumed[], Killed[], Suspended[]] = [[], [], []];
    if (parts.includes("cycle")) {
      const name = `bench-stream-${process.pid}`;
      const spec = await place.stream(name);
      await step("a stream begins", () => place.must("run", spec));
      await step("warm-up: suspend", () => suspended(place, name));
      for (let round = 1; round <= runs; round++) {
        const of = `round ${round} of ${runs}`;
        resumes.push(await step(`${of}: resume`, () => resumed(place, name)));
        kills.push(await step(`${of}: the JobManager killed`, () => killed(place, name)));
        suspends.push(await step(`${of}: suspend`, () => suspended(place, name)));
      }
    }
    const together = parts.includes("mixed")
      ? await step("2 streams and 10 batch runs", () => mixed(place))
      : undefined;
    if (json) {
      console.log(JSON.stringify({ runs, resumes, kills, suspends, mixed: together }));
      return;
    }
    if (resumes.length > 0) printCycle(resumes, kills, suspends);
    if (together !== undefined) printMixed(together);
  } finally {
    await place.remove();
  }
}

function printCycle(
  resumes: readonly Resumed[],
  kills: readonly Killed[],
  suspends: readonly Suspended[],
): void {
  const line = <T>(what: string, of: readonly T[], values: ((one: T) => number)[]): string[] => [
    what,
    ...values.map((value) => seconds(percentile(of.map(value), 0.5))),
    seconds(
      percentile(
        of.map((one) => values[0]?.(one) ?? Number.NaN),
        1,
      ),
    ),
  ];
  console.log(
    `\nOne stream of a JobManager and a TaskManager, ${resumes.length} times each; medians, and the slowest`,
  );
  console.log(
    renderTable(
      ["", "all of it", "Mayfly", "Kubernetes", "Flink", "slowest"],
      [
        line("resume -> first record", resumes, [
          (one) => one.total,
          (one) => one.mayfly,
          (one) => one.kubernetes,
          (one) => one.flink,
        ]),
        line("JobManager killed -> records flow", kills, [
          (one) => one.total,
          (one) => one.mayfly,
          (one) => one.kubernetes,
          (one) => one.flink,
        ]),
        line("suspend -> all gone", suspends, [
          (one) => one.total,
          (one) => one.mayfly,
          (one) => one.kubernetes,
          (one) => one.flink,
        ]),
      ],
    ),
  );
  console.log(
    [
      "Whose time: Mayfly (with Pulumi) until the JobManager's pod is there, Kubernetes until its container starts, Flink until it counts.",
      "After a kill Mayfly's share has the removal of the first cluster in it. Of a suspend, Flink's is the savepoint by its own log,",
      "Kubernetes' the time that the namespace is being deleted, Mayfly's the rest.",
    ].join("\n"),
  );
}

function printMixed({ seconds: took, outcomes, streams, peakMemoryMib, exact }: Mixed): void {
  const counts = [...Map.groupBy(outcomes, (kind) => kind)].map(([kind, of]) => `${of.length} ${kind}`);
  console.log(`\n${streams} streams and ${outcomes.length} batch runs (Spark, pi.py) at once, one worker`);
  console.log(
    renderTable(
      ["batch runs", "from submit to the last one's end", "Mayfly's memory, peak", "streams' counts"],
      [[counts.join(", "), seconds(took), `${peakMemoryMib.toFixed(0)} MiB`, exact]],
    ),
  );
}
