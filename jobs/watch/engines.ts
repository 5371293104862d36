// The one place where Spark and Flink are told apart in a verdict.
import type { Plan } from "../../schema/plan.ts";
import type { EngineRules } from "./engine-rules.ts";
import { flinkRules } from "./flink-rules.ts";
import { sparkRules } from "./spark-rules.ts";

export function rulesOf(plan: Plan): EngineRules {
  switch (plan.engine) {
    case "spark":
      return sparkRules(plan);
    case "flink":
      return flinkRules(plan);
  }
}
