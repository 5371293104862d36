// From one zone to another. The lab has one node: it says that it is in the other zone until the stream's pods have their place there.
import { kubectl } from "../../lab/pods.ts";
import type { Chapter } from "../types.ts";

const LABEL = "topology.kubernetes.io/zone";
const [HERE, THERE] = ["lab-a", "lab-b"];

async function nodeIn(zone: string): Promise<void> {
  await kubectl(["label", "nodes", "--all", "--overwrite", `${LABEL}=${zone}`]);
}

export const zone: Chapter = {
  name: "zone",
  place: { zones: [HERE, THERE] },
  alone: true,
  rows: [
    {
      slug: "zone",
      title: `suspended in zone ${HERE}, resumed in ${THERE} (by the label of the lab's one node)`,
      needs: "suspended",
      within: 300,
      play: async (scene) => {
        const moved = await scene.file({ placement: { zone: THERE } });
        scene.afterwards(async () => {
          await nodeIn(HERE);
        });
        await nodeIn(THERE);
        const resumed = scene.mayfly("resume", scene.name, "--job", moved);
        // Only pods that have no place yet care; everybody else's should not have to wait for long.
        await Promise.race([
          resumed,
          scene.until("its pods have their place", 60, async () => {
            const live = (await scene.runs()).find(({ endedAt }) => endedAt === undefined);
            const pods = live === undefined ? [] : await scene.pods();
            return pods.length >= 2 && pods.every(({ ip }) => ip !== undefined) ? true : undefined;
          }),
        ]);
        await nodeIn(HERE);
        scene.code(await resumed, 0);
        const { plan } = await scene.live();
        scene.require(
          JSON.stringify(plan?.coordinator).includes(THERE),
          `the plan does not ask for ${THERE}: ${JSON.stringify(plan?.coordinator).slice(0, 500)}`,
        );
        await scene.grows();
      },
    },
  ],
};
