import { EXIT, UserError } from "../base/errors.ts";
import { step } from "../base/progress.ts";
import { imageNames, provideImages } from "../images/index.ts";
import { chooseKind, hostState } from "./choose.ts";
import { importImages } from "./cluster/images.ts";
import { withLock } from "./host/lock.ts";
import { addImages } from "./kind/up.ts";
import { labPaths } from "./paths.ts";
import { say } from "./say.ts";
import { labConnection } from "./store.ts";

/** Names of images, from names and engines (`flink`: all of Flink's). @throws UserError `image-unknown` */
export function wantedImages(wanted: readonly string[]): string[] {
  return wanted.flatMap((name) => {
    const ofEngine = imageNames(name);
    if (ofEngine.length > 0) return ofEngine;
    if (imageNames().includes(name)) return [name];
    throw new UserError("image-unknown", `There is no recipe for the image ${name}.`, {
      exitCode: EXIT.usage,
      hint: `Give an engine (spark, flink) or one of ${imageNames().join(", ")}.`,
    });
  });
}

/**
 * Puts images into a lab that is up, and builds those that the cache has not: the engines' that `lab up` leaves out.
 * @param wanted Names of images, or of engines.
 * @throws UserError `lab-missing`, `image-unknown`, and why one can't be built.
 */
export async function labProvide(wanted: readonly string[]): Promise<void> {
  const names = wantedImages(wanted);
  labConnection();
  const choice = chooseKind(await hostState());
  const engine = choice.kind === "kind" ? choice.engine : undefined;
  await withLock(
    "lab",
    () => {
      say("Waiting for another 'mayfly lab' to finish.");
    },
    async () => {
      const images = await provideImages(names, { engine });
      await step("images in the lab", async () => {
        await (engine === undefined ? importImages(images) : addImages(labPaths(), engine, images));
      });
    },
  );
}
