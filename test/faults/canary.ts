// Another tenant's run, which goes on while all faults happen and must not notice.
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { kubectl } from "../lab/pods.ts";
import type { Certificate } from "./certificate.ts";
import type { Checked } from "./invariants.ts";
import { makeNeighbour, NEIGHBOUR } from "./neighbour.ts";
import { makePlace, type Place } from "./place.ts";
import { type Helper, phase, send, startHelper } from "./processes.ts";

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), uid: z.string(), deletionTimestamp: z.string().optional() }),
      status: z.object({
        phase: z.string(),
        containerStatuses: z.array(z.object({ name: z.string(), restartCount: z.int() })).default([]),
        initContainerStatuses: z.array(z.object({ name: z.string(), restartCount: z.int() })).default([]),
      }),
    }),
  ),
});

export interface Canary {
  readonly check: () => Promise<Checked>;
  /** Cancels it, and says whether it then ends as a cancelled run does. */
  readonly end: () => Promise<{
    readonly place: Place;
    readonly output: string;
    readonly code: number | null;
    /** Of what the canary needed beside its place. */
    readonly remove: () => Promise<void>;
  }>;
}

/** Starts it and waits until its job runs. */
export async function startCanary(certificate: Certificate): Promise<Canary> {
  const neighbour = await makeNeighbour();
  const place = await makePlace("canary", certificate, {
    contract: neighbour.contract,
    job: { tenant: NEIGHBOUR },
  });
  const job = await place.job({ deadline: "2h" }, 7200);
  const helper = startHelper("bin/mayfly", ["run", "--json", job], place.env("first"));
  const running = await helper.until(phase("running"));
  if (running === undefined) {
    await Promise.all([place.remove(), neighbour.remove()]);
    const outcome = helper.events.find((event) => event.type === "outcome");
    throw new UserError("canary-not-started", "The run that has to go on beside all faults did not start.", {
      path: "the lab",
      hint: "See what else runs there: kubectl get pods --all-namespaces. Then try again.",
      exitCode: EXIT.unavailable,
      cause: outcome === undefined ? helper.said().slice(-2000) : outcome,
    });
  }
  const namespace = namespaceOf(helper);
  const first = await look(namespace);
  return {
    check: async () => {
      const now = await look(namespace);
      const broken = [...new Set([...first, ...now])].filter(
        (line) => !first.includes(line) || !now.includes(line),
      );
      if (!send(helper.pid, "SIGCONT")) broken.push(`its helper ended:\n${helper.said().slice(-2000)}`);
      return { name: "canary untouched", broken: broken.map((line) => `of the canary run: ${line}`) };
    },
    end: async () => {
      send(helper.pid, "SIGINT");
      const { code } = await helper.exit;
      return { place, output: helper.said(), code, remove: neighbour.remove };
    },
  };
}

function namespaceOf({ events }: Helper): string {
  const planned = events.find((event) => event.type === "planned");
  if (planned?.type !== "planned") throw new Error("the canary run was not planned");
  return planned.namespace;
}

/** Each pod in a line, with all that would tell that something touched it. */
async function look(namespace: string): Promise<string[]> {
  const pods = Pods.parse(
    JSON.parse(await kubectl(["get", "pods", "--namespace", namespace, "--output", "json"])),
  );
  return pods.items.map(({ metadata: { name, uid, deletionTimestamp }, status }) => {
    const restarts = [...status.initContainerStatuses, ...status.containerStatuses].map(
      (container) => `${container.name} restarted ${container.restartCount} times`,
    );
    return [name, uid, status.phase, deletionTimestamp ?? "stays", ...restarts].join(", ");
  });
}
