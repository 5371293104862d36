import { imageNames, provideImages } from "../images/index.ts";
import type { ImageArchive } from "./cluster/images.ts";

/** Of the examples. The other versions come by `mayfly lab images`. */
const FLINK = "mayfly.dev/flink:2.3.0";

/**
 * The images that every lab has from the start, Spark's and that of the newest Flink, built where the cache has not got them. Reports its own steps.
 * @param engine Builds them where there is one; without it Mayfly does, as root.
 */
export async function labImages(engine?: "docker" | "podman"): Promise<readonly ImageArchive[]> {
  return await provideImages([...imageNames("spark"), FLINK], { engine });
}
