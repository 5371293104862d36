// `npm test`: sets up what the tests need and runs them all, cheapest first. Arguments go to vitest, which then runs only what
// they select: `npm test -- --project unit`, `npm test -- test/e2e/outcomes.test.ts`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../base/errors.ts";
import { labUp } from "../lab/index.ts";

/** The part of vitest's JSON report that is printed again as the last line. */
const Counts = z.object({ numPassedTests: z.int(), numFailedTests: z.int(), numPendingTests: z.int() });

const selection = process.argv.slice(2);
const needsLab = selection.length === 0 || selection.some((word) => /lab|e2e|contract/.test(word));

if (needsLab) {
  try {
    await labUp({});
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // Half of the tests are about the real cluster: leaving them out silently would be a lie.
    console.error(`The tests need the lab, and it can't run here: ${error.message}`);
    if (error.hint !== undefined) console.error(`  next: ${error.hint}`);
    console.error("  or run those that need none: npm test -- --project unit --project components");
    process.exit(error.exitCode);
  }
}

const folder = mkdtempSync(join(tmpdir(), "mayfly-test-"));
const output = join(folder, "counts.json");
const { status } = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${output}`,
    ...selection,
  ],
  { stdio: "inherit" },
);
try {
  const counts = Counts.parse(JSON.parse(readFileSync(output, "utf8")));
  console.log(
    `${counts.numPassedTests} passed, ${counts.numFailedTests} failed, ${counts.numPendingTests} skipped`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = status ?? 1;
