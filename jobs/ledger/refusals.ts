import { EXIT, UserError } from "../../base/errors.ts";

/** That only a stream can do what is asked of a run. */
export const notAStream = (run: string): UserError =>
  new UserError("not-a-stream", `Run ${run} is of a job that ends by itself, not of a stream.`, {
    path: `run ${run}`,
    hint: `End it early with: npx mayfly cancel ${run}. Only Flink jobs of \`kind: stream\` have state to keep.`,
    exitCode: EXIT.conflict,
  });
