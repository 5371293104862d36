// What a stream's owner does with it: suspend, resume, rescale, savepoint; also twice at once, and with a helper that dies in between.
import { setTimeout as sleep } from "node:timers/promises";
import { isTerminal } from "../../faults/invariants.ts";
import { isTaskManager } from "../pods.ts";
import { taskManagers } from "../spec.ts";
import type { Chapter, FlinkScene } from "../types.ts";

const CONFLICT = 73;

/** Another size in place: the same run and attempt, and all its tasks. */
const rescaled =
  (count: number) =>
  async (scene: FlinkScene): Promise<void> => {
    const { run, attempt } = await scene.live();
    scene.code(await scene.mayfly("rescale", scene.name, "--task-managers", String(count)), 0);
    const now = await scene.live();
    scene.require(
      now.run === run && now.attempt === attempt,
      `it was not in place: ${now.run} attempt ${now.attempt} after ${run} attempt ${attempt}`,
    );
    const pods = (await scene.pods()).filter(isTaskManager);
    scene.require(pods.length === count, `${pods.length} TaskManagers in place of ${count}`);
    await scene.grows();
  };

/** Two commands at once; their exit codes, the smaller one first. */
async function atOnce(scene: FlinkScene, ...args: readonly string[]): Promise<string> {
  const told = await Promise.all([scene.as("first", ...args), scene.as("second", ...args)]);
  return told
    .map(({ code }) => code ?? -1)
    .toSorted((a, b) => a - b)
    .join();
}

export const life: Chapter = {
  name: "life",
  rows: [
    {
      slug: "suspend-resume",
      title: "suspended, and resumed with twice the TaskManagers",
      needs: "running",
      within: 300,
      play: async (scene) => {
        await scene.grows();
        const { run } = await scene.live();
        scene.code(await scene.mayfly("suspend", scene.name), 0);
        const suspended = (await scene.runs()).find((row) => row.run === run);
        scene.require(suspended?.outcome?.kind === "suspended", `${run} is ${suspended?.state ?? "gone"}`);
        const larger = await scene.file({ taskManagers: taskManagers(2) });
        scene.code(await scene.mayfly("resume", scene.name, "--job", larger), 0);
        const pods = (await scene.pods()).filter(isTaskManager);
        scene.require(pods.length === 2, `${pods.length} TaskManagers in place of 2`);
        await scene.grows();
      },
    },
    {
      slug: "suspend-twice",
      title: "suspended by two commands at once",
      needs: "running",
      within: 240,
      play: async (scene) => {
        const { run } = await scene.live();
        const codes = await atOnce(scene, "suspend", scene.name);
        scene.require(codes === "0,0", `exit codes ${codes} in place of 0,0`);
        const taken = (await scene.savepoints()).filter((one) => one.run === run && one.reason === "suspend");
        scene.require(taken.length === 1, `${taken.length} savepoints of one suspend`);
      },
    },
    {
      slug: "resume-twice",
      title: "resumed by two commands at once: one wins",
      needs: "suspended",
      within: 240,
      play: async (scene) => {
        const before = (await scene.runs()).length;
        const smaller = await scene.file();
        const codes = await atOnce(scene, "resume", scene.name, "--job", smaller);
        scene.require(codes === `0,${CONFLICT}`, `exit codes ${codes} in place of 0,${CONFLICT}`);
        const made = (await scene.runs()).length - before;
        scene.require(made === 1, `${made} runs of one suspended`);
        await scene.grows();
      },
    },
    {
      slug: "rescale-up",
      title: "rescaled in place from one TaskManager to two",
      needs: "running",
      within: 240,
      play: rescaled(2),
    },
    {
      slug: "rescale-down",
      title: "rescaled in place to one TaskManager",
      needs: "running",
      within: 240,
      play: rescaled(1),
    },
    {
      slug: "savepoint",
      title: "a savepoint of a stream that goes on",
      needs: "running",
      within: 240,
      play: async (scene) => {
        const { run } = await scene.live();
        scene.code(await scene.mayfly("savepoint", scene.name), 0);
        const [newest] = await scene.savepoints();
        scene.require(
          newest?.run === run && newest.reason === "asked",
          `the ledger's newest savepoint is ${JSON.stringify(newest)}`,
        );
        const told = await scene.mayfly("savepoints", scene.name);
        scene.code(told, 0);
        scene.require(told.said.includes(newest?.location ?? "?"), "savepoints does not list it");
        await scene.grows();
      },
    },
    {
      slug: "destroy-refused",
      title: "cancel and destroy without --discard-state are refused",
      needs: "running",
      within: 240,
      play: async (scene) => {
        const { run, attempt } = await scene.live();
        for (const command of ["cancel", "destroy"]) {
          const told = await scene.mayfly(command, run);
          scene.require(told.code !== 0, `${command} ended with 0`);
          scene.require(
            told.said.includes("suspend") && told.said.includes("--discard-state"),
            `${command} does not name what to do: ${told.said}`,
          );
        }
        await scene.grows();
        const now = await scene.live();
        scene.require(now.run === run && now.attempt === attempt, "the stream was touched");
      },
    },
    {
      slug: "run-twice",
      title: "a second run of a live stream is refused",
      needs: "running",
      within: 240,
      play: async (scene) => {
        const { run } = await scene.live();
        const told = await scene.mayfly("run", await scene.file());
        scene.code(told, CONFLICT);
        scene.require(told.said.includes(run), `it does not name the live run: ${told.said}`);
      },
    },
    {
      slug: "helper-killed",
      title: "the suspending helper killed between savepoint and destroy; suspended again by another",
      needs: "running",
      within: 300,
      play: async (scene) => {
        const { run } = await scene.live();
        const helper = scene.launch("first", ["suspend", scene.name, "--json"]);
        let over = false;
        void helper.exit.then(() => {
          over = true;
        });
        const location = await scene.until("the savepoint is in the ledger", 90, async () => {
          if (over) throw new Error(`the helper ended before: ${helper.said().slice(-1000)}`);
          return (await scene.savepoints()).find((one) => one.run === run && one.reason === "suspend")
            ?.location;
        });
        await scene.kill("first");
        await helper.exit;
        const cut = (await scene.runs()).find((row) => row.run === run);
        scene.require(cut !== undefined && !isTerminal(cut), "it was suspended before it could be killed");
        scene.code(await scene.as("successor", "suspend", run), 0);
        const now = (await scene.runs()).find((row) => row.run === run);
        const told = now?.outcome?.kind === "suspended" ? now.outcome.savepoint : now?.state;
        scene.require(told === location, `the run says ${told ?? "nothing"}, its savepoint is ${location}`);
        await sleep(1000);
      },
    },
  ],
};
