import { provideImages } from "../images/index.ts";
import type { ImageArchive } from "./cluster/images.ts";

/** The engine images that belong into the lab, built where the cache has not got them. Reports its own steps. */
export async function labImages(): Promise<readonly ImageArchive[]> {
  return await provideImages();
}
