// A helper of the tests: one process that uses the ledger of MAYFLY_LEDGER.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { UserError } from "../../base/errors.ts";
import { openLedger } from "../../jobs/ledger/index.ts";
import { submission } from "./stores.ts";

const [task = "", first = "", second = "", third = ""] = process.argv.slice(2);

/** Waits until so many processes have come to the folder, so that none has done all the work before the others began. */
async function meet(folder: string, count: number): Promise<void> {
  writeFileSync(join(folder, String(process.pid)), "");
  while (readdirSync(folder).length < count) await setTimeout(2);
}

try {
  const ledger = await openLedger();
  switch (task) {
    case "claim":
      if (second !== "") await meet(second, Number(third));
      // Takes what it can get until nothing is left.
      for (;;) {
        const run = await ledger.claim({ holder: first });
        if (run === undefined) break;
        console.log(run.run);
      }
      break;
    case "submit": {
      const { run, created } = await ledger.submit(submission(first, { key: second }));
      console.log(`${run} ${created ? "created" : "found"}`);
      break;
    }
    case "append":
      // Many small writes beside another process.
      for (let index = 0; index < 50; index++) {
        await ledger.append(first, [
          { type: "warning", at: new Date().toISOString(), run: first, message: `${second} ${index}` },
        ]);
      }
      break;
    case "open":
      console.log(ledger.location);
      break;
    default:
      throw new Error(`no task ${task}`);
  }
  await ledger.close();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.log(`${error.code}: ${error.message} | ${error.hint ?? ""}`);
  process.exitCode = error.exitCode;
}
