import { totalmem } from "node:os";
import type { EnvironmentContract } from "../../schema/contract.ts";
import type { Limits, Memory } from "../queue/index.ts";

/** What an environment lets its tenants have at a time, and never more than `slots` on one worker. */
export const limitsFrom = ({ tenants }: Pick<EnvironmentContract, "tenants">, slots: number): Limits => ({
  helper: slots,
  tenants: Object.fromEntries(tenants.map(({ id, limits }) => [id, limits])),
});

/** MiB that a further run may take with its engine, CLI and plugin: 205 to 208 were measured at the peak of four (docs/engine.md), and half as much again for what other plugins take. */
export const PER_RUN_MIB = 350;
/** MiB that are left to everything else: on a machine an estimate; in a container there is nothing else but the kernel's copies of files. */
const RESERVE_MIB = { machine: 1024, container: 256 } as const;

/** @param constrained What a cgroup allows, in bytes; more than there is where it allows all. @param total What there is. */
export const reserveMib = (constrained: number, total: number): number =>
  constrained > 0 && constrained < total ? RESERVE_MIB.container : RESERVE_MIB.machine;

/** Memory of this machine or container, for back-pressure. @param starting Runs begun in the last seconds. */
export const memoryNow = (starting: number): Memory => ({
  // Of the cgroup where that has less: https://nodejs.org/api/process.html#processavailablememory
  available: process.availableMemory() / 1024 ** 2,
  reserve: reserveMib(process.constrainedMemory(), totalmem()),
  perRun: PER_RUN_MIB,
  starting,
});
