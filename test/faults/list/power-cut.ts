// All of Mayfly's processes die at once, right after the N-th write has reached the API server and before its answer came back: the
// object is there and no state knows of it.
import type { ProxyRequest, Write } from "../proxy.ts";
import type { Fault } from "../types.ts";

/** Whether a write is one of a run's in their order. Renewals of its Lease come when they come. */
export const counts = ({ write, method, path }: Pick<ProxyRequest, "write" | "method" | "path">): boolean =>
  write && !(method === "PUT" && path.includes("/leases/"));

/** How many writes a try made that count. */
export const counted = (writes: readonly Write[]): number => writes.filter(counts).length;

/** @param by What works on the run: a worker's is taken up by the next worker, and has to succeed whenever it was cut. */
export const powerCut = (n: number, by: "run" | "worker"): Fault => ({
  name: `all killed at write ${n}`,
  group: "power cut",
  inject: async (scene) => {
    let seen = 0;
    let cut = false;
    scene.place.proxy.spoil((request) => {
      if (!counts(request)) return undefined;
      seen += 1;
      if (seen < n || cut) return undefined;
      cut = true;
      return {
        do: "lose-answer",
        reached: async () => {
          await scene.kill();
        },
      };
    });
    if (by === "worker") await scene.submit();
    const helper = by === "worker" ? scene.worker("first") : await scene.start();
    await helper.exit;
  },
  // From the last of the creating writes on the job may be over, and the verdict be known.
  expect: by === "worker" ? ["succeeded"] : ["lost", "cancelled", "succeeded"],
  within: 150,
});
