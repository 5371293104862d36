// `npm run check`: formatter, types, lint, arrows, dead code. Runs all of them, two at a time, then says which failed.
import { execute } from "../base/process.ts";

const bin = "node_modules/.bin";
const steps: readonly (readonly [name: string, command: readonly [string, ...string[]]])[] = [
  ["format", [`${bin}/biome`, "ci", "--colors=off", "."]],
  ["types", [`${bin}/tsc`, "--noEmit"]],
  ["lint", [`${bin}/eslint`, "--max-warnings=0", "."]],
  [
    "arrows",
    [
      `${bin}/depcruise`,
      "--output-type=err",
      "base",
      "knowledge",
      "schema",
      "components",
      "stacks",
      "jobs",
      "images",
      "lab",
      "policy",
      "simulation",
      "review",
      "scripts",
      "test",
    ],
  ],
  ["dead code", [`${bin}/knip`]],
];

/** Runs one step, and prints what it said when it has ended, so that two never mix. @returns Whether it passed. */
async function check([name, [command, ...args]]: (typeof steps)[number]): Promise<boolean> {
  const started = performance.now();
  const { code, stdout, stderr } = await execute(command, args);
  const ok = code === 0;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${stdout}${stderr}${ok ? "ok  " : "FAIL"} ${name} (${seconds} s)\n`);
  return ok;
}

const waiting = [...steps];
const failed: string[] = [];
/** Types and lint take longest, and one core each. */
async function work(): Promise<void> {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    if (!(await check(step))) failed.push(step[0]);
  }
}
await Promise.all([work(), work()]);
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
