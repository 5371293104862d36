// `npm run demo`: from a fresh clone to a word count on a Spark cluster that is gone again, in one command. Safe to repeat.
// `npm run demo -- flink`: the same count by Flink, then a stream that is suspended, resumed and upgraded, with exact counts.
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { paint } from "../base/progress.ts";

const title = (text: string): void => {
  console.error(`\n${paint("bold", text)}`);
};

/** Runs a command as the reader would type it; the demo ends where one fails. */
function type(command: string, ...args: readonly string[]): void {
  console.error(paint("dim", `$ ${[command.replace("bin/mayfly", "npx mayfly"), ...args].join(" ")}`));
  const { status, signal } = spawnSync(command, args, { stdio: "inherit" });
  if (status === 0) return;
  console.error(`demo: stopped, since the last command ended with ${signal ?? `exit code ${status ?? "?"}`}`);
  process.exit(status ?? 1);
}

function next(commands: readonly (readonly [command: string, what: string])[]): void {
  title("What to try next");
  for (const [command, what] of commands) console.error(`  ${command.padEnd(56)} ${paint("dim", what)}`);
}

function setUp(): void {
  title("1. A real Kubernetes, an S3 store, Pulumi and the images on this machine");
  type("bin/mayfly", "lab", "up");
  title("2. A real text in the store");
  type("bin/node", "examples/wordcount/input.ts", "--if-missing");
}

function spark(): void {
  const job = "examples/wordcount/job.yaml";
  setUp();
  title("3. A Spark cluster for one job: made, used, destroyed");
  type("bin/mayfly", "run", job);
  title("4. The result against an independent count");
  type("examples/wordcount/check.sh");
  next([
    ["npm run demo -- flink", "Flink: the same count, and a stream with state"],
    [`npx mayfly plan ${job}`, "what was made, and the arithmetic behind it"],
    ["npx mayfly run --follow examples/pi/job-3.5.yaml", "another Spark version, side by side"],
    ["npx mayfly run examples/fail-oom/job.yaml", "a failure that explains itself"],
    ["npx mayfly runs", "the runs so far"],
    ['eval "$(npx mayfly lab env)" && kubectl get pods -A', "look into the cluster by hand"],
    ["npx mayfly lab down", "stop the lab; nothing of it stays behind"],
  ]);
}

/** What the stream commits becomes readable with its checkpoints. */
const CHECKPOINTS_MS = 25_000;

async function flink(): Promise<void> {
  const check = async (): Promise<void> => {
    await sleep(CHECKPOINTS_MS);
    type("bin/node", "examples/flink-stream/check.ts");
  };
  setUp();
  title("3. A Flink cluster for one batch job, and its result against an independent count");
  type("bin/mayfly", "run", "examples/flink-wordcount/job.yaml");
  type("sh", "examples/flink-wordcount/check.sh");
  title("4. A stream that counts: it runs on when the command returns");
  type("bin/node", "examples/flink-stream/clear.ts");
  type("bin/mayfly", "run", "examples/flink-stream/job.yaml");
  await check();
  title("5. Suspended: its state is in S3, its cluster gone");
  type("bin/mayfly", "suspend", "flink-stream");
  title("6. Resumed on another parallelism");
  type("bin/mayfly", "resume", "flink-stream", "--job", "examples/flink-stream/narrow.yaml");
  await check();
  title("7. Upgraded to the next version of its program, and suspended again");
  type("bin/mayfly", "upgrade", "flink-stream", "examples/flink-stream/v2.yaml");
  await check();
  type("bin/mayfly", "suspend", "flink-stream");
  type("bin/node", "examples/flink-stream/check.ts");
  next([
    ["npx mayfly resume flink-stream", "go on where it was"],
    ["npx mayfly savepoints flink-stream", "its savepoints"],
    ["npx mayfly run examples/flink-enrich/job.yaml", "a stream with a service beside it that scales"],
    ["npx mayfly lab down", "stop the lab; nothing of it stays behind"],
  ]);
}

switch (process.argv[2]) {
  case undefined:
    spark();
    break;
  case "flink":
    await flink();
    break;
  default:
    console.error("usage: npm run demo [-- flink]");
    process.exitCode = 64;
}
