// Streams that never come to be, and state that is none.

import type { SpecChanges } from "../spec.ts";
import { application, BUCKET, folderOf, stateKey } from "../spec.ts";
import type { Chapter, FlinkScene } from "../types.ts";

/** A start that must fail. @param ends Right outcomes; `none`: no run was made. */
const fails =
  (changes: (scene: FlinkScene) => SpecChanges, ends: readonly string[], says: RegExp) =>
  async (scene: FlinkScene): Promise<void> => {
    const before = (await scene.runs()).length;
    const told = await scene.mayfly("run", await scene.file(changes(scene)));
    scene.require(told.code !== 0, "run ended with 0");
    scene.require(says.test(told.said), `it does not say why: ${told.said.slice(-2000)}`);
    const made = (await scene.runs()).slice(before).map(({ outcome }) => outcome?.kind ?? "unfinished");
    const end = made.length === 0 ? "none" : made.join();
    scene.require(ends.includes(end), `runs: ${end}, in place of ${ends.join(" or ")}`);
  };

export const refused: Chapter = {
  name: "refused",
  place: { startSeconds: 60 },
  rows: [
    {
      slug: "savepoint-missing",
      title: "its savepoint is not there",
      needs: "nothing",
      within: 180,
      play: fails(
        ({ name }) => ({ from: { savepoint: `s3://${BUCKET}/${stateKey(name)}no/savepoint-0` } }),
        ["none", "refused"],
        /savepoint-0/,
      ),
    },
    {
      slug: "class-missing",
      title: "its jar has no such class",
      needs: "nothing",
      within: 240,
      play: fails(() => ({ application: application("NoSuchJob") }), ["user-failure"], /NoSuchJob/),
    },
    {
      slug: "ends-at-once",
      title: "a job that finishes at once",
      needs: "nothing",
      within: 240,
      play: async (scene) => {
        const told = await scene.mayfly("run", await scene.file({ application: application("EndsAtOnce") }));
        scene.require(/ended|finished/i.test(told.said), `it does not say so: ${told.said.slice(-2000)}`);
        const ends = (await scene.runs()).slice(-1).map(({ outcome }) => outcome?.kind ?? "unfinished");
        scene.require(ends.join() === "succeeded", `the run is ${ends.join()}`);
      },
    },
    {
      slug: "never-healthy",
      title: "a job that never becomes healthy",
      needs: "nothing",
      within: 300,
      play: fails(
        () => ({ application: application("NeverHealthy"), retries: { infrastructure: 0 } }),
        ["deadline"],
        /healthy|start/i,
      ),
    },
    {
      slug: "savepoint-timeout",
      title: "a savepoint that takes too long: it stays running and says so",
      needs: "nothing",
      within: 300,
      play: async (scene) => {
        const { name } = scene;
        const slow = await scene.file({
          application: application("SlowSnapshots"),
          arguments: [`s3://${BUCKET}/${folderOf(name)}slow/`, "--rate", "50", "--seconds", "600"],
        });
        scene.code(await scene.mayfly("run", slow), 0);
        const { run } = await scene.live();
        const told = await scene.mayfly("suspend", name, "--timeout", "20s");
        scene.require(told.code !== 0, "suspend ended with 0");
        scene.require(/running|goes on/i.test(told.said), `it does not say that it runs: ${told.said}`);
        scene.require((await scene.live()).run === run, "the run has ended");
        scene.code(await scene.mayfly("cancel", run, "--discard-state"), 0);
        scene.code(await scene.mayfly("wait", run, "--timeout", "90s"), 130);
      },
    },
    {
      slug: "savepoint-of-another",
      title: "its savepoint is another job's",
      needs: "suspended",
      within: 300,
      play: async (scene) => {
        const { outcome } = (await scene.runs()).at(-1) ?? {};
        const savepoint = outcome?.kind === "suspended" ? outcome.savepoint : "";
        const other = `${scene.name}-other`;
        const file = await scene.file({
          name: other,
          application: application("Incompatible"),
          arguments: [`s3://${BUCKET}/${folderOf(scene.name)}other/`, "--renamed", "1"],
          from: { savepoint },
        });
        const told = await scene.mayfly("run", file);
        scene.require(told.code !== 0, "run ended with 0");
        scene.require(
          /another|state|operator|savepoint/i.test(told.said),
          `it does not say why: ${told.said.slice(-2000)}`,
        );
        scene.require(
          (await scene.savepoints()).every(({ deletedAt }) => deletedAt === undefined),
          "the savepoint was deleted",
        );
        // The stream that it is of is none the worse.
        scene.code(await scene.mayfly("resume", scene.name), 0);
        await scene.grows();
      },
    },
  ],
};

export const older: Chapter = {
  name: "1.x",
  spec: { version: "1.20" },
  rows: [
    {
      slug: "1x-on-2x",
      title: "state of Flink 1.20 on 2.3: refused",
      needs: "suspended",
      within: 300,
      play: async (scene) => {
        const before = (await scene.runs()).length;
        const newer = await scene.file({ version: "2.3" });
        const told = await scene.mayfly("resume", scene.name, "--job", newer);
        scene.require(told.code !== 0, "resume ended with 0");
        scene.require(/1\.20/.test(told.said), `it does not name the version: ${told.said}`);
        scene.require((await scene.runs()).length === before, "a run was made");
      },
    },
  ],
};
