// A run is cancelled at any point, also twice.
import { setTimeout as sleep } from "node:timers/promises";
import { type Helper, phase, send } from "../processes.ts";
import type { Fault, Scene } from "../types.ts";

const group = "cancel";

const firstResource = ({ type }: { readonly type: string }): boolean => type === "resource";

/** `mayfly cancel`, by two processes at once; and once more after the run's end, which a run that was not cancelled refuses. */
const cancelled =
  (when: (helper: Helper) => Promise<unknown>, late: 0 | 73) =>
  async (scene: Scene): Promise<void> => {
    const run = await scene.submit();
    const worker = scene.worker("first");
    await when(worker);
    const asked = await Promise.all([scene.mayfly("cancel", run), scene.mayfly("cancel", run)]);
    const codes = asked.map(({ code }) => code).join(" and ");
    scene.require(codes === "0 and 0", `mayfly cancel ended with ${codes}`);
    await worker.exit;
    const { code } = await scene.mayfly("cancel", run);
    scene.require(code === late, `cancel of an ended run ended with ${code ?? "none"}, not ${late}`);
  };

export const cancelFaults: readonly Fault[] = [
  {
    name: "twice at once while a worker creates",
    group,
    quick: true,
    seconds: 600,
    inject: cancelled(async (worker) => await worker.until(firstResource), 0),
    expect: ["cancelled"],
    within: 120,
  },
  {
    name: "twice at once while the job runs",
    group,
    seconds: 600,
    inject: cancelled(async (worker) => await worker.until(phase("running")), 0),
    expect: ["cancelled"],
    within: 120,
  },
  {
    name: "twice at once while a worker destroys: the verdict stays",
    group,
    inject: cancelled(async (worker) => await worker.until(phase("destroying")), 73),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "in the queue, twice",
    group,
    inject: async (scene) => {
      const run = await scene.submit();
      const asked = await Promise.all([scene.mayfly("cancel", run), scene.mayfly("cancel", run)]);
      scene.require(
        asked.some(({ code }) => code === 0) && asked.every(({ code }) => code === 0 || code === 73),
        `mayfly cancel ended with ${asked.map(({ code }) => code).join(" and ")}`,
      );
      await scene.worker("first").exit;
      scene.require(scene.place.proxy.writes.length === 0, "something of a cancelled run was made");
    },
    expect: ["cancelled"],
    within: 60,
  },
  {
    name: "Ctrl-C twice while mayfly run creates",
    group,
    seconds: 600,
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(firstResource);
      send(helper.pid, "SIGINT");
      await sleep(500);
      send(helper.pid, "SIGINT");
      const { code } = await helper.exit;
      scene.require(code === 130, `exit code ${code ?? "none"} in place of 130`);
    },
    expect: ["cancelled"],
    within: 120,
  },
];
