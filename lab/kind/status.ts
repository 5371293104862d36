import type { LabPaths } from "../paths.ts";
import type { LabStatus } from "../status.ts";
export async function kindStatus(paths: LabPaths): Promise<LabStatus> {
  await Promise.resolve(paths);
  throw new Error("being written");
}
