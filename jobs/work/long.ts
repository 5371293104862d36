import type { Outcome } from "../../schema/outcome.ts";
import type { Effect, MachineEvent } from "../run/machine.ts";
import { Refusal } from "./hands.ts";
import { infrastructure, outcomeOfFailedPlan, outcomeOfRefusal } from "./outcomes.ts";

/** Effects that take their time. */
export type Long = Extract<
  Effect,
  {
    readonly type:
      | "plan"
      | "createStack"
      | "up"
      | "watch"
      | "suspend"
      | "recover"
      | "saveLogs"
      | "destroy"
      | "removeStack";
  }
>;

/** Pure: what a failed effect means to the machine. */
export function failureOf(type: Long["type"], error: unknown, fence: number): MachineEvent {
  const outcome = (what: string): Outcome => infrastructure(what, error);
  switch (type) {
    case "plan":
      return { type: "failed", step: "plan", outcome: outcomeOfFailedPlan(error), fence };
    case "createStack":
      if (error instanceof Refusal) return { type: "refused", outcome: outcomeOfRefusal(error.cause), fence };
      return { type: "failed", step: type, outcome: outcome("The cluster could not be made"), fence };
    case "up":
      return { type: "failed", step: type, outcome: outcome("The cluster could not be made"), fence };
    case "watch":
      return { type: "failed", step: type, outcome: outcome("The run could not be watched"), fence };
    case "suspend":
    case "recover":
    case "saveLogs":
    case "destroy":
    case "removeStack": {
      const message = error instanceof Error ? error.message : String(error);
      return { type: "failed", step: type, message, fence };
    }
  }
}
