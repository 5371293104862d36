import type { ImageArchive } from "./cluster/images.ts";

/** The Spark and Flink images that belong into the lab. Waits for images/ to be written. */
export async function labImages(): Promise<readonly ImageArchive[]> {
  return await Promise.resolve([]);
}
