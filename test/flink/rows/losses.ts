// What a cluster does to a stream: processes die, pods are evicted, S3 goes away.
import { kubectl } from "../../lab/pods.ts";
import { evict, isJobManager, isTaskManager, KILL_JAVA } from "../pods.ts";
import type { Chapter, FlinkScene, Pod } from "../types.ts";

async function podThat(scene: FlinkScene, is: (pod: Pod) => boolean): Promise<Pod> {
  const pod = (await scene.pods()).find(is);
  if (pod === undefined) throw new Error("the run has no such pod");
  return pod;
}

/** Kills the JobManager's Java. @returns The run and attempt that it was. */
async function killJobManager(scene: FlinkScene): Promise<{ run: string; attempt: number }> {
  await scene.grows();
  const { run, attempt } = await scene.live();
  await scene.inPod((await podThat(scene, isJobManager)).name, KILL_JAVA);
  return { run, attempt };
}

const nextAttempt = async (scene: FlinkScene, of: { run: string; attempt: number }): Promise<void> => {
  await scene.until("a further attempt runs", 180, async () => {
    const { run, attempt, phase } = await scene.live();
    return run === of.run && attempt > of.attempt && phase === "running" ? true : undefined;
  });
};

/** Takes all TaskManagers away, so that no savepoint can be had. */
async function withoutTaskManagers(scene: FlinkScene): Promise<void> {
  const { run, namespace } = await scene.live();
  const sets = (
    await kubectl(["get", "statefulsets", "--namespace", namespace ?? run, "--output", "name"])
  ).trim();
  const scale = async (count: number): Promise<void> => {
    await kubectl(["scale", sets, "--namespace", namespace ?? run, `--replicas=${count}`]);
  };
  await scale(0);
  scene.afterwards(async () => {
    // The run may be gone.
    await scale(1).catch(() => undefined);
  });
  await scene.until("all TaskManagers are gone", 60, async () =>
    (await scene.pods()).some(isTaskManager) ? undefined : true,
  );
}

