import { setTimeout as sleep } from "node:timers/promises";
import { POD } from "./api.ts";
import { kubernetes as k8s, type Report } from "./harness.ts";

export const labels = { app: "web" };
export const template = { metadata: { labels }, spec: POD };
export const job = (ns: string, annotations: Record<string, string> = {}, backoffLimit = 0): void => {
  new k8s.batch.v1.Job("driver", {
    metadata: { namespace: ns, name: "driver", annotations },
    spec: { backoffLimit, template: { spec: { ...POD, restartPolicy: "Never" } } },
  });
};
export const deployment = (ns: string, create?: string): void => {
  new k8s.apps.v1.Deployment(
    "web",
    {
      metadata: { namespace: ns, name: "web" },
      spec: { replicas: 2, selector: { matchLabels: labels }, template },
    },
    create === undefined ? {} : { customTimeouts: { create } },
  );
};
export const of = (make: () => void) => async (): Promise<void> => {
  make();
  return Promise.resolve();
};

/** Whether an update is still going when everything that it asked for exists but is not ready. */
export async function waits(up: Promise<Report>): Promise<boolean> {
  return (await Promise.race([up.then(() => "over"), sleep(1500).then(() => "waiting")])) === "waiting";
}
