import { UserError } from "../../base/errors.ts";
import type { Allocatable } from "../../schema/contract.ts";
import type { ExistingPool } from "../../schema/environment/index.ts";
import { parseCpu, parseMemory } from "../../schema/quantity.ts";

/** `status.allocatable` of a node: resource name to quantity. */
export type NodeAllocatable = Readonly<Record<string, string>>;

type AllocatableConfig = ExistingPool["allocatable"];

/**
 * What one node of a pool offers to runs.
 * @param where Config path, for messages.
 * @throws UserError `node-too-small` where nothing is left of the node.
 */
export function allocatableOf(
  config: AllocatableConfig,
  nodes: ReadonlyMap<string, NodeAllocatable>,
  where: string,
): Allocatable {
  switch (config.from) {
    case "config":
      return {
        cpu: parseCpu(config.cpu) ?? 0,
        memory: parseMemory(config.memory) ?? 0,
        scratch: parseMemory(config.scratch) ?? 0,
        pods: config.pods,
      };
    case "node": {
      const node = nodes.get(config.node) ?? {};
      const { cpu = "0m", memory = "0Mi", pods = 0 } = config.reserve;
      const left = {
        cpu: nodeMillicores(node["cpu"]) - (parseCpu(cpu) ?? 0),
        memory: nodeMebibytes(node["memory"]) - (parseMemory(memory) ?? 0),
        scratch: nodeMebibytes(node["ephemeral-storage"]),
        pods: Number(node["pods"] ?? 0) - pods,
      };
      for (const [resource, amount] of Object.entries(left)) {
        if (amount > 0) continue;
        throw new UserError("node-too-small", `Node ${config.node} has no ${resource} for runs.`, {
          path: `${where}.reserve`,
          hint: `See: kubectl get node ${config.node} -o jsonpath='{.status.allocatable}'`,
        });
      }
      return left;
    }
  }
}

const nodeMillicores = (quantity = "0"): number =>
  quantity.endsWith("m") ? Number(quantity.slice(0, -1)) : Number(quantity) * 1000;

/** Kubelets report memory and disk in bytes or KiB; larger units are allowed. */
const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

function nodeMebibytes(quantity = "0"): number {
  const [, digits = "0", unit = ""] = /^(\d+)(\D*)$/.exec(quantity) ?? [];
  return Math.floor((Number(digits) * (FACTORS[unit] ?? 0)) / 2 ** 20);
}
