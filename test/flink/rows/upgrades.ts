// Another jar for a stream that runs; and jars that are no good.

import type { SpecChanges } from "../spec.ts";
import { application } from "../spec.ts";
import type { Chapter, FlinkScene } from "../types.ts";

const V2 = { application: application("KeyedCounts", "flink-jobs-v2") };

/** An upgrade that must not come about. @returns What was said. */
const rolledBack =
  (changes: SpecChanges, ...options: readonly string[]) =>
  async (scene: FlinkScene): Promise<void> => {
    await scene.grows();
    const { run, spec } = await scene.live();
    const told = await scene.mayfly("upgrade", scene.name, await scene.file(changes), ...options);
    scene.require(told.code !== 0, "upgrade ended with 0");
    scene.require(
      /rolled back|back to|resumed/i.test(told.said),
      `it does not say what it did: ${told.said}`,
    );
    const now = await scene.live();
    scene.require(now.run !== run, "nothing was tried: it is the same run");
    scene.require(
      JSON.stringify(now.spec) === JSON.stringify(spec) ||
        (now.spec?.engine === "flink" &&
          spec?.engine === "flink" &&
          JSON.stringify(now.spec.application) === JSON.stringify(spec.application)),
      `it is not the old application: ${JSON.stringify(now.spec)}`,
    );
    await scene.grows();
  };

export const upgrades: Chapter = {
  name: "upgrade",
  rows: [
    {
      slug: "upgrade-never-healthy",
      title: "upgraded to a jar that never becomes healthy: rolled back",
      needs: "running",
      within: 420,
      play: rolledBack({ application: application("NeverHealthy") }, "--healthy-within", "45s"),
    },
    {
      slug: "upgrade-incompatible",
      title: "upgraded to a jar that can't read its state: rolled back",
      needs: "running",
      within: 420,
      play: rolledBack({ application: application("Incompatible") }, "--healthy-within", "60s"),
    },
    {
      slug: "upgrade-without-class",
      title: "upgraded to a class that the jar does not have: rolled back",
      needs: "running",
      within: 420,
      play: rolledBack({ application: application("NoSuchJob") }, "--healthy-within", "60s"),
    },
    {
      slug: "upgrade-refused",
      title: "upgraded to a jar that is not there: refused before anything is touched",
      needs: "running",
      within: 180,
      play: async (scene) => {
        const { run } = await scene.live();
        const missing = await scene.file({ application: application("KeyedCounts", "no-such") });
        const told = await scene.mayfly("upgrade", scene.name, missing);
        scene.require(told.code !== 0, "upgrade ended with 0");
        scene.require((await scene.live()).run === run, "the run was touched");
        await scene.grows();
      },
    },
    {
      slug: "upgrade",
      title: "upgraded to another jar",
      needs: "running",
      within: 300,
      play: async (scene) => {
        await scene.grows();
        const { run } = await scene.live();
        scene.code(await scene.mayfly("upgrade", scene.name, await scene.file(V2)), 0);
        const now = await scene.live();
        scene.require(now.run !== run, "it is the same run");
        await scene.grows();
      },
    },
  ],
};
