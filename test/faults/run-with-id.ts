// `mayfly run` with a run id of one's choice, as a program may have it: node run-with-id.ts JOB RUN
import { UserError } from "../../base/errors.ts";
import { run, runExitCode } from "../../jobs/run/index.ts";

const [job = "", runId] = process.argv.slice(2);
try {
  const report = await run(job, {
    runId,
    onEvent: (event) => {
      console.log(JSON.stringify(event));
    },
  });
  process.exitCode = runExitCode(report);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = error.exitCode;
}
