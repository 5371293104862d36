import type { FlinkJob } from "../../../schema/job.ts";
import { seconds } from "../quantities.ts";

/** A duration as Flink reads it: `90 s`. */
export const flinkDuration = (text: string): string => `${seconds(text)} s`;

/** The restart strategy. https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/state/task_failure_recovery/ */
export function restartSettings({ restart }: Pick<FlinkJob, "restart">): Record<string, string> {
  const key = (name: string): string => `restart-strategy.${restart.strategy}.${name}`;
  const type = { "restart-strategy.type": restart.strategy };
  switch (restart.strategy) {
    case "none":
      return { "restart-strategy.type": "disable" };
    case "fixed-delay":
      return {
        ...type,
        [key("attempts")]: String(restart.attempts),
        [key("delay")]: flinkDuration(restart.delay),
      };
    case "failure-rate":
      return {
        ...type,
        [key("max-failures-per-interval")]: String(restart.failures),
        [key("failure-rate-interval")]: flinkDuration(restart.interval),
        [key("delay")]: flinkDuration(restart.delay),
      };
    case "exponential-delay":
      return {
        ...type,
        [key("initial-backoff")]: flinkDuration(restart.initial),
        [key("max-backoff")]: flinkDuration(restart.maximum),
        [key("reset-backoff-threshold")]: flinkDuration(restart.resetAfter),
      };
  }
}