export const losses: Chapter = {
  name: "losses",
  rows: [
    {
      slug: "jobmanager-killed",
      title:
        "the JobManager's Java killed, a worker looks after the stream: next attempt, from its newest checkpoint",
      needs: "running",
      within: 300,
      play: async (scene) => {
        const stop = await scene.worker();
        try {
          const before = await killJobManager(scene);
          await nextAttempt(scene, before);
          await scene.grows();
        } finally {
          await stop();
        }
      },
    },
    {
      slug: "jobmanager-killed-alone",
      title:
        "the same while nobody looks after it: mayfly resume finds it, mayfly resume STREAM makes the next attempt",
      needs: "running",
      within: 300,
      play: async (scene) => {
        const before = await killJobManager(scene);
        scene.code(await scene.as("successor", "resume"), 0);
        scene.code(await scene.as("successor", "resume", scene.name), 0);
        await nextAttempt(scene, before);
        await scene.grows();
      },
    },
    {
      slug: "taskmanager-killed",
      title: "a TaskManager's Java killed: the same attempt goes on",
      needs: "running",
      within: 240,
      play: async (scene) => {
        await scene.grows();
        const { run, attempt } = await scene.live();
        await scene.inPod((await podThat(scene, isTaskManager)).name, KILL_JAVA);
        await scene.grows(120);
        const now = await scene.live();
        scene.require(now.run === run && now.attempt === attempt, "it was not the same attempt");
      },
    },
    {
      slug: "evicted",
      title: "its pods evicted as a drain does: the JobManager's budget holds it off",
      needs: "running",
      within: 240,
      play: async (scene) => {
        const { run, attempt, namespace } = await scene.live();
        const manager = await podThat(scene, isJobManager);
        const answer = await evict(namespace ?? run, manager.name);
        scene.require(
          answer.includes("disruption budget"),
          `the JobManager's eviction: ${answer === "" ? "done" : answer}`,
        );
        const worker = await podThat(scene, isTaskManager);
        const other = await evict(namespace ?? run, worker.name);
        scene.require(
          other === "" || other.includes("disruption budget"),
          `the TaskManager's eviction: ${other}`,
        );
        await scene.grows(120);
        const now = await scene.live();
        scene.require(now.run === run && now.attempt === attempt, "it was not the same attempt");
        scene.require(
          (await podThat(scene, isJobManager)).uid === manager.uid,
          "the JobManager was evicted all the same",
        );
      },
    },
    {
      slug: "suspend-s3-down",
      title: "S3 away while it is suspended: it stays running and says so; suspended once S3 is back",
      needs: "running",
      within: 360,
      play: async (scene) => {
        const { run } = await scene.live();
        await scene.place.s3Away();
        const told = await scene.mayfly("suspend", scene.name, "--timeout", "90s");
        scene.require(told.code !== 0, "suspend ended with 0");
        scene.require(
          /running|goes on/i.test(told.said),
          `it does not say that the stream runs: ${told.said}`,
        );
        scene.require((await scene.live()).run === run, "the run has ended");
        await scene.place.s3Back();
        await scene.grows(120);
        scene.code(await scene.mayfly("suspend", scene.name), 0);
      },
    },
    {
      slug: "last-state-too-old",
      title: "no savepoint can be had, and the newest checkpoint is too old: refused, and it runs on",
      needs: "running",
      within: 300,
      play: async (scene) => {
        await scene.grows();
        const { run } = await scene.live();
        await withoutTaskManagers(scene);
        const told = await scene.mayfly(
          ...["suspend", scene.name, "--timeout", "30s", "--last-state", "--max-age", "1s"],
        );
        scene.require(told.code !== 0, "suspend ended with 0");
        scene.require((await scene.live()).run === run, "the run has ended");
      },
    },
    {
      slug: "last-state",
      title: "no savepoint can be had: suspended at the newest checkpoint, and resumed from it",
      needs: "running",
      within: 360,
      play: async (scene) => {
        await scene.grows(120);
        const { run } = await scene.live();
        await withoutTaskManagers(scene);
        const told = await scene.mayfly("suspend", scene.name, "--timeout", "30s", "--last-state");
        scene.code(told, 0);
        scene.require(/checkpoint/i.test(told.said), `it does not say that it is a checkpoint: ${told.said}`);
        const now = (await scene.runs()).find((row) => row.run === run);
        scene.require(now?.outcome?.kind === "suspended", `the run is ${now?.state ?? "gone"}`);
        scene.code(await scene.mayfly("resume", scene.name), 0);
        await scene.grows();
      },
    },
  ],
};

export const highAvailability: Chapter = {
  name: "HA",
  place: { highAvailability: true },
  spec: { highAvailability: "kubernetes" },
  rows: [
    {
      slug: "ha-jobmanager-killed",
      title: "the JobManager's Java killed: Kubernetes starts it again, the same attempt goes on",
      needs: "running",
      within: 300,
      play: async (scene) => {
        const before = await killJobManager(scene);
        await scene.grows(150);
        const now = await scene.live();
        scene.require(
          now.run === before.run && now.attempt === before.attempt,
          `it was not the same attempt: ${now.attempt} after ${before.attempt}`,
        );
      },
    },
    {
      slug: "ha-suspend",
      title: "suspended: config maps of its high availability gone",
      needs: "running",
      within: 300,
      play: async (scene) => {
        const { run, namespace } = await scene.live();
        // Two are Mayfly's and Kubernetes' own: the files and the cluster's certificate.
        const maps = await kubectl([
          ...["get", "configmaps", "--namespace", namespace ?? run],
          ...["--show-labels", "--no-headers"],
        ]);
        scene.require(
          maps.includes("type=flink-native-kubernetes"),
          `it has no config maps of high availability: ${maps}`,
        );
        // Its namespace is gone after it, which the invariants look at.
        scene.code(await scene.mayfly("suspend", scene.name), 0);
      },
    },
  ],
};
