import type { Limits, Memory } from "../queue/index.ts";

/** What a tenant may have at a time where nothing else is said, and never more than `slots` on one worker. */
export const defaultLimits = (slots: number): Limits => ({
  helper: slots,
  tenant: { running: 50, queued: 1000, weight: 1 },
  tenants: {},
});

/** MiB; the engine's process with CLI and plugin beside it while it makes a cluster. docs/engine.md has the figures. */
const PER_RUN_MIB = 350;
const RESERVE_MIB = 1024;

/** Memory of this machine or container, for back-pressure. @param starting Runs begun in the last seconds. */
export const memoryNow = (starting: number): Memory => ({
  available: process.availableMemory() / 1024 ** 2,
  reserve: RESERVE_MIB,
  perRun: PER_RUN_MIB,
  starting,
});
