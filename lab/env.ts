import { EXIT, UserError } from "../base/errors.ts";
import { environmentLines, readConnection } from "./connection.ts";
import { labPaths } from "./paths.ts";
import { workersConnection } from "./worker/config.ts";
import { ledgerVariables } from "./worker/ledger.ts";
import { knownWorkers } from "./worker/up.ts";

/**
 * What `mayfly lab env` prints: lines for a POSIX shell that put the lab's tools, cluster, Pulumi backend and S3 store into
 * it, so that `kubectl` and `pulumi` by hand see what Mayfly sees.
 * @param workers As the workers in the cluster have it: their ledger, and their state in S3.
 * @throws UserError `lab-missing`, `workers-missing`.
 */
export function labEnv(workers = false): string {
  const paths = labPaths();
  const connection = readConnection(paths);
  if (!workers) return `${environmentLines(connection, paths.connection).join("\n")}\n`;
  if (knownWorkers(paths) === undefined) {
    throw new UserError("workers-missing", "There are no workers in the lab's cluster.", {
      exitCode: EXIT.unavailable,
      hint: "Run 'npx mayfly lab up --workers 2' first.",
    });
  }
  const shared = workersConnection(connection);
  return `${environmentLines(shared, paths.workersConnection, ledgerVariables(paths)).join("\n")}\n`;
}
