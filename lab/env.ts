import { environmentLines, readConnection } from "./connection.ts";
import { labPaths } from "./paths.ts";

/**
 * What `mayfly lab env` prints: lines for a POSIX shell that put the lab's tools, cluster, Pulumi backend and S3 store into
 * it, so that `kubectl` and `pulumi` by hand see what Mayfly sees.
 * @throws UserError `lab-missing`.
 */
export function labEnv(): string {
  const paths = labPaths();
  return `${environmentLines(readConnection(paths), paths.connection).join("\n")}\n`;
}
