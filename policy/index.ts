// The policy pack's process, started by the engine through policy/run: serves the rules until the engine is gone.
import { leaveOutUnused } from "../base/leave-out.ts";

/** How long it outlives an engine that was killed and could not end it. */
const LOOK_MS = 2000;

leaveOutUnused();
// After that: they load Pulumi's SDK.
const [{ PolicyPack }, { policyOf }, { RULES }] = await Promise.all([
  import("@pulumi/policy"),
  import("./pack.ts"),
  import("./rules/index.ts"),
]);

new PolicyPack("mayfly", { policies: RULES.map(policyOf) });

// A process whose parent is gone gets another one.
const engine = process.ppid;
setInterval(() => {
  if (process.ppid !== engine) process.exit();
}, LOOK_MS).unref();
