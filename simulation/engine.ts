import type { Simulation, SimulationOptions } from "./types.ts";

export type * from "./types.ts";
export { SECRET, UNKNOWN } from "./types.ts";

/**
 * Opens a stack of a Pulumi project on the real engine, with stand-in plugins for aws, eks and kubernetes: no account, no cluster,
 * no network. Under construction.
 */
export function openSimulation(_options: SimulationOptions): Promise<Simulation> {
  throw new Error("under construction");
}
