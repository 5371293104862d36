import type { FlinkPlan } from "../../schema/plan.ts";
import type { Cluster } from "../watch/index.ts";
import type { FlinkRest } from "./types.ts";

/** Opens the REST of the plan's attempt: at the JobManager's loopback, through the API server. Talks to nobody yet. */
export function openFlink(_cluster: Cluster, _plan: FlinkPlan): FlinkRest {
  throw new Error("not built yet");
}
