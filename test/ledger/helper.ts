// A helper of the tests: one process that uses the ledger of MAYFLY_LEDGER.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { UserError } from "../../base/errors.ts";
import { openLedger } from "../../jobs/ledger/index.ts";
import { submission } from "./stores.ts";

const [task = "", first = "", second = "", third = "", fourth = ""] = process.argv.slice(2);

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
        // Else whoever has SQLite's write lock takes it again before those who wait for it look: https://sqlite.org/c3ref/busy_handler.html
        await setTimeout(2);
      }
      break;
    case "places": {
      await meet(second, Number(third));
      const clock = (): number => Number(process.hrtime.bigint() / 1000n);
      // Takes what it may have, holds each for a moment, until nothing waits.
      for (;;) {
        const next = await ledger.heads({ environment: "lab", perTenant: 4 });
        if (next.length === 0) break;
        const { run } = next[Math.floor(Math.random() * next.length)] ?? { run: "" };
        const claimed = await ledger.claim({ holder: first, run, running: Number(fourth) });
        if (claimed !== undefined) {
          const from = clock();
          await setTimeout(Math.random() * 60);
          const to = clock();
          await ledger.update(run, claimed.version, { state: "succeeded" });
          console.log(`${run} ${from} ${to}`);
        }
        await setTimeout(1 + Math.random() * 3);
      }
      break;
    }
    case "admitted":
      for (let index = 0; index < Number(second); index++) {
        try {
          await ledger.submit(submission(`${first}-${index}`, { machine: "{}" }), {
            admit: (queued) => {
              if (queued >= Number(third)) throw new UserError("queue-full", "full");
            },
          });
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          console.log(error.code);
        }
        await setTimeout(2);
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
