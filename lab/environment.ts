import type { Connection } from "../schema/connection.ts";

/**
 * Last step of `lab up`: brings the environment project up on the lab's cluster by a real `pulumi up` and writes its
 * contract to `connection.contract`. Absent for now.
 * @returns Whether anything changed.
 */
export async function applyEnvironment(connection: Connection): Promise<boolean> {
  await Promise.resolve(connection);
  return false;
}
