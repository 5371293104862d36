// How many faults fit on the lab's node at once: runs that wait for a node would be a fault of their own.
import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import { kubectl } from "../lab/pods.ts";

/** What a run of the suite asks for, in millicores (the plan of place.ts's job). */
const RUN_MILLICORES = 350;

const Quantities = z.object({ cpu: z.string().optional() });
const Containers = z.array(z.object({ resources: z.object({ requests: Quantities.optional() }) }));
const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ namespace: z.string() }),
      spec: z.object({ containers: Containers, initContainers: Containers.default([]) }),
      status: z.object({ phase: z.string() }),
    }),
  ),
});
const Nodes = z.object({ items: z.array(z.object({ status: z.object({ allocatable: Quantities }) })) });

/** Millicores of a Kubernetes quantity: `2` or `250m`. */
export const millicores = (quantity: string | undefined): number => {
  if (quantity === undefined) return 0;
  return quantity.endsWith("m") ? Number(quantity.slice(0, -1)) : Number(quantity) * 1000;
};

export interface Room {
  readonly lanes: number;
  /** For people, where there are fewer lanes than were asked for. */
  readonly note: string | undefined;
}

/**
 * @param wanted Lanes.
 * @param beside Runs that go on beside them.
 * @param each What a lane's run asks for, in millicores.
 * @throws UserError `no-room`
 */
export async function roomFor(wanted: number, beside: number, each = RUN_MILLICORES): Promise<Room> {
  const read = async (what: string): Promise<unknown> =>
    JSON.parse(await kubectl(["get", what, "--all-namespaces", "--output", "json"]));
  const nodes = Nodes.parse(await read("nodes"));
  const pods = Pods.parse(await read("pods")).items.filter(
    ({ status }) => status.phase === "Running" || status.phase === "Pending",
  );
  const all = nodes.items.reduce((sum, { status }) => sum + millicores(status.allocatable.cpu), 0);
  const byNamespace = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const asked = [...spec.containers, ...spec.initContainers].reduce(
      (sum, { resources }) => sum + millicores(resources.requests?.cpu),
      0,
    );
    byNamespace.set(metadata.namespace, (byNamespace.get(metadata.namespace) ?? 0) + asked);
  }
  const taken = [...byNamespace].filter(([, asked]) => asked > 0).toSorted(([, a], [, b]) => b - a);
  const free = all - taken.reduce((sum, [, asked]) => sum + asked, 0);
  const lanes = Math.min(wanted, Math.floor(free / each) - beside);
  const who = taken.map(([namespace, asked]) => `${namespace} ${asked}`).join(", ");
  const facts = `The lab has ${free} millicores free, a run takes ${each}${who === "" ? "" : `; taken: ${who}`}.`;
  if (lanes < 1) {
    throw new UserError("no-room", `There is no room for a fault. ${facts}`, {
      path: "the lab",
      hint: "End what runs there, such as its own workers: kubectl --namespace mayfly-worker scale deployment worker --replicas=0",
    });
  }
  return { lanes, note: lanes < wanted ? `${lanes} at once in place of ${wanted}. ${facts}` : undefined };
}
