import { imageNames, provideImages } from "../images/index.ts";
import type { ImageArchive } from "./cluster/images.ts";

/**
 * The images that every lab has from the start, Spark's, built where the cache has not got them. Reports its own steps.
 * @param engine Builds them where there is one; without it Mayfly does, as root.
 */
export async function labImages(engine?: "docker" | "podman"): Promise<readonly ImageArchive[]> {
  return await provideImages(imageNames("spark"), { engine });
}
