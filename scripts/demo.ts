// `npm run demo`: from a fresh clone to a word count on a Spark cluster that is gone again, in one command. Safe to repeat.
import { spawnSync } from "node:child_process";
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

const job = "examples/wordcount/job.yaml";

title("1. A real Kubernetes, an S3 store, Pulumi and the Spark images on this machine");
type("bin/mayfly", "lab", "up");

title("2. A real text in the store");
type("bin/node", "examples/wordcount/input.ts", "--if-missing");

title("3. A Spark cluster for one job: made, used, destroyed");
type("bin/mayfly", "run", job);

title("4. The result against an independent count");
type("examples/wordcount/check.sh");

title("What to try next");
for (const [command, what] of [
  [`npx mayfly plan ${job}`, "what was made, and the arithmetic behind it"],
  ["npx mayfly run --follow examples/pi/job-3.5.yaml", "another Spark version, side by side"],
  ["npx mayfly run examples/fail-oom/job.yaml", "a failure that explains itself"],
  ["npx mayfly runs", "the runs so far"],
  ['eval "$(npx mayfly lab env)" && kubectl get pods -A', "look into the cluster by hand"],
  ["npx mayfly lab down", "stop the lab; nothing of it stays behind"],
] as const) {
  console.error(`  ${command.padEnd(56)} ${paint("dim", what)}`);
}
