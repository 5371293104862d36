// What Mayfly leans on beside the cluster's API: the S3 store, its token for the cluster, the passphrase of Pulumi's state.
import { rename } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Helper, phase } from "../processes.ts";
import type { Fault, Scene } from "../types.ts";

const firstResource = ({ type }: { readonly type: string }): boolean => type === "resource";

/** A job whose preflight asks S3 for its program. */
const FROM_S3 = { application: { kind: "python", file: "s3://demo-code/pi.py" } } as const;

/** The token is refused for four seconds, less than the lease lasts; then there is a new one in its file. */
const expired =
  (when: (helper: Helper) => Promise<unknown>) =>
  async (scene: Scene): Promise<void> => {
    const helper = await scene.start();
    await when(helper);
    scene.place.expireToken("first");
    await sleep(4000);
    await scene.place.renewToken("first");
    await helper.exit;
  };

/** Takes the file with the passphrase away until the helper's end. */
async function passphraseGone(scene: Scene): Promise<void> {
  const { passphrase } = scene.place;
  await rename(passphrase, `${passphrase}.away`);
  scene.afterwards(async () => {
    await rename(`${passphrase}.away`, passphrase);
  });
}

export const outsideFaults: readonly Fault[] = [
  {
    name: "down at submit",
    group: "S3",
    job: FROM_S3,
    inject: async (scene) => {
      await scene.place.s3.down();
      const helper = await scene.start();
      await helper.exit;
      scene.require(helper.said().includes("S3"), "the message does not name S3");
    },
    expect: ["not begun"],
    within: 60,
  },
  {
    name: "hangs at submit",
    group: "S3",
    job: FROM_S3,
    // Three times 20 s.
    inject: async (scene) => {
      scene.place.s3.hang();
      const helper = await scene.start();
      await helper.exit;
      scene.require(helper.said().includes("S3"), "the message does not name S3");
    },
    expect: ["not begun"],
    within: 120,
  },
  {
    name: "down from the job's start on: no logs are saved",
    group: "S3",
    quick: true,
    seconds: 3,
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(phase("running"));
      await scene.place.s3.down();
      const { code } = await helper.exit;
      scene.require(code === 0, `exit code ${code ?? "none"} in place of 0`);
      scene.require(helper.said().includes("Not all logs were saved"), "nobody is told that logs are lost");
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "hangs from the job's start on: no logs are saved",
    group: "S3",
    seconds: 3,
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(phase("running"));
      scene.place.s3.hang();
      const { code } = await helper.exit;
      scene.require(code === 0, `exit code ${code ?? "none"} in place of 0`);
      scene.require(helper.said().includes("Not all logs were saved"), "nobody is told that logs are lost");
    },
    expect: ["succeeded"],
    // A minute until the logs are given up, and another one for the report.
    within: 240,
  },
  {
    name: "cluster's token expires while objects are made, a new one after 4 s",
    group: "credentials",
    quick: true,
    inject: expired(async (helper) => await helper.until(firstResource)),
    expect: ["succeeded", "infrastructure"],
    within: 150,
  },
  {
    name: "cluster's token expires while the job runs, a new one after 4 s",
    group: "credentials",
    seconds: 12,
    inject: expired(async (helper) => await helper.until(phase("running"))),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "cluster's token is revoked for good while the job runs",
    group: "credentials",
    seconds: 600,
    job: { retries: { infrastructure: 0 } },
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(phase("running"));
      scene.place.expireToken("first");
      const { code } = await helper.exit;
      // Its lease can't be renewed either: the run is whoever's comes next, and stays unfinished in the ledger until then.
      scene.require(code === 73, `exit code ${code ?? "none"} in place of 73`);
    },
    expect: ["infrastructure", "lost"],
    within: 300,
  },
  {
    name: "passphrase of the state gone at submit",
    group: "credentials",
    inject: async (scene) => {
      await passphraseGone(scene);
      await (await scene.start()).exit;
    },
    expect: ["not begun"],
    within: 60,
  },
  {
    name: "passphrase of the state gone while the job runs",
    group: "credentials",
    seconds: 5,
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(phase("running"));
      await passphraseGone(scene);
      const { code } = await helper.exit;
      scene.require(code === 21, `exit code ${code ?? "none"} in place of 21, something left behind`);
    },
    expect: ["succeeded"],
    within: 150,
  },
];
