// `npm test`: sets up what the tests need and runs them all, cheapest first. Arguments go to vitest, which then runs only what
// they select: `npm test -- --project unit`, `npm test -- test/e2e/by-hand.test.ts`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../base/errors.ts";
import { labUp } from "../lab/index.ts";
import { provideTools } from "../lab/tools/index.ts";

/** The part of vitest's JSON report that is added up for the last line. */
const Counts = z.object({ numPassedTests: z.int(), numFailedTests: z.int(), numPendingTests: z.int() });
type Counts = z.infer<typeof Counts>;

/** Runs vitest on a selection. @returns What it counted; undefined where it could not even begin. */
function vitest(selection: readonly string[]): Counts | undefined {
  const folder = mkdtempSync(join(tmpdir(), "mayfly-test-"));
  const output = join(folder, "counts.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${output}`];
  try {
    const { status } = spawnSync(
      process.execPath,
      ["node_modules/vitest/vitest.mjs", "run", ...reporters, ...selection],
      { stdio: "inherit" },
    );
    // An error outside of any test fails vitest, whatever it counted.
    if (status !== 0) process.exitCode = status ?? 1;
    return Counts.parse(JSON.parse(readFileSync(output, "utf8")));
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function lab(): Promise<void> {
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

const selection = process.argv.slice(2);
const counts: (Counts | undefined)[] = [];
if (selection.length > 0) {
  if (selection.some((word) => /lab|e2e|contract|down|detached/.test(word))) await lab();
  else if (selection.some((word) => word.includes("engine"))) await provideTools(["pulumi"]);
  counts.push(vitest(selection));
} else {
  counts.push(vitest(["--project", "unit", "--project", "components"]));
  await lab();
  const withLab = ["ledger", "engine", "contract", "e2e", "lab", "down"];
  counts.push(vitest(withLab.flatMap((project) => ["--project", project])));
  console.log(
    "Not run, for they take 12, 19 and 13 minutes: npm test -- --project detached; npm run test:faults; npm run test:flink",
  );
}
const sum = (of: (counted: Counts) => number): number =>
  counts.reduce((total, counted) => total + (counted === undefined ? 0 : of(counted)), 0);
console.log(
  `${sum((all) => all.numPassedTests)} passed, ${sum((all) => all.numFailedTests)} failed, ${sum((all) => all.numPendingTests)} skipped`,
);
