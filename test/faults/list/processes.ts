// Mayfly's own processes are killed, stopped, doubled, and their clock jumps.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { phase, send, wrongClock } from "../processes.ts";
import type { Fault, Scene } from "../types.ts";

const group = "processes";

const firstResource = ({ type }: { readonly type: string }): boolean => type === "resource";

/** A part of the machinery dies while objects are made; its helper lives. */
const killed =
  (part: string) =>
  async (scene: Scene): Promise<void> => {
    const helper = await scene.start();
    await helper.until(firstResource);
    scene.require((await scene.kill(part)) > 0, `there was no process ${part} to kill`);
    await helper.exit;
  };

/** The helper alone dies. */
const helperKilled =
  (when: Parameters<Awaited<ReturnType<Scene["start"]>>["until"]>[0]) =>
  async (scene: Scene): Promise<void> => {
    const helper = await scene.start();
    await helper.until(when);
    send(helper.pid, "SIGKILL");
    await helper.exit;
  };

const clockJumps =
  (seconds: number) =>
  async (scene: Scene): Promise<void> => {
    const helper = await scene.start({ NODE_OPTIONS: wrongClock(seconds) });
    await helper.exit;
  };

export const processFaults: readonly Fault[] = [
  {
    name: "helper killed when it begins to create",
    group,
    inject: helperKilled(phase("creating")),
    expect: ["lost", "cancelled", "infrastructure"],
    within: 120,
  },
  {
    name: "helper killed while objects are made",
    group,
    quick: true,
    inject: helperKilled(firstResource),
    expect: ["lost", "cancelled", "infrastructure"],
    within: 120,
  },
  {
    name: "helper killed while the job runs",
    group,
    seconds: 600,
    inject: helperKilled(phase("running")),
    expect: ["lost", "cancelled"],
    within: 120,
  },
  {
    name: "helper killed while it destroys",
    group,
    inject: helperKilled(phase("destroying")),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "helper stopped by SIGTERM while objects are made",
    group,
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(firstResource);
      send(helper.pid, "SIGTERM");
      await helper.exit;
    },
    expect: ["cancelled"],
    within: 120,
  },
  {
    name: "helper frozen for 20 s while the job runs",
    group,
    seconds: 10,
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(phase("running"));
      send(helper.pid, "SIGSTOP");
      await sleep(20_000);
      send(helper.pid, "SIGCONT");
      await helper.exit;
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "engine's process killed while objects are made",
    group,
    inject: killed("engine/worker.ts"),
    expect: ["infrastructure", "succeeded"],
    within: 180,
  },
  {
    name: "Pulumi killed while objects are made",
    group,
    quick: true,
    inject: killed("pulumi up"),
    expect: ["infrastructure", "succeeded"],
    within: 180,
  },
  {
    name: "provider plugin killed while objects are made",
    group,
    inject: killed("kubernetes-plugin"),
    expect: ["infrastructure", "succeeded"],
    within: 180,
  },
  {
    name: "two helpers begin one run id at once",
    group,
    quick: true,
    seconds: 3,
    inject: async (scene) => {
      const args = [join("test", "faults", "run-with-id.ts"), await scene.job(), `${scene.place.name}-twice`];
      const helpers = (["first", "second"] as const).map((holder) =>
        scene.launch(holder, process.execPath, args),
      );
      const ends = await Promise.all(helpers.map(async ({ exit }) => await exit));
      const codes = ends.map(({ code }) => code).toSorted();
      // The other one is refused: 73 is a conflict.
      scene.require(codes.join() === "0,73", `exit codes ${codes.join(" and ")} in place of 0 and 73`);
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "helper's clock jumps two hours forward while it creates",
    group,
    seconds: 5,
    inject: clockJumps(7200),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "helper's clock jumps two hours back while it creates",
    group,
    seconds: 5,
    inject: clockJumps(-7200),
    expect: ["succeeded"],
    within: 120,
  },
];
