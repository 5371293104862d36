// A helper of the tests: one process that uses the ledger of MAYFLY_LEDGER.
import { UserError } from "../../base/errors.ts";
import { openLedger } from "../../jobs/ledger/index.ts";
import { submission } from "./stores.ts";

const [task = "", first = "", second = ""] = process.argv.slice(2);

try {
  const ledger = await openLedger();
  switch (task) {
    case "claim":
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
