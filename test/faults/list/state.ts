// Pulumi's state is cut short, gone, or can't be written.
import { mkdir, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { mount, remount } from "../mount.ts";
import type { Place } from "../place.ts";
import { type Helper, phase } from "../processes.ts";
import type { Fault, Scene } from "../types.ts";

const group = "state";

/** The stack's state in the backend. */
async function stateFile({ backend }: Pick<Place, "backend">): Promise<string> {
  const folder = join(backend, ".pulumi", "stacks", "mayfly-job");
  const name = (await readdir(folder)).find((entry) => entry.endsWith(".json"));
  if (name === undefined) throw new Error("the backend holds no state");
  return join(folder, name);
}

/** All of Mayfly dies, and then this happens to the state, while objects live. */
const lost =
  (damage: (file: string) => Promise<void>) =>
  async (scene: Scene): Promise<void> => {
    const helper = await scene.start();
    await helper.until(phase("running"));
    await scene.kill();
    await helper.exit;
    await damage(await stateFile(scene.place));
  };

/** Pulumi says nothing of a state that it can't write: jobs/engine/backend-watch.ts does. */
const isTold = (scene: Scene, helper: Helper): void => {
  const outcome = helper.events.find((event) => event.type === "outcome");
  const text = outcome === undefined ? "" : JSON.stringify(outcome);
  scene.require(/The state of stack .* can't be written/.test(text), `the outcome does not say why: ${text}`);
};

export const stateFaults: readonly Fault[] = [
  {
    name: "state cut in half while objects live",
    group,
    quick: true,
    seconds: 600,
    inject: lost(async (file) => {
      await truncate(file, Math.floor((await stat(file)).size / 2));
    }),
    expect: ["lost", "cancelled"],
    within: 120,
  },
  {
    name: "state empty while objects live",
    group,
    seconds: 600,
    inject: lost(async (file) => {
      await truncate(file, 0);
    }),
    expect: ["lost", "cancelled"],
    within: 120,
  },
  {
    name: "state gone while objects live",
    group,
    seconds: 600,
    inject: lost(async (file) => {
      await rm(file);
    }),
    expect: ["lost", "cancelled"],
    within: 120,
  },
  {
    name: "half a lock file left by who died while writing it",
    group,
    seconds: 600,
    inject: lost(async (file) => {
      const stack = basename(file, ".json");
      const folder = join(file, "../../../locks/organization/mayfly-job", stack);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "3f6b7a54-0000-4000-8000-000000000000.json.18eaf41bf16ddbc8.tmp"), "{");
    }),
    expect: ["lost", "cancelled"],
    within: 120,
  },
  {
    name: "work folder gone while objects live",
    group,
    seconds: 600,
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(phase("running"));
      await scene.kill();
      await helper.exit;
      // As on another machine: the state's key is in the state, never made anew.
      await rm(join(scene.place.state, "mayfly", "work"), { recursive: true });
    },
    expect: ["lost", "cancelled"],
    within: 120,
  },
  {
    name: "backend full at submit",
    group,
    inject: async (scene) => {
      await mount(scene.place.backend, "4k");
      scene.afterwards(() => remount(scene.place.backend, "size=64m"));
      await (await scene.start()).exit;
    },
    expect: ["not begun", "infrastructure"],
    within: 120,
  },
  {
    name: "backend full while objects are made",
    group,
    quick: true,
    // Each attempt would take as long.
    job: { retries: { infrastructure: 0 } },
    inject: async (scene) => {
      await mount(scene.place.backend, "40k");
      scene.afterwards(() => remount(scene.place.backend, "size=64m"));
      const helper = await scene.start();
      await helper.exit;
      isTold(scene, helper);
    },
    expect: ["infrastructure"],
    within: 180,
  },
  {
    name: "backend read-only from the first object on",
    group,
    // Each attempt would take as long.
    job: { retries: { infrastructure: 0 } },
    inject: async (scene) => {
      await mount(scene.place.backend, "64m");
      scene.afterwards(() => remount(scene.place.backend, "rw"));
      const helper = await scene.start();
      await helper.until(({ type }) => type === "resource");
      await remount(scene.place.backend, "ro");
      await helper.exit;
      isTold(scene, helper);
    },
    expect: ["infrastructure"],
    within: 180,
  },
];
