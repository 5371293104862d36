import { keepImage, type ProvidedImage } from "../build/keep.ts";
import { requireTools } from "../build/tools.ts";
import { buildWorkerImage } from "./image.ts";
import { type WorkerTools, workerInputs, workerTag } from "./inputs.ts";

/** The image's name without its tag. */
const REPOSITORY = "mayfly.dev/worker";

/**
 * The image in which `mayfly work` runs in a pod, made of this checkout, the Node that runs this, and the given programs; built where the
 * cache has not got it. Its tag tells its contents.
 * @throws UserError `images-need-linux-root`, `image-tools-missing`, `image-build-failed`
 */
export async function provideWorkerImage(tools: WorkerTools, signal?: AbortSignal): Promise<ProvidedImage> {
  const inputs = await workerInputs(tools);
  const tag = workerTag(inputs);
  const name = `${REPOSITORY}:${tag}`;
  return await keepImage(`worker-${tag}`, async (places, archive) => {
    requireTools();
    const { id, manifest, layers } = await buildWorkerImage(inputs, name, places, archive, signal);
    return { name, digest: id, manifest, layers };
  });
}
