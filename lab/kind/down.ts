import type { LabPaths } from "../paths.ts";
export async function kindDown(paths: LabPaths): Promise<void> {
  await Promise.resolve(paths);
}
