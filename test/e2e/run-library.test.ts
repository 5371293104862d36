import { expect, test } from "vitest";
import { childEnv, execute } from "../../base/process.ts";
import { jobFile } from "./run-process.ts";

test('a program of ten lines runs a job through `import { run } from "mayfly"`', async () => {
  const { code, stdout, stderr } = await execute("bin/node", ["examples/library/run.ts", await jobFile()], {
    env: childEnv(),
  });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toMatch(/ preparing\n[\s\S]* verifying\n/);
  expect(stdout).toMatch(/succeeded, logs in s3:\/\/mayfly-logs\/runs\/demo\/count\//);
});
