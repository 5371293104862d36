import { z } from "zod";
import { type Cluster, explained } from "./cluster.ts";
import type { ObservedRun } from "./observe.ts";
import { nothingObserved, reduce } from "./reduce.ts";
import { podView } from "./views.ts";

const PodList = z.object({ items: z.array(z.unknown()) });

/** One look at a run's pods, for `status`: what `watchRun` would know of them at this moment. */
export async function observePods(cluster: Cluster, namespace: string): Promise<ObservedRun> {
  return await explained(cluster, async () => {
    const list = PodList.parse(
      await cluster.api.get(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`),
    );
    const at = Date.now();
    return list.items.reduce<ObservedRun>(
      (known, object) => reduce(known, { type: "pod", at, pod: podView(object) }, list.items.length),
      nothingObserved,
    );
  });
}
