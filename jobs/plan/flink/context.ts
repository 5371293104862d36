import type { FlinkJob } from "../../../schema/job.ts";
import type { EngineContext } from "../engine.ts";

/** What Flink's pods are planned from. */
export type FlinkContext = EngineContext<FlinkJob>;
