// `npm run check`: formatter, types, lint, arrows, dead code. Runs all of them, then says which failed.
import { spawnSync } from "node:child_process";

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

const failed: string[] = [];
for (const [name, [command, ...args]] of steps) {
  const started = performance.now();
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const ok = status === 0;
  if (error) console.error(`${name}: ${error.message}`);
  console.log(`${ok ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  if (!ok) failed.push(name);
}
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
