// All of Mayfly's processes die at once, right after the N-th write has reached the API server and before its answer came back: the
// object is there and no state knows of it.
import type { Fault } from "../types.ts";

export const powerCut = (n: number): Fault => ({
  name: `all killed at write ${n}`,
  group: "power cut",
  inject: async (scene) => {
    let cut = false;
    scene.place.proxy.spoil(({ write, writes }) => {
      if (!write || writes < n || cut) return undefined;
      cut = true;
      return {
        do: "lose-answer",
        reached: async () => {
          await scene.kill();
        },
      };
    });
    const helper = await scene.start();
    await helper.exit;
  },
  // From the last of the creating writes on the job may be over, and the verdict be known.
  expect: ["lost", "cancelled", "succeeded"],
  within: 150,
});
