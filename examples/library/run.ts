// Runs a job from a program: `bin/node examples/library/run.ts examples/pi/job.yaml`.
import { run, runExitCode } from "mayfly";

const report = await run(process.argv[2] ?? "examples/pi/job.yaml", {
  onEvent: (event) => {
    if (event.type === "phase") console.log(`${event.elapsedSeconds.toFixed(1)} s ${event.phase}`);
  },
});
console.log(`${report.run}: ${report.outcome.kind}, logs in ${report.logs.join(", ")}`);
process.exitCode = runExitCode(report);
