// Two streams and ten batch runs at once, as one worker has them.
import { checkCounts } from "../../../examples/flink-stream/counts.ts";
import { readCounted } from "../../../examples/flink-stream/output.ts";
import { outputUrl, taskManagers } from "../../flink/spec.ts";
import { treeMemory } from "../memory.ts";
import type { StreamsPlace } from "./place.ts";

export interface Mixed {
  readonly streams: number;
  /** From the first submit to the end of the last batch run. */
  readonly seconds: number;
  /** Of the batch runs. */
  readonly outcomes: readonly string[];
  /** Of all of Mayfly's processes together, MiB of proportional set size. */
  readonly peakMemoryMib: number;
  /** What the counts of the streams came to once they were suspended. */
  readonly exact: string;
}

const STREAMS = 2;
const BATCH = 10;
/** Batch runs at once, beside the streams. With 4 one of ten found no room within the lab's pending deadline, 2 minutes. */
const SLOTS = 2;

/** Smaller than in the cycles: 0.9 CPU for both streams, which leaves a node of two processors 1.1 for batch runs of 0.65 each. */
const SMALL = {
  jobManager: { cpu: "300m", memory: "1Gi" },
  taskManagers: { ...taskManagers(1), cpu: "150m" },
};

const batch = (name: string): object => ({
  apiVersion: "mayfly.dev/v1",
  name,
  tenant: "demo",
  engine: "spark",
  version: "4.0",
  application: { kind: "python", file: "local:///opt/spark/examples/pi.py" },
  arguments: ["4"],
  driver: { cpu: "200m", memory: "512Mi" },
  workers: { count: 1, cpu: "200m", memory: "512Mi" },
  scratch: { kind: "emptyDir", size: "512Mi" },
  deadline: "15m",
});

export async function mixed(place: StreamsPlace): Promise<Mixed> {
  const names = Array.from({ length: STREAMS }, (_, at) => `bench-mixed-${process.pid}-${at + 1}`);
  const pids = new Set<number>();
  let peakMemoryMib = 0;
  const sampler = setInterval(() => {
    const now = [...pids].reduce((sum, pid) => sum + treeMemory(pid), 0);
    peakMemoryMib = Math.max(peakMemoryMib, now);
  }, 500);
  const command = async (...args: readonly string[]): Promise<void> => {
    let own = 0;
    const { code, said } = await place.mayfly(args, (pid) => {
      own = pid;
      pids.add(pid);
    });
    pids.delete(own);
    if (code !== 0) throw new Error(`mayfly ${args.join(" ")}: ${said.slice(-2000)}`);
  };
  try {
    await Promise.all(names.map(async (name) => command("run", await place.stream(name, SMALL))));
    const since = performance.now();
    const file = await place.file("batch", batch(`bench-batch-${process.pid}`));
    for (let at = 0; at < BATCH; at++) await command("submit", file);
    // The worker looks after the streams as well; with --drain it does not wait for their end.
    await command("work", "--drain", "--slots", String(SLOTS + STREAMS));
    const seconds = (performance.now() - since) / 1000;
    const outcomes = (await place.runs())
      .filter(({ spec }) => spec?.engine === "spark")
      .map(({ outcome, state }) => outcome?.kind ?? state);
    for (const name of names) await command("suspend", name);
    return { streams: STREAMS, seconds, outcomes, peakMemoryMib, exact: await exactly(names) };
  } finally {
    clearInterval(sampler);
  }
}

/** @throws Offence where a number is missing or there twice */
async function exactly(names: readonly string[]): Promise<string> {
  const counted = await Promise.all(
    names.map(async (name) => checkCounts(await readCounted(outputUrl(name)))),
  );
  const missing = counted.filter(({ lines, whole }) => lines !== whole).length;
  return missing === 0
    ? `exact, ${counted.map(({ lines }) => lines).join(" and ")} numbers`
    : `${missing} of ${counted.length} lack numbers`;
}
